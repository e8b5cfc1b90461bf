package clients

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

// marked is a protocol of the user's own with hooks: lines with a mark in front.
type marked struct{ events happened }

func (h marked) OnConnect(c *workerman.Conn) { h.events <- "hook connect" }
func (h marked) OnClose(c *workerman.Conn)   { h.events <- "hook close" }

func (h marked) Input(_ *workerman.Conn, buf []byte) (int, error) {
	return bytes.IndexByte(buf, '\n') + 1, nil
}

func (h marked) Decode(_ *workerman.Conn, frame []byte) ([]byte, error) {
	return bytes.TrimSuffix(frame, []byte("\n")), nil
}

func (h marked) Encode(c *workerman.Conn, dst, data []byte) ([]byte, error) {
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
		h.Watch(cl)
		cl.Protocol = marked{events: h}
		cl.Send([]byte("a"))
		cl.Send(nil) // cannot be encoded, which shows when it is
		cl.Send([]byte("b"))
		connect(t, cl)
		h.Expect(t, "hook connect", "connect", "message >a", "message >b")
		if len(s.Log.Lines("queued message not sent", "nothing to say")) != 1 {
			t.Errorf("log:\n%s", s.Log)
		}
		cl.Close()
		h.Expect(t, "close <nil>", "hook close")
	})
}

// What the server sends is checked as what clients send to a worker.
func TestClientRefusesTooMuch(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "tcp", func(w *workerman.Worker) {
			w.OnConnect = func(c *workerman.Conn) { c.Send(bytes.Repeat([]byte("x"), 2000)) }
		})
		cl := clientOf(s, w, "text")
		cl.MaxPackageSize = 1000
		closed := make(chan error, 1)
		cl.OnClose = func(c *workerman.Conn) { closed <- c.Err() }
		cl.OnMessage = func(c *workerman.Conn, data []byte) { t.Errorf("%d bytes", len(data)) }
		connect(t, cl)
		if err := testkit.Receive(t, closed, "OnClose"); !errors.Is(err, workerman.ErrTooLarge) {
			t.Errorf("%v", err)
		}
		if len(s.Log.Lines("connection closed", "client="+cl.Address(), "peer="+w.Addr().String(), "too large")) != 1 {
			t.Errorf("log:\n%s", s.Log)
		}
	})
}

// A server that does not read fills the send buffer of the connection, whole messages are
// refused, and what was accepted arrives before the close.
func TestClientBufferFull(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		got := make(chan int, 1)
		s, w := serve(t, k, "text", func(w *workerman.Worker) {
			n := 0
			w.OnConnect = func(c *workerman.Conn) { c.PauseRecv() }
			w.OnMessage = func(c *workerman.Conn, data []byte) { n++ }
			w.OnClose = func(c *workerman.Conn) { got <- n }
		})
		cl := clientOf(s, w, "text")
		cl.MaxSendBuffer = 256 << 10
		full, refused := make(chan struct{}, 100), make(chan error, 100)
		cl.OnBufferFull = func(c *workerman.Conn) { full <- struct{}{} }
		cl.OnError = func(c *workerman.Conn, err error) { refused <- err }
		connect(t, cl)
		eventually(t, "both sides are up", func() bool { return cl.Conn() != nil && w.Stats().Connections == 1 })
		accepted, message := 0, numbered(0, 10_000)
		for cl.Send(message) == nil {
			accepted++
		}
		testkit.Receive(t, full, "OnBufferFull")
		if err := testkit.Receive(t, refused, "OnError"); err != workerman.ErrBufferFull {
			t.Errorf("%v", err)
		}
		cl.Close()
		for c := range w.Connections() {
			c.ResumeRecv()
		}
		if n := testkit.Receive(t, got, "the end"); n != accepted {
			t.Errorf("%d messages arrived, %d were accepted", n, accepted)
		}
	})
}

// A client of a connection outlives it, but not its master.
func TestClientOfAConnection(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		made := make(chan *workerman.Client, 2)
		s, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				made <- c.NewClient("text://" + c.Worker().Addr().String())
				c.CloseWith(data)
			}
		})
		c := dial(t, w)
		c.Write([]byte("x\n"))
		cl := testkit.Receive(t, made, "the client")
		c.Read(make([]byte, 2))
		c.Close()
		eventually(t, "the connection has closed", func() bool { return w.Stats().Connections == 0 })
		h := make(happened, 10)
		h.Watch(cl)
		cl.Send([]byte("y"))
		connect(t, cl)
		h.Expect(t, "connect", "message y", "close <nil>")
		s.Stop()
		if err := cl.Connect(); !errors.Is(err, workerman.ErrNotRunning) || !strings.Contains(err.Error(), cl.Address()) {
			t.Errorf("%v", err)
		}
		if err := cl.Send(nil); err != workerman.ErrClosed {
			t.Errorf("%v", err)
		}
	})
}

// A peer of UDP has a loop too.
func TestClientOfAUDPPeer(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		h := make(happened, 10)
		s := newService(t, k)
		back := s.NewWorker("text://127.0.0.1:0")
		echo(back)
		w := s.NewWorker("udp://127.0.0.1:0")
		w.OnMessage = func(c *workerman.Conn, data []byte) {
			cl := c.NewClient("text://" + back.Addr().String())
			h.Watch(cl)
			cl.Send(data)
			cl.Connect()
		}
		s.Start()
		c, err := net.Dial("udp", w.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write([]byte("datagram"))
		h.Expect(t, "connect", "message datagram")
	})
}
