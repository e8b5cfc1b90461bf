package workerman

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"slices"
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

// What the program ends stays ended, whatever Backoff says, unless it asks for another.
// What anything else ends comes back.
func TestClientBackoffObeysTheProgram(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		var raw *Worker
		s, w := serve(t, k, "websocket", func(w *Worker) {
			w.OnMessage = func(c *Conn, data []byte) { c.Close() }
			raw = w.master.NewWorker(k.address(t, "text"))
			raw.OnMessage = w.OnMessage
		})
		goodbye := []byte("goodbye")
		for _, c := range []struct {
			what  string
			comes bool // back
			end   func(*Conn)
		}{
			{"Close", false, func(c *Conn) { c.Close() }},
			{"Destroy", false, func(c *Conn) { c.Destroy() }},
			{"CloseWith", false, func(c *Conn) { c.CloseWith([]byte("x")) }},
			{"CloseWithCode", false, func(c *Conn) { c.CloseWithCode(4000, "") }},
			{"Client.Close", false, func(c *Conn) { c.Client().Close() }},
			{"a pipe that ended", false, func(c *Conn) {
				other := s.master.NewClient(c.Client().Address())
				other.OnConnect = func(o *Conn) { o.Pipe(c); o.Close() }
				other.Connect()
			}},
			{"Reconnect", true, func(c *Conn) { c.Client().Reconnect(0) }},
			{"Reconnect after Close", true, func(c *Conn) { c.Close(); c.Client().Reconnect(0) }},
			{"Connect after Close", true, func(c *Conn) { c.Close(); c.Client().Connect() }},
			{"the server", true, func(c *Conn) { c.Send(goodbye) }},
			{"the server, and Close behind it", true, func(c *Conn) {
				c.Send(goodbye)
				c.Callbacks().OnClose = func(c *Conn) { c.Close(); c.Client().OnClose(c) }
			}},
			{"a panic", true, func(c *Conn) { panic("of the test") }},
			{"a full buffer", true, func(c *Conn) {
				c.PauseRecv()
				c.SetMaxSendBuffer(1)
				for c.Send(make([]byte, 1<<20)) == nil {
				}
			}},
		} {
			for _, cl := range []*Client{clientOf(s, raw, "text"), clientOf(s, w, "ws")} {
				h := make(happened, 20)
				ends := 0
				cl.Backoff = Backoff{Min: time.Millisecond, Jitter: -1}
				cl.FullPolicy = CloseWhenFull
				cl.OnConnect = func(o *Conn) {
					h <- "connect"
					if ends++; ends == 1 {
						c.end(o)
					}
				}
				cl.OnClose = func(*Conn) { h <- "close" }
				cl.OnError = func(_ *Conn, err error) { t.Errorf("%s: %v", c.what, err) }
				connect(t, cl)
				h.expect(t, "connect", "close")
				if c.comes {
					h.expect(t, "connect")
					cl.Close()
					h.expect(t, "close")
				}
				eventually(t, c.what+" has ended it", func() bool {
					return !slices.Contains(s.master.registered(), cl)
				})
				if err := cl.Send(nil); err != ErrClosed || len(h) != 0 {
					t.Errorf("%s: %v, and %d callbacks", c.what, err, len(h))
				}
			}
		}
	})
}

// Clients that share their options share what is made of them, and each connection keeps
// what held when it was asked for.
func TestClientsShareOptions(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		first := clientOf(s, w, "text")
		got := make(happened, 20)
		first.OnMessage = func(c *Conn, data []byte) { got <- c.Client().Address() + " old " + string(data) }
		second := s.master.NewClient("text://localhost:" + port(w))
		second.ClientOptions = first.ClientOptions
		third := s.master.NewClient("tcp://" + w.Addr().String())
		third.ClientOptions = first.ClientOptions
		for _, cl := range []*Client{first, second, third} {
			cl.Send([]byte("x"))
			connect(t, cl)
		}
		if first.config != second.config || first.config == third.config {
			t.Errorf("configs %p, %p and, with another protocol, %p", first.config, second.config, third.config)
		}
		h := map[string]bool{receive(t, got, "a message"): true, receive(t, got, "a message"): true}
		if !h[first.Address()+" old x"] || !h[second.Address()+" old x"] {
			t.Errorf("%v", h)
		}
		first.OnMessage = func(c *Conn, data []byte) { got <- "new " + string(data) }
		first.MaxPackageSize = 100
		connect(t, first) // is connected, and stays what it was
		first.Send([]byte("y"))
		got.expect(t, first.Address()+" old y")
		first.Reconnect(0)
		first.OnClose = func(*Conn) { t.Error("OnClose was set behind Reconnect") }
		eventually(t, "it has connected again", func() bool {
			c := first.Conn()
			return c != nil && c.settings == &first.config.settings
		})
		first.Send([]byte("z"))
		got.expect(t, "new z")
		second.Send([]byte("y"))
		got.expect(t, second.Address()+" old y")
		first.OnClose = nil
		first.TLS = new(tls.Config) // what is inside it could change unseen
		if err := second.Connect(); err != nil {
			t.Fatal(err)
		}
		old := second.config
		if connect(t, second); second.config == old {
			t.Error("a config with TLS is shared")
		}
	})
}
