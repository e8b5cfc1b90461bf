package socket

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// networkOrder is the port as the kernel writes it.
func networkOrder(port uint16) (raw uint16) {
	b := (*[2]byte)(unsafe.Pointer(&raw))
	b[0], b[1] = byte(port>>8), byte(port)
	return raw
}

func TestFromRaw(t *testing.T) {
	v6 := func(ip string, port uint16, scope uint32) unix.RawSockaddrAny {
		var sa unix.RawSockaddrAny
		*(*unix.RawSockaddrInet6)(unsafe.Pointer(&sa)) = unix.RawSockaddrInet6{
			Family: unix.AF_INET6, Port: networkOrder(port), Addr: netip.MustParseAddr(ip).As16(), Scope_id: scope,
		}
		return sa
	}
	var v4 unix.RawSockaddrAny
	*(*unix.RawSockaddrInet4)(unsafe.Pointer(&v4)) = unix.RawSockaddrInet4{
		Family: unix.AF_INET, Port: networkOrder(0x1234), Addr: [4]byte{192, 0, 2, 7},
	}
	var other unix.RawSockaddrAny
	other.Addr.Family = unix.AF_UNIX
	for _, c := range []struct {
		name string
		in   unix.RawSockaddrAny
		want netip.AddrPort
	}{
		{"IPv4", v4, netip.MustParseAddrPort("192.0.2.7:4660")},
		{"IPv6", v6("2001:db8::1", 443, 0), netip.MustParseAddrPort("[2001:db8::1]:443")},
		{"link-local", v6("fe80::1", 1, 3), netip.MustParseAddrPort("[fe80::1%3]:1")},
		{"mapped", v6("::ffff:192.0.2.7", 65535, 0), netip.MustParseAddrPort("192.0.2.7:65535")},
		{"Unix", other, netip.AddrPort{}},
	} {
		if got := FromRaw(&c.in); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestDescriptorOutlivesTheConnection(t *testing.T) {
	ln := listen(t, parse(t, "tcp", "127.0.0.1:0"), Options{})
	want := AddrPort(ln.Addr())
	fd, err := Descriptor(ln.(syscall.Conn))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	ln.Close()
	if got := LocalAddr(fd); got != want {
		t.Errorf("address %v, want %v", got, want)
	}
	flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	closeOnExec, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if flags&unix.O_NONBLOCK == 0 || closeOnExec&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %#x and %#x: not non-blocking or not closed on exec", flags, closeOnExec)
	}
}

func TestDescriptorOfClosedConnection(t *testing.T) {
	ln := listen(t, parse(t, "tcp", "127.0.0.1:0"), Options{})
	ln.Close()
	if fd, err := Descriptor(ln.(syscall.Conn)); err == nil || fd != -1 {
		t.Errorf("got %d, %v", fd, err)
	}
}

func TestLocalAddrOfNoSocket(t *testing.T) {
	if got := LocalAddr(-1); got.IsValid() {
		t.Errorf("got %v", got)
	}
}

// Accepted connections inherit what the listener set, so that accepting costs no more
// calls.
func TestAcceptedSocketsInheritOptions(t *testing.T) {
	ln := listen(t, parse(t, "tcp", "127.0.0.1:0"), Options{})
	fd, err := Descriptor(ln.(syscall.Conn))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	unix.SetNonblock(fd, false)
	conn, _, err := unix.Accept(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(conn)
	seconds := int(KeepAlive.Seconds())
	for _, o := range []struct {
		name             string
		level, opt, want int
	}{
		{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds},
		{"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, seconds},
		{"TCP_NODELAY", unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
	} {
		if got, err := unix.GetsockoptInt(conn, o.level, o.opt); got != o.want || err != nil {
			t.Errorf("%s = %d, %v, want %d", o.name, got, err, o.want)
		}
	}
}
