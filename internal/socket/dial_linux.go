package socket

import (
	"net"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Dial begins to connect a non-blocking socket to an IP address, from local if that is
// valid. With pending the result is known when the socket is writable.
func Dial(to, local netip.AddrPort) (fd int, pending bool, err error) {
	remote, family := sockaddr(to)
	if fd, err = open(family, unix.SOCK_STREAM); err != nil {
		return -1, false, err
	}
	if err = prepareDial(fd, local); err == nil {
		pending, err = connect(fd, remote)
	}
	if err != nil {
		unix.Close(fd)
		return -1, false, err
	}
	return fd, pending, nil
}

// DialUnix is Dial for the path of a Unix socket, where a leading @ means Linux' abstract
// namespace. A server whose queue is full is EAGAIN.
func DialUnix(path string) (fd int, pending bool, err error) {
	if fd, err = open(unix.AF_UNIX, unix.SOCK_STREAM); err != nil {
		return -1, false, err
	}
	if pending, err = connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		unix.Close(fd)
		return -1, false, err
	}
	return fd, pending, nil
}

// DialPacket is Dial for UDP, which has nobody to wait for.
func DialPacket(to, local netip.AddrPort) (fd int, err error) {
	remote, family := sockaddr(to)
	if fd, err = open(family, unix.SOCK_DGRAM); err != nil {
		return -1, err
	}
	if local.IsValid() {
		sa, _ := sockaddr(local)
		err = os.NewSyscallError("bind", unix.Bind(fd, sa))
	}
	if err == nil {
		_, err = connect(fd, remote)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func open(family, kind int) (fd int, err error) {
	fd, err = unix.Socket(family, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return fd, os.NewSyscallError("socket", err)
}

// prepareDial gives a TCP socket the options of accepted ones and its own address.
func prepareDial(fd int, local netip.AddrPort) error {
	if err := setOptions(fd); err != nil || !local.IsValid() {
		return err
	}
	option, level := unix.SO_REUSEADDR, unix.SOL_SOCKET // the port of a connection that has just ended
	if local.Port() == 0 {
		option, level = unix.IP_BIND_ADDRESS_NO_PORT, unix.IPPROTO_IP // many connections share a port
	}
	if err := set(fd, level, option, 1); err != nil {
		return err
	}
	sa, _ := sockaddr(local)
	return os.NewSyscallError("bind", unix.Bind(fd, sa))
}

func connect(fd int, sa unix.Sockaddr) (pending bool, err error) {
	switch err = unix.Connect(fd, sa); err {
	case nil:
		return false, nil
	case unix.EINPROGRESS, unix.EINTR, unix.EALREADY:
		return true, nil
	}
	return false, os.NewSyscallError("connect", err)
}

// sockaddr is the kernel's form of an address.
func sockaddr(a netip.AddrPort) (sa unix.Sockaddr, family int) {
	ip := a.Addr().Unmap()
	if ip.Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: ip.As4()}, unix.AF_INET
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: ip.As16(), ZoneId: zoneID(ip.Zone())}, unix.AF_INET6
}

// zoneID is the index of the interface that a zone names, 0 if there is none.
func zoneID(zone string) uint32 {
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if zone == "" {
		return 0
	}
	ifi, err := net.InterfaceByName(zone)
	if err != nil {
		return 0
	}
	return uint32(ifi.Index)
}
