package systemd

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/internal/socket"
)

// firstDescriptor is that of the first socket that systemd passes.
const firstDescriptor = 3

// Socket is a socket that systemd has opened for the program.
type Socket struct {
	File *os.File
	Name string // FileDescriptorName of its unit, by default the unit's name

	network string         // "tcp", "udp" or "unix"
	addr    netip.AddrPort // where a socket of tcp or udp listens
	both    bool           // [::] stands for IPv4, too
	path    string         // where a Unix socket lies
}

// Sockets takes the sockets of the environment variable LISTEN_FDS. They are closed on exec and
// the variables are taken away, so that children see neither. Call it once, before anything
// else opens descriptors. The error names a socket that is of no use here; the others are
// returned.
func Sockets() ([]Socket, error) { return sockets(firstDescriptor) }

func sockets(first int) (list []Socket, err error) {
	pid, count, names := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_FDNAMES")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"} {
		os.Unsetenv(name)
	}
	if pid != strconv.Itoa(os.Getpid()) {
		return nil, nil // meant for a parent
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > 1<<16 {
		return nil, fmt.Errorf("systemd: LISTEN_FDS is %q, which is no number of sockets", count)
	}
	called := strings.Split(names, ":")
	for i := range n {
		fd := first + i
		unix.CloseOnExec(fd)
		name := "unknown"
		if i < len(called) && called[i] != "" {
			name = called[i]
		}
		s := Socket{Name: name}
		if bad := s.examine(fd); bad != nil {
			err = fmt.Errorf("systemd: socket %d (%s): %w", i, name, bad)
			continue
		}
		unix.SetNonblock(fd, true)
		s.File = os.NewFile(uintptr(fd), "systemd:"+name)
		list = append(list, s)
	}
	return list, err
}

// examine finds out what a descriptor is.
func (s *Socket) examine(fd int) error {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return fmt.Errorf("is no socket: %w", err)
	}
	listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil {
		return err
	}
	switch {
	case kind == unix.SOCK_STREAM && listens == 1:
		s.network = "tcp"
	case kind == unix.SOCK_STREAM:
		return errors.New("does not listen: its unit must not have Accept=yes")
	case kind == unix.SOCK_DGRAM:
		s.network = "udp"
	default:
		return errors.New("is neither of ListenStream nor of ListenDatagram")
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return err
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		s.addr = netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		ip := netip.AddrFrom16(sa.Addr)
		if sa.ZoneId != 0 {
			ip = ip.WithZone(strconv.FormatUint(uint64(sa.ZoneId), 10))
		}
		s.addr = netip.AddrPortFrom(ip, uint16(sa.Port))
		only, err := unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY)
		s.both = err == nil && only == 0
	case *unix.SockaddrUnix:
		if s.network == "udp" {
			return errors.New("is a Unix socket for datagrams")
		}
		s.network, s.path = "unix", sa.Name
	default:
		return errors.New("is of an unknown family")
	}
	return nil
}

// String is the address that the socket is bound to.
func (s Socket) String() string {
	if s.network == "unix" {
		return "unix://" + s.path
	}
	return s.network + "://" + s.addr.String()
}

// Match finds the socket that serves an address, -1 if none does. A socket of [::] also
// stands for 0.0.0.0 if it takes IPv4, as those of ListenStream=PORT do. A port of 0 matches
// nothing.
func Match(list []Socket, a socket.Address) int {
	for _, exactly := range []bool{true, false} {
		for i, s := range list {
			if s.serves(a, exactly) {
				return i
			}
		}
	}
	return -1
}

// serves reports whether s is bound to an address, or at least takes what comes for it.
func (s Socket) serves(a socket.Address, exactly bool) bool {
	if s.network != a.Network {
		return false
	}
	if a.Network == "unix" {
		return s.path == a.Path
	}
	if a.Port == 0 || a.Port != s.addr.Port() {
		return false
	}
	want, err := address(a.Host)
	if err != nil {
		return false
	}
	if !exactly {
		return s.addr.Addr() == netip.IPv6Unspecified() && s.both && want == netip.IPv4Unspecified()
	}
	have := s.addr.Addr()
	return want.WithZone("") == have.WithZone("") && zone(want) == zone(have)
}

// address is what package net would listen on for a host.
func address(host string) (netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip, nil
	}
	ip, err := net.ResolveIPAddr("ip", host)
	if err != nil {
		return netip.Addr{}, err
	}
	addr, _ := netip.AddrFromSlice(ip.IP)
	return addr.Unmap().WithZone(ip.Zone), nil
}

// zone is the number of an address's interface.
func zone(ip netip.Addr) int {
	if n, err := strconv.Atoi(ip.Zone()); err == nil {
		return n
	}
	if i, err := net.InterfaceByName(ip.Zone()); err == nil {
		return i.Index
	}
	return 0
}
