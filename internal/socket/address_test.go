package socket

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	long := strings.Repeat("x", maxUnixPath-1)
	for _, c := range []struct {
		network, in string
		want        Address
	}{
		{"tcp", "0.0.0.0:80", Address{"tcp", "0.0.0.0", 80, ""}},
		{"tcp", "[::]:0", Address{"tcp", "::", 0, ""}},
		{"tcp", "[fe80::1%eth0]:65535", Address{"tcp", "fe80::1%eth0", 65535, ""}},
		{"udp", "localhost:0080", Address{"udp", "localhost", 80, ""}},
		{"tcp", "[example.org]:1", Address{"tcp", "example.org", 1, ""}},
		{"unix", "/run/a.sock", Address{"unix", "", 0, "/run/a.sock"}},
		{"unix", "@abstract", Address{"unix", "", 0, "@abstract"}},
		{"unix", "a b:c", Address{"unix", "", 0, "a b:c"}},
		{"unix", long, Address{"unix", "", 0, long}},
	} {
		got, err := Parse(c.network, c.in)
		if got != c.want || err != nil {
			t.Errorf("Parse(%s, %q) = %+v, %v, want %+v", c.network, c.in, got, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ network, in, why string }{
		{"sctp", "h:1", "unknown transport"},
		{"", "h:1", "unknown transport"},
		{"tcp", "", "no HOST:PORT"},
		{"tcp", "host", "no HOST:PORT"},
		{"tcp", "::1:80", "brackets"},
		{"tcp", "[::1]", "no HOST:PORT"},
		{"tcp", "h:", "is no number"},
		{"tcp", "h:+80", "is no number"},
		{"tcp", "h:-1", "is no number"},
		{"tcp", "h:65536", "is no number"},
		{"tcp", "h:http", "is no number"},
		{"tcp", "h:1_0", "is no number"},
		{"tcp", "h: 1", "is no number"},
		{"tcp", ":80", "missing host"},
		{"udp", "[]:80", "missing host"},
		{"tcp", "user@h:80", "no host name has"},
		{"tcp", "h/x:80", "no host name has"},
		{"tcp", "h\x00:80", "no host name has"},
		{"tcp", " h:80", "no host name has"},
		{"unix", "", "missing path"},
		{"unix", strings.Repeat("x", maxUnixPath), "has at most 103"},
		{"unix", "a\x00b", "NUL"},
	} {
		if got, err := Parse(c.network, c.in); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("Parse(%s, %q) = %+v, %v, want an error with %q", c.network, c.in, got, err, c.why)
		}
	}
}

// An IPv4 literal means IPv4 alone, all else is left to the resolver.
func TestNetworkForPackageNet(t *testing.T) {
	for in, want := range map[string]string{
		"0.0.0.0:1": "tcp4", "127.0.0.1:1": "tcp4", "[::]:1": "tcp", "[::1]:1": "tcp", "localhost:1": "tcp",
	} {
		a, err := Parse("tcp", in)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.goNetwork(); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestAddrPort(t *testing.T) {
	mapped := net.ParseIP("::ffff:10.0.0.1")
	for _, c := range []struct {
		in   net.Addr
		want string
	}{
		{&net.TCPAddr{IP: mapped, Port: 5}, "10.0.0.1:5"},
		{&net.UDPAddr{IP: net.IPv6loopback, Port: 6}, "[::1]:6"},
		{&net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 7, Zone: "2"}, "[fe80::1%2]:7"},
	} {
		if got := AddrPort(c.in); got != netip.MustParseAddrPort(c.want) {
			t.Errorf("%v: %v, want %s", c.in, got, c.want)
		}
	}
	if got := AddrPort(&net.UnixAddr{Name: "/x", Net: "unix"}); got.IsValid() {
		t.Errorf("a Unix address gave %v", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0.0.0.0:80", "[::1%lo]:0", "h:1", ":", "[", "[]:", "[h]:1", "h]:1", "/a", "@", "%:1", "[%]:1", "[a:b]:00"} {
		for _, network := range []string{"tcp", "udp", "unix", "x"} {
			f.Add(network, s)
		}
	}
	f.Fuzz(func(t *testing.T, network, in string) {
		a, err := Parse(network, in)
		if err != nil {
			return
		}
		a.goNetwork()
		again, err := Parse(network, a.String())
		if err != nil || again != a {
			t.Fatalf("Parse(%q, %q) = %+v, which reads %q and comes back as %+v, %v", network, in, a, a.String(), again, err)
		}
	})
}
