package conns

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/frame"
)

// dialUDP opens a client socket towards the worker.
func dialUDP(t *testing.T, w *workerman.Worker) *net.UDPConn {
	t.Helper()
	c, err := net.DialUDP("udp", nil, w.Addr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

// ask sends one datagram and returns the answer.
func ask(t *testing.T, c net.Conn, data []byte) []byte {
	t.Helper()
	if _, err := c.Write(data); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 70_000)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

func TestUDPEcho(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		for _, address := range []string{"udp://127.0.0.1:0", "udp://[::1]:0", "udp://[::]:0"} {
			s := newService(t, k)
			w := s.NewWorker(address)
			w.OnConnect = func(*workerman.Conn) { t.Error("OnConnect for UDP") }
			w.OnClose = func(*workerman.Conn) { t.Error("OnClose for UDP") }
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				if c.Transport() != "udp" || !c.RemoteAddr().IsValid() || c.LocalAddr().Port() == 0 || c.ID() != 0 {
					t.Errorf("peer %v of transport %q at %v, id %d", c.RemoteAddr(), c.Transport(), c.LocalAddr(), c.ID())
				}
				c.Send(data)
			}
			s.Start()
			c := dialUDP(t, w)
			for _, size := range []int{1, 64, 1200, 1201, 9000, 65507} {
				if got := ask(t, c, numbered(size, size)); !bytes.Equal(got, numbered(size, size)) {
					t.Fatalf("%s: %d bytes come back as %d", address, size, len(got))
				}
			}
			eventually(t, "six requests are counted", func() bool { return w.Stats().Requests == 6 })
		}
	})
}

func TestUDPBurstIsAnsweredInOrder(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		_, w := serveUDP(t, k, "udp", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
		})
		c := dialUDP(t, w)
		for round := range 20 {
			// Sizes differ, so that the answers leave as packets to be cut and as others.
			const burst = 100
			size := func(i int) int { return 20 + 100*(i/7%3) }
			for i := range burst {
				c.Write(numbered(round*burst+i, size(i)))
			}
			buf := make([]byte, 2000)
			for i := range burst {
				n, err := c.Read(buf)
				if err != nil || !bytes.Equal(buf[:n], numbered(round*burst+i, size(i))) {
					t.Fatalf("round %d, answer %d: %q, %v", round, i, buf[:n], err)
				}
			}
		}
	})
}

// serveUDP is serve for a UDP worker.
func serveUDP(t *testing.T, k kind, scheme string, configure func(w *workerman.Worker)) (*service, *workerman.Worker) {
	t.Helper()
	s := newService(t, k)
	w := s.NewWorker(scheme + "://127.0.0.1:0")
	w.Name = "under-test"
	configure(w)
	s.Start()
	return s, w
}

func TestUDPProtocols(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		got := make(chan string, 10)
		_, w := serveUDP(t, k, "text+udp", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				got <- string(data)
				c.Send(data)
			}
		})
		c := dialUDP(t, w)
		c.Write([]byte("one\ntwo\r\nhalf")) // half never becomes whole
		c.Write([]byte("three\n"))
		for _, want := range []string{"one", "two", "three"} {
			if m := receive(t, got, "a message"); m != want {
				t.Errorf("%q, want %q", m, want)
			}
		}
		buf := make([]byte, 100)
		if n, err := c.Read(buf); err != nil || string(buf[:n]) != "one\n" {
			t.Errorf("%q, %v", buf[:n], err)
		}

		_, w = serveUDP(t, k, "frame+udp", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
		})
		m, _ := frame.Append(nil, []byte("framed"))
		if answer := ask(t, dialUDP(t, w), m); !bytes.Equal(answer, m) {
			t.Errorf("%q", answer)
		}
	})
}

func TestUDPAnswersLaterAndTooLarge(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		results := make(chan error, 1)
		_, w := serveUDP(t, k, "udp", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				go func() {
					results <- c.Send(make([]byte, 65508))
					c.Send([]byte("later"))
				}()
			}
		})
		if got := ask(t, dialUDP(t, w), []byte("x")); string(got) != "later" {
			t.Errorf("%q", got)
		}
		if err := receive(t, results, "the result"); !errors.Is(err, workerman.ErrTooLarge) {
			t.Errorf("65508 bytes: %v", err)
		}
	})
}

func TestUDPPeersAreApart(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		_, w := serveUDP(t, k, "udp", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				n, _ := c.Data.(int)
				c.Data = n + 1
				if string(data) == "panic" {
					panic("on purpose")
				}
				c.Send(fmt.Appendf(nil, "%s %d", data, n+1))
			}
		})
		clients := make([]*net.UDPConn, 20)
		for i := range clients {
			clients[i] = dialUDP(t, w)
		}
		for round := range 3 {
			for i, c := range clients {
				if got := ask(t, c, fmt.Append(nil, i)); string(got) != fmt.Sprintf("%d %d", i, round+1) {
					t.Errorf("client %d got %q", i, got)
				}
			}
		}
		clients[0].Write([]byte("panic"))
		if got := ask(t, clients[1], []byte("alive")); string(got) != "alive 4" {
			t.Errorf("%q", got)
		}
		eventually(t, "the panic is counted", func() bool { return w.Stats().Panics == 1 })
	})
}

func TestUDPBlockingAndReusePort(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		_, w := serveUDP(t, k, "udp", func(w *workerman.Worker) {
			w.Loops, w.ReusePort, w.Blocking = 2, true, true
			w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
		})
		for i := range 10 {
			if got := ask(t, dialUDP(t, w), numbered(i, 30)); !bytes.Equal(got, numbered(i, 30)) {
				t.Errorf("%q", got)
			}
		}
	})
}
