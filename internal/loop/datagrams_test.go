package loop

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/workerman-go/workerman/internal/socket"
)

// datagramLog is an owner that reports what it is told.
type datagramLog struct {
	*Datagrams
	got     chan []byte
	refused chan error
	last    []byte // closes behind this one
}

func (d *datagramLog) Datagram(b []byte) {
	d.got <- bytes.Clone(b)
	if d.last != nil && bytes.Equal(b, d.last) {
		d.Close()
		d.Close()
	}
}

func (d *datagramLog) DatagramRefused(err error) { d.refused <- err }

func TestDatagrams(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		for _, host := range []string{"127.0.0.1", "[::1]"} {
			peer, err := net.ListenPacket("udp", host+":0")
			if err != nil {
				t.Fatal(err)
			}
			defer peer.Close()
			d := &datagramLog{got: make(chan []byte, 200), refused: make(chan error, 10), last: []byte("last")}
			dial := func(to Target) (err error) {
				on(t, l, func() { d.Datagrams, err = l.DialDatagrams(to, d) })
				return err
			}
			target := Target{Addr: socket.AddrPort(peer.LocalAddr())}
			if err := dial(target); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 1<<17)
			for _, size := range []int{0, 1, MaxDatagram} {
				if err := d.Send(pattern(size, 3)); err != nil {
					t.Fatal(err)
				}
				n, from, err := peer.ReadFrom(buf)
				if err != nil || socket.AddrPort(from) != d.LocalAddr() {
					t.Fatalf("from %v, want %v: %v", from, d.LocalAddr(), err)
				}
				same(t, buf[:n], pattern(size, 3))
				peer.WriteTo(buf[:n], from)
				same(t, await(t, d.got), pattern(size, 3))
			}
			if err := d.Send(make([]byte, MaxDatagram+1000)); !errors.Is(err, syscall.EMSGSIZE) {
				t.Errorf("too large: %v", err)
			}
			local := net.UDPAddrFromAddrPort(d.LocalAddr())
			on(t, l, func() { // more than one event serves, and none behind the close
				for i := range 100 {
					peer.WriteTo([]byte{byte(i)}, local)
				}
				peer.WriteTo([]byte("last"), local)
				peer.WriteTo([]byte("behind"), local)
			})
			for i := range 100 {
				same(t, await(t, d.got), []byte{byte(i)})
			}
			same(t, await(t, d.got), []byte("last"))
			if err := d.Send(nil); err != net.ErrClosed || d.LocalAddr().IsValid() {
				t.Errorf("after Close: %v", err)
			}

			peer.Close()
			if err := dial(target); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				d.Send([]byte("x"))
				var op *net.OpError
				if err := await(t, d.refused); !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &op) || op.Addr.String() != target.Addr.String() {
					t.Errorf("refused: %v", err)
				}
			}
			on(t, l, d.Close)
			foreign := target
			foreign.Local = netip.MustParseAddrPort("203.0.113.7:0")
			if target.Addr.Addr().Is6() {
				foreign.Local = netip.MustParseAddrPort("[2001:db8::7]:0")
			}
			if err := dial(foreign); !errors.Is(err, syscall.EADDRNOTAVAIL) {
				t.Errorf("from %v: %v", foreign.Local, err)
			}
			if len(d.got)+len(d.refused) != 0 {
				t.Errorf("%d datagrams and %d errors too many", len(d.got), len(d.refused))
			}
		}
	})
}
