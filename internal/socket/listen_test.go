package socket

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
)

func parse(t *testing.T, network, in string) Address {
	t.Helper()
	a, err := Parse(network, in)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// listen opens a listener that the test closes.
func listen(t *testing.T, a Address, o Options) net.Listener {
	t.Helper()
	ln, err := Listen(a, o)
	if err != nil {
		t.Fatalf("listen on %v: %v", a, err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// refused checks that listening fails for the right reason, in the right words.
func refused(t *testing.T, a Address, cause error, text string) {
	t.Helper()
	ln, err := Listen(a, Options{})
	if err == nil {
		ln.Close()
		t.Fatalf("listening on %v worked", a)
	}
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), text) {
		t.Errorf("error %q, want %v and %q", err, cause, text)
	}
	if ln != nil {
		t.Error("a listener came with the error")
	}
}

func portOf(ln net.Listener) uint16 { return AddrPort(ln.Addr()).Port() }

// reaches connects and takes the connection at ln.
func reaches(t *testing.T, ln net.Listener, network, address string) {
	t.Helper()
	c, err := net.Dial(network, address)
	if err != nil {
		t.Fatalf("dial %s: %v", address, err)
	}
	defer c.Close()
	s, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func TestPortInUse(t *testing.T) {
	a := parse(t, "tcp", "127.0.0.1:0")
	a.Port = portOf(listen(t, a, Options{}))
	refused(t, a, syscall.EADDRINUSE, "another socket listens on port ")
}

func TestAddressOfAnotherMachine(t *testing.T) {
	refused(t, parse(t, "tcp", "203.0.113.1:0"), syscall.EADDRNOTAVAIL, "203.0.113.1 is no address of this machine")
	pc, err := ListenPacket(parse(t, "udp", "203.0.113.1:0"), Options{})
	if err == nil {
		pc.Close()
	}
	if !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("udp: %v", err)
	}
}

// The wrapping of package net, which repeats the address, is gone from every error.
func TestCauseIsOneSentence(t *testing.T) {
	wrap := func(err error) error { return &net.OpError{Op: "listen", Net: "tcp", Err: err} }
	other := errors.New("other")
	for _, c := range []struct {
		in   error
		a    Address
		want string
	}{
		{wrap(syscall.EACCES), Address{Network: "tcp", Port: 80}, "permission denied: ports below 1024 need root or CAP_NET_BIND_SERVICE"},
		{wrap(syscall.EACCES), Address{Network: "tcp", Port: 1024}, "permission denied"},
		{wrap(syscall.EACCES), Address{Network: "tcp"}, "permission denied"},
		{wrap(syscall.EACCES), Address{Network: "unix", Path: "/a"}, "permission denied"},
		{wrap(syscall.EADDRINUSE), Address{Network: "udp", Port: 9}, "address already in use: another socket listens on port 9"},
		{wrap(syscall.EADDRINUSE), Address{Network: "unix"}, "address already in use"},
		{wrap(&net.DNSError{Err: "no such host", Name: "nowhere"}), Address{Network: "tcp"}, "lookup nowhere: no such host"},
		{other, Address{Network: "tcp"}, "other"},
	} {
		if got := cause(c.in, c.a); got.Error() != c.want || !errors.Is(got, bare(c.in)) {
			t.Errorf("cause(%v) = %q, want %q", c.in, got, c.want)
		}
	}
	if err := cause(nil, Address{}); err != nil {
		t.Errorf("no error became %v", err)
	}
}

func needIPv6(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	ln.Close()
}

func TestDualStackTakesBothFamilies(t *testing.T) {
	needIPv6(t)
	ln := listen(t, parse(t, "tcp", "[::]:0"), Options{})
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	reaches(t, ln, "tcp4", "127.0.0.1:"+port)
	reaches(t, ln, "tcp6", "[::1]:"+port)
}

func TestIPv4LiteralTakesNoIPv6(t *testing.T) {
	needIPv6(t)
	ln := listen(t, parse(t, "tcp", "0.0.0.0:0"), Options{})
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	reaches(t, ln, "tcp4", "127.0.0.1:"+port)
	if c, err := net.Dial("tcp6", "[::1]:"+port); err == nil {
		c.Close()
		t.Error("an IPv6 client came through")
	} else if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error(err)
	}
}

func TestReusePortSharesThePort(t *testing.T) {
	for _, host := range []string{"127.0.0.1:0", "[::]:0"} {
		a := parse(t, "tcp", host)
		if host == "[::]:0" {
			needIPv6(t)
		}
		a.Port = portOf(listen(t, a, Options{ReusePort: true}))
		listen(t, a, Options{ReusePort: true})
		refused(t, a, syscall.EADDRINUSE, "another socket")
	}
}

func TestReusePortForDatagrams(t *testing.T) {
	a := parse(t, "udp", "127.0.0.1:0")
	for i := range 2 {
		pc, err := ListenPacket(a, Options{ReusePort: true})
		if err != nil {
			t.Fatalf("socket %d: %v", i, err)
		}
		defer pc.Close()
		a.Port = AddrPort(pc.LocalAddr()).Port()
	}
}
