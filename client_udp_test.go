package workerman

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/frame"
)

func TestClientUDP(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		for _, scheme := range []string{"udp", "text+udp", "frame+udp"} {
			s, w := serveUDP(t, k, scheme, echo)
			cl := s.master.NewClient(scheme + "://" + w.Addr().String())
			h := make(happened, 10)
			h.watch(cl)
			cl.Send([]byte("early"))
			connect(t, cl)
			h.expect(t, "connect", "message early")
			c := cl.Conn()
			if c.Transport() != "udp" || c.RemoteAddr().String() != w.Addr().String() || !c.LocalAddr().IsValid() || c.Client() != cl || c.Worker() != nil || !c.Connected() || c.TLSState() != nil {
				t.Errorf("%s to %v from %v, connected %v", c.Transport(), c.RemoteAddr(), c.LocalAddr(), c.Connected())
			}
			for _, size := range []int{1, 1200, 9000, 60_000} {
				m := bytes.ReplaceAll(numbered(size, size), []byte("\n"), []byte(" "))
				if err := c.Send(m); err != nil {
					t.Errorf("%d bytes: %v", size, err)
				}
				h.expect(t, "message "+string(m))
			}
			if err := c.Send(make([]byte, 70_000)); !errors.Is(err, ErrTooLarge) {
				t.Errorf("70000 bytes: %v", err)
			}
			ticks := make(chan struct{}, 1)
			c.After(0, func() { ticks <- struct{}{} })
			receive(t, ticks, "the timer")
			late := c.After(time.Hour, func() {})
			life := c.Context()
			c.Post(func() {
				c.CloseWith([]byte("goodbye"))
				c.Close()
				c.Destroy()
			})
			h.expect(t, "close <nil>")
			if c.Connected() || c.Send([]byte("x")) != ErrClosed || c.Post(func() {}) || c.LocalAddr().IsValid() || cl.Send(nil) != ErrClosed {
				t.Error("it is open")
			}
			if late.Stop() || life.Err() == nil || c.Context().Err() == nil {
				t.Error("its timer was running, or its context alive")
			}
			eventually(t, "the last message is there, and nothing else left", func() bool {
				return w.Stats().Requests == 6 && s.master.outgoing.Load() == 0 && len(s.master.registered()) == 0
			})
			connect(t, cl) // and again
			h.expect(t, "connect")
			s.stop()
			h.expect(t, "close <nil>")
		}
	})
}

// An empty datagram is a message where there is no protocol, and several messages in one
// are several.
func TestClientUDPMessages(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s := newTestService(t, k)
		w := s.master.NewWorker("udp://127.0.0.1:0")
		w.OnMessage = func(c *Conn, data []byte) { c.Send(bytes.Repeat(data, 3)) }
		s.start()
		h := make(happened, 10)
		raw := s.master.NewClient("udp://" + w.Addr().String())
		h.watch(raw)
		raw.Send(nil)
		connect(t, raw)
		h.expect(t, "connect", "message ")
		framed := s.master.NewClient("frame+udp://" + w.Addr().String())
		h.watch(framed)
		framed.OnMessage = func(c *Conn, data []byte) {
			h <- "message " + string(data)
			if string(data) == "last" {
				c.Close()
			}
		}
		connect(t, framed)
		h.expect(t, "connect")
		b, _ := frame.Append(nil, []byte("hello"))
		framed.Conn().SendRaw(b)
		h.expect(t, "message hello", "message hello", "message hello")
		framed.Conn().SendRaw(append(b, 0, 0)) // what is no message ends the datagram
		h.expect(t, "message hello")
		b, _ = frame.Append(nil, []byte("last"))
		framed.Conn().SendRaw(b)
		h.expect(t, "message last", "close <nil>")
	})
}

// That nobody listens is an error of the open connection, which serves when somebody does.
func TestClientUDPRefused(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s := newTestService(t, k)
		w := s.master.NewWorker("text://127.0.0.1:0")
		s.start()
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := pc.LocalAddr().String()
		pc.Close()
		cl := s.master.NewClient("text+udp://" + addr)
		h := make(happened, 100)
		h.watch(cl)
		cl.Backoff.Min = time.Hour // must not be needed
		cl.OnError = func(c *Conn, err error) {
			var op *net.OpError
			if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &op) || op.Addr.String() != addr || !c.Connected() {
				t.Errorf("%v", err)
			}
			h <- "refused"
		}
		connect(t, cl)
		h.expect(t, "connect")
		for range 3 {
			if err := cl.Send([]byte("x")); err != nil {
				t.Errorf("Send: %v", err)
			}
			h.expect(t, "refused")
		}
		// Sends that find the error of an earlier datagram are not lost with it.
		cl.Conn().Post(func() {
			for range 3 {
				if err := cl.Send([]byte("x")); err != nil {
					t.Errorf("Send: %v", err)
				}
			}
		})
		h.expect(t, "refused", "refused", "refused")
		late := w.master.NewWorker("text+udp://" + addr)
		echo(late)
		if err := late.Listen(); err != nil {
			t.Fatal(err)
		}
		cl.Send([]byte("there"))
		h.expect(t, "message there")
	})
}

// Names are looked up as for streams, LocalAddr holds, and Backoff is for what does not
// come up or ends by a panic.
func TestClientUDPReconnects(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serveUDP(t, k, "udp", echo)
		var count atomic.Int64
		s.master.resolver.LookUp = func(_ context.Context, name string) ([]netip.Addr, error) {
			if count.Add(1) < 3 {
				return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
			}
			return addrs("2001:db8::1", "127.0.0.1"), nil
		}
		cl := s.master.NewClient("udp://server.test:" + port(w))
		h := make(happened, 10)
		h.watch(cl)
		cl.LocalAddr = netip.MustParseAddrPort("127.0.0.9:0")
		cl.Backoff = Backoff{Min: time.Millisecond, Max: 2 * time.Millisecond}
		cl.OnMessage = func(c *Conn, data []byte) {
			h <- "message " + string(data)
			panic("of the test")
		}
		cl.Send([]byte("x"))
		connect(t, cl)
		h.expect(t, "error", "error", "connect", "message x", "close panic: of the test", "connect")
		if got := cl.Conn().LocalAddr().Addr(); got != cl.LocalAddr.Addr() {
			t.Errorf("from %v", got)
		}
		cl.Conn().Close()
		h.expect(t, "close <nil>")
		eventually(t, "it has ended", func() bool { return len(s.master.registered()) == 0 })

		cl = s.master.NewClient("udp://" + w.Addr().String())
		cl.LocalAddr = netip.MustParseAddrPort("203.0.113.9:0")
		if _, err := failure(t, cl); !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Errorf("%v", err)
		}
	})
}

// Many goroutines send while the program closes and connects.
func TestClientUDPStorm(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serveUDP(t, k, "text+udp", echo)
		var opened, closed atomic.Int64
		cl := s.master.NewClient("text+udp://" + w.Addr().String())
		cl.OnConnect = func(*Conn) { opened.Add(1) }
		cl.OnClose = func(*Conn) { closed.Add(1) }
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for i := range 200 {
					switch i % 20 {
					case 5:
						cl.Close()
					case 10:
						cl.Reconnect(0)
					case 0, 15:
						cl.Connect()
					default:
						if err := cl.Send([]byte(fmt.Sprint(i))); err != nil && err != ErrClosed && !errors.Is(err, syscall.EAGAIN) {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
		cl.Close()
		eventually(t, "nothing is left", func() bool {
			return s.master.outgoing.Load() == 0 && len(s.master.registered()) == 0 && opened.Load() == closed.Load()
		})
	})
}
