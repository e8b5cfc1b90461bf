package loop

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/poll"
	"github.com/workerman-go/workerman/internal/socket"
)

// packetServer is a UDP socket on a loop of its own; by itself it echoes.
type packetServer struct {
	*Packets
	t        *testing.T
	loop     *Loop
	datagram func(from netip.AddrPort, b []byte)
	batches  int
	inBatch  int
}

func (p *packetServer) Datagram(from netip.AddrPort, b []byte) {
	p.inBatch++
	if p.datagram != nil {
		p.datagram(from, b)
		return
	}
	if err := p.Send(from, b); err != nil {
		p.t.Errorf("answer of %d bytes to %v: %v", len(b), from, err)
	}
}

func (p *packetServer) BatchEnd() {
	if p.inBatch == 0 {
		p.t.Error("the end of an empty batch")
	}
	p.batches++
	p.inBatch = 0
}

func servePackets(t *testing.T, e Engine, host string) *packetServer {
	t.Helper()
	pc, err := socket.ListenPacket(socket.Address{Network: "udp", Host: host}, socket.Options{})
	if err != nil {
		if strings.Contains(host, ":") {
			t.Skipf("no IPv6 here: %v", err)
		}
		t.Fatal(err)
	}
	p := &packetServer{t: t, loop: startLoop(t, e)}
	on(t, p.loop, func() {
		if p.Packets, err = p.loop.OpenPackets(pc, p); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { on(t, p.loop, p.Close) })
	return p
}

// dial opens a connected client's socket to the server at ip.
func (p *packetServer) dial(ip string) *client {
	p.t.Helper()
	c, err := net.Dial("udp", net.JoinHostPort(ip, fmt.Sprint(p.LocalAddr().Port())))
	if err != nil {
		p.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	p.t.Cleanup(func() { c.Close() })
	c.(*net.UDPConn).SetReadBuffer(4 << 20)
	return &client{c, p.t}
}

// expectDatagram reads one datagram.
func (c *client) expectDatagram(want []byte) {
	c.t.Helper()
	got := make([]byte, 1<<17)
	n, err := c.Read(got)
	if err != nil {
		c.t.Fatalf("a datagram of %d bytes did not come: %v", len(want), err)
	}
	same(c.t, got[:n], want)
}

func TestPacketEcho(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		p := servePackets(t, e, "127.0.0.1")
		c := p.dial("127.0.0.1")
		for _, size := range []int{1, 0, 1200, 1201, 1472, 9000, MaxDatagram, 0, 5} {
			m := pattern(size, 1)
			c.write(m)
			c.expectDatagram(m)
		}
		if n := p.Lost(); n != 0 {
			t.Errorf("%d lost", n)
		}
	})
}

func TestPacketAddresses(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		for _, c := range []struct{ listen, dial string }{
			{"127.0.0.1", "127.0.0.1"}, {"0.0.0.0", "127.0.0.1"}, {"::1", "::1"}, {"::", "::1"}, {"::", "127.0.0.1"},
		} {
			t.Run(c.dial+" to "+c.listen, func(t *testing.T) {
				p := servePackets(t, e, c.listen)
				from := make(chan netip.AddrPort, 1)
				on(t, p.loop, func() {
					p.datagram = func(a netip.AddrPort, b []byte) {
						from <- a
						p.Send(a, append(b, '!'))
					}
				})
				client := p.dial(c.dial)
				client.write([]byte("hello"))
				client.expectDatagram([]byte("hello!"))
				if got, want := (<-from).String(), client.LocalAddr().String(); got != want {
					t.Errorf("peer %s, want %s", got, want)
				}
				if got := p.LocalAddr().Addr().Unmap(); got.String() != c.listen {
					t.Errorf("local address %v, want %s", got, c.listen)
				}
			})
		}
	})
}

// More datagrams than one batch holds, which wait while the loop is busy: each is
// answered, in order.
func TestPacketBatches(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		const count = 2*poll.Batch + 30
		p := servePackets(t, e, "127.0.0.1")
		clients := []*client{p.dial("127.0.0.1"), p.dial("127.0.0.1"), p.dial("127.0.0.1")}
		message := func(i int) []byte { return pattern(i%5*100, byte(i)) }
		var reads uint64
		on(t, p.loop, func() {
			for i := range count {
				clients[i%3].Write(message(i))
			}
			reads = p.loop.counters.Reads
		})
		for i := range count {
			clients[i%3].expectDatagram(message(i))
		}
		on(t, p.loop, func() {
			if n := p.loop.counters.Reads - reads; e == Native && n > count/poll.Batch+3 {
				t.Errorf("%d datagrams took %d reads", count, n)
			}
			if e == Native && p.batches > count/poll.Batch+2 {
				t.Errorf("%d batches", p.batches)
			}
		})
	})
}

// Many answers to one datagram, more than a batch holds.
func TestPacketFanOut(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		const count = poll.Batch + 40
		p := servePackets(t, e, "127.0.0.1")
		on(t, p.loop, func() {
			p.datagram = func(from netip.AddrPort, b []byte) {
				for i := range count {
					b[0] = byte(i) // the memory is the server's until it returns
					p.Send(from, b)
				}
			}
		})
		c := p.dial("127.0.0.1")
		m := pattern(1000, 1)
		c.write(m)
		for i := range count {
			m[0] = byte(i)
			c.expectDatagram(m)
		}
	})
}

func TestPacketSendFromAnotherGoroutine(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		p := servePackets(t, e, "127.0.0.1")
		c := p.dial("127.0.0.1")
		to := netip.MustParseAddrPort(c.LocalAddr().String())
		if err := p.Send(to, []byte("news")); err != nil {
			t.Fatal(err)
		}
		c.expectDatagram([]byte("news"))
		if err := p.Send(to, make([]byte, MaxDatagram+1)); err == nil {
			t.Error("a datagram that is too large was sent")
		}
		if err := p.Send(to, []byte("on")); err != nil {
			t.Fatal(err)
		}
		c.expectDatagram([]byte("on"))
	})
}

// One socket serves one family; a peer of the other is an error, not a crash.
func TestPacketToTheWrongFamily(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		p := servePackets(t, e, "127.0.0.1")
		for _, to := range []netip.AddrPort{netip.MustParseAddrPort("[::1]:9"), {}} {
			if err := p.Send(to, []byte("x")); err == nil {
				t.Errorf("a datagram to %v was sent", to)
			}
		}
		c := p.dial("127.0.0.1")
		c.write([]byte("still there"))
		c.expectDatagram([]byte("still there"))
	})
}

func TestPacketsClosedInDatagram(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		p := servePackets(t, e, "127.0.0.1")
		c := p.dial("127.0.0.1")
		to := netip.MustParseAddrPort(c.LocalAddr().String())
		received := 0
		closed := make(chan struct{})
		on(t, p.loop, func() {
			p.datagram = func(netip.AddrPort, []byte) {
				if received++; received == 1 {
					close(closed)
				}
				p.Close()
				p.Close()
			}
			for range 10 {
				c.Write([]byte("x"))
			}
		})
		await(t, closed)
		passed(t, p.loop, 5*time.Millisecond)
		on(t, p.loop, func() {
			if received != 1 {
				t.Errorf("%d datagrams, want none after the close", received)
			}
		})
		if err := p.Send(to, []byte("late")); err == nil {
			t.Error("a closed socket sends")
		}
	})
}

// Sends from elsewhere while batches are served.
func TestPacketSendsFromEverywhere(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		p := servePackets(t, e, "127.0.0.1")
		c, listener := p.dial("127.0.0.1"), p.dial("127.0.0.1")
		to := netip.MustParseAddrPort(listener.LocalAddr().String())
		const count = 300
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range count {
				p.Send(to, []byte{byte(i)})
				listener.expectNumber(byte(i))
			}
		}()
		for i := range count {
			c.write([]byte{byte(i)})
			c.expectNumber(byte(i))
		}
		await(t, done)
	})
}

// expectNumber reads a datagram of one byte, on any goroutine.
func (c *client) expectNumber(want byte) {
	var b [2]byte
	if n, err := c.Read(b[:]); n != 1 || err != nil || b[0] != want {
		c.t.Errorf("read %d bytes, %d, %v, want %d", n, b[0], err, want)
	}
}
