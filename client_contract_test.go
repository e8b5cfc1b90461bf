package workerman

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

// marked is a protocol of the user's own with hooks: lines with a mark in front.
type marked struct {
	textProtocol
	events happened
}

func (h marked) OnConnect(c *Conn) { h.events <- "hook connect" }
func (h marked) OnClose(c *Conn)   { h.events <- "hook close" }
func (h marked) Encode(c *Conn, dst, data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, errors.New("nothing to say")
	}
	return append(append(append(dst, '>'), data...), '\n'), nil
}

func TestClientProtocol(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		h := make(happened, 10)
		cl := clientOf(s, w, "tcp")
		h.watch(cl)
		cl.Protocol = marked{events: h}
		cl.Send([]byte("a"))
		cl.Send(nil) // cannot be encoded, which shows when it is
		cl.Send([]byte("b"))
		connect(t, cl)
		h.expect(t, "hook connect", "connect", "message >a", "message >b")
		if len(s.log.lines("queued message not sent", "nothing to say")) != 1 {
			t.Errorf("log:\n%s", s.log)
		}
		cl.Close()
		h.expect(t, "close <nil>", "hook close")
	})
}

// What the server sends is checked as what clients send to a worker.
func TestClientRefusesTooMuch(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "tcp", func(w *Worker) {
			w.OnConnect = func(c *Conn) { c.Send(bytes.Repeat([]byte("x"), 2000)) }
		})
		cl := clientOf(s, w, "text")
		cl.MaxPackageSize = 1000
		closed := make(chan error, 1)
		cl.OnClose = func(c *Conn) { closed <- c.Err() }
		cl.OnMessage = func(c *Conn, data []byte) { t.Errorf("%d bytes", len(data)) }
		connect(t, cl)
		if err := receive(t, closed, "OnClose"); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v", err)
		}
		if len(s.log.lines("connection closed", "client="+cl.Address(), "peer="+w.Addr().String(), "too large")) != 1 {
			t.Errorf("log:\n%s", s.log)
		}
	})
}

// A server that does not read fills the send buffer of the connection, whole messages are
// refused, and what was accepted arrives before the close.
func TestClientBufferFull(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		got := make(chan int, 1)
		s, w := serve(t, k, "text", func(w *Worker) {
			n := 0
			w.OnConnect = func(c *Conn) { c.PauseRecv() }
			w.OnMessage = func(c *Conn, data []byte) { n++ }
			w.OnClose = func(c *Conn) { got <- n }
		})
		cl := clientOf(s, w, "text")
		cl.MaxSendBuffer = 256 << 10
		full, refused := make(chan struct{}, 100), make(chan error, 100)
		cl.OnBufferFull = func(c *Conn) { full <- struct{}{} }
		cl.OnError = func(c *Conn, err error) { refused <- err }
		connect(t, cl)
		eventually(t, "both sides are up", func() bool { return cl.Conn() != nil && w.Stats().Connections == 1 })
		accepted, message := 0, numbered(0, 10_000)
		for cl.Send(message) == nil {
			accepted++
		}
		receive(t, full, "OnBufferFull")
		if err := receive(t, refused, "OnError"); err != ErrBufferFull {
			t.Errorf("%v", err)
		}
		cl.Close()
		for c := range w.Connections() {
			c.ResumeRecv()
		}
		if n := receive(t, got, "the end"); n != accepted {
			t.Errorf("%d messages arrived, %d were accepted", n, accepted)
		}
	})
}

// Decisions taken in callbacks, and clients made in all places where one can be made.
func TestClientDecisionsInCallbacks(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		h := make(happened, 20)
		var cl *Client
		s, w := serve(t, k, "text", func(w *Worker) {
			echo(w)
			w.OnWorkerStart = func(w *Worker) error {
				cl = w.master.NewClient("text://" + w.Addr().String())
				h.watch(cl)
				cl.Send([]byte("from OnWorkerStart"))
				return cl.Connect()
			}
		})
		h.expect(t, "connect", "message from OnWorkerStart")
		cl.Close()
		h.expect(t, "close <nil>")

		cl = clientOf(s, w, "text")
		h.watch(cl)
		cl.Backoff.Min = time.Millisecond
		cl.OnConnect = func(c *Conn) {
			h <- "connect"
			c.Send([]byte("last words"))
			cl.Close()
		}
		connect(t, cl)
		h.expect(t, "connect", "close <nil>")
		eventually(t, "it has ended", func() bool { return len(s.master.registered()) == 0 })

		cl.OnConnect = func(c *Conn) { h <- "connect" }
		cl.OnMessage = func(c *Conn, data []byte) {
			h <- "message " + string(data)
			cl.Connect() // there is a connection
			cl.Reconnect(0)
		}
		connect(t, cl)
		cl.Send([]byte("x"))
		h.expect(t, "connect", "message x", "close <nil>", "connect")
		cl.Close() // ends the connection whatever follows
		connect(t, cl)
		h.expect(t, "close <nil>", "connect")
		cl.Conn().Close()
		connect(t, cl)
		h.expect(t, "close <nil>", "connect")
		cl.Close()
		h.expect(t, "close <nil>")
	})
}

// A client of a connection outlives it, but not its master.
func TestClientOfAConnection(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		made := make(chan *Client, 2)
		s, w := serve(t, k, "text", func(w *Worker) {
			w.OnMessage = func(c *Conn, data []byte) {
				made <- c.NewClient("text://" + c.Worker().Addr().String())
				c.CloseWith(data)
			}
		})
		c := dial(t, w)
		c.Write([]byte("x\n"))
		cl := receive(t, made, "the client")
		c.Read(make([]byte, 2))
		c.Close()
		eventually(t, "the connection has closed", func() bool { return w.Stats().Connections == 0 })
		h := make(happened, 10)
		h.watch(cl)
		cl.Send([]byte("y"))
		connect(t, cl)
		h.expect(t, "connect", "message y", "close <nil>")
		s.stop()
		if err := cl.Connect(); !errors.Is(err, ErrNotRunning) || !strings.Contains(err.Error(), cl.Address()) {
			t.Errorf("%v", err)
		}
		if err := cl.Send(nil); err != ErrClosed {
			t.Errorf("%v", err)
		}
	})
}

// A peer of UDP has a loop too.
func TestClientOfAUDPPeer(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		h := make(happened, 10)
		s := newTestService(t, k)
		back := s.master.NewWorker("text://127.0.0.1:0")
		echo(back)
		w := s.master.NewWorker("udp://127.0.0.1:0")
		w.OnMessage = func(c *Conn, data []byte) {
			cl := c.NewClient("text://" + back.Addr().String())
			h.watch(cl)
			cl.Send(data)
			cl.Connect()
		}
		s.start()
		c, err := net.Dial("udp", w.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write([]byte("datagram"))
		h.expect(t, "connect", "message datagram")
	})
}
