package interop

import (
	"bufio"
	"bytes"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"

	other "github.com/pires/go-proxyproto"
	"github.com/workerman-go/workerman/internal/proxyproto"
)

// TestHeadersOfAnother reads what the other implementation writes, in both versions, with
// random addresses and extra values.
func TestHeadersOfAnother(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	address := func(wide bool) *net.TCPAddr {
		ip := make(net.IP, 4)
		if wide {
			ip = make(net.IP, 16)
		}
		for i := range ip {
			ip[i] = byte(rnd.Uint32())
		}
		return &net.TCPAddr{IP: ip, Port: rnd.IntN(65536)}
	}
	for i := range 2000 {
		wide := i%2 == 1
		source, destination := address(wide), address(wide)
		h := other.HeaderProxyFromAddrs(byte(1+i/2%2), source, destination)
		if h.Version == 2 {
			var values []other.TLV
			for range rnd.IntN(4) {
				values = append(values, other.TLV{Type: other.PP2_TYPE_NOOP, Value: make([]byte, rnd.IntN(300))})
			}
			if err := h.SetTLVs(values); err != nil {
				t.Fatal(err)
			}
		}
		b, err := h.Format()
		if err != nil {
			t.Fatal(err)
		}
		got, n, err := proxyproto.Parse(append(b, "PROXY"...))
		want := proxyproto.Header{Source: endpoint(source), Destination: endpoint(destination)}
		if err != nil || n != len(b) || got != want {
			t.Fatalf("%q: %+v, %d, %v, want %+v", b, got, n, err, want)
		}
	}
}

func TestLocalHeadersOfAnother(t *testing.T) {
	for _, h := range []*other.Header{
		{Version: 1, Command: other.LOCAL, TransportProtocol: other.UNSPEC},
		{Version: 1, Command: other.PROXY, TransportProtocol: other.UNSPEC},
		{Version: 2, Command: other.LOCAL, TransportProtocol: other.UNSPEC},
		{Version: 2, Command: other.PROXY, TransportProtocol: other.UNSPEC},
	} {
		b, err := h.Format()
		if err != nil {
			t.Fatal(err)
		}
		if got, n, err := proxyproto.Parse(b); err != nil || n != len(b) || !got.Local {
			t.Errorf("%q: %+v, %d, %v", b, got, n, err)
		}
	}
}

// TestBothReadTheSame flips bits of good headers. Ours may be stricter, but what it accepts
// the other one has to read in the same way.
func TestBothReadTheSame(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	accepted := 0
	for i := range 20_000 {
		version := byte(1 + i%2)
		b, err := other.HeaderProxyFromAddrs(version,
			&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711}, &net.TCPAddr{IP: net.IPv4(198, 51, 100, 1), Port: 443}).Format()
		if err != nil {
			t.Fatal(err)
		}
		for range 1 + rnd.IntN(2) {
			b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
		}
		got, n, err := proxyproto.Parse(b)
		if err != nil || n == 0 || got.Local {
			continue
		}
		accepted++
		h, err := other.Read(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			t.Errorf("%q: %+v, but the other says %v", b, got, err)
			continue
		}
		source, destination, ok := h.TCPAddrs()
		if ok && (endpoint(source) != got.Source || endpoint(destination) != got.Destination) {
			t.Errorf("%q: %+v, but the other has %v and %v", b, got, source, destination)
		}
	}
	if accepted < 1000 {
		t.Errorf("only %d headers were compared", accepted)
	}
}

func endpoint(a *net.TCPAddr) netip.AddrPort {
	e := a.AddrPort()
	return netip.AddrPortFrom(e.Addr().Unmap(), e.Port())
}
