package workerman_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

// Decisions taken in callbacks, and clients made in all places where one can be made.
func TestClientDecisionsInCallbacks(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		h := make(happened, 20)
		var cl *workerman.Client
		s, w := serve(t, k, "text", func(w *workerman.Worker) {
			echo(w)
			w.OnWorkerStart = func(w *workerman.Worker) error {
				cl = w.Master().NewClient("text://" + w.Addr().String())
				h.Watch(cl)
				cl.Send([]byte("from OnWorkerStart"))
				return cl.Connect()
			}
		})
		h.Expect(t, "connect", "message from OnWorkerStart")
		cl.Close()
		h.Expect(t, "close <nil>")

		cl = clientOf(s, w, "text")
		h.Watch(cl)
		cl.Backoff.Min = time.Millisecond
		cl.OnConnect = func(c *workerman.Conn) {
			h <- "connect"
			c.Send([]byte("last words"))
			cl.Close()
		}
		connect(t, cl)
		h.Expect(t, "connect", "close <nil>")
		eventually(t, "it has ended", func() bool { return len(s.Master.Registered()) == 0 })

		cl.OnConnect = func(c *workerman.Conn) { h <- "connect" }
		cl.OnMessage = func(c *workerman.Conn, data []byte) {
			h <- "message " + string(data)
			cl.Connect() // there is a connection
			cl.Reconnect(0)
		}
		connect(t, cl)
		cl.Send([]byte("x"))
		h.Expect(t, "connect", "message x", "close <nil>", "connect")
		cl.Close() // ends the connection whatever follows
		connect(t, cl)
		h.Expect(t, "close <nil>", "connect")
		cl.Conn().Close()
		connect(t, cl)
		h.Expect(t, "close <nil>", "connect")
		cl.Close()
		h.Expect(t, "close <nil>")
	})
}

// What the program ends stays ended, whatever Backoff says, unless it asks for another.
// What anything else ends comes back.
func TestClientBackoffObeysTheProgram(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		var raw *workerman.Worker
		s, w := serve(t, k, "websocket", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) { c.Close() }
			raw = w.Master().NewWorker(k.Address(t, "text"))
			raw.OnMessage = w.OnMessage
		})
		goodbye := []byte("goodbye")
		for _, c := range []struct {
			what  string
			comes bool // back
			end   func(*workerman.Conn)
		}{
			{"Close", false, func(c *workerman.Conn) { c.Close() }},
			{"Destroy", false, func(c *workerman.Conn) { c.Destroy() }},
			{"CloseWith", false, func(c *workerman.Conn) { c.CloseWith([]byte("x")) }},
			{"CloseWithCode", false, func(c *workerman.Conn) { c.CloseWithCode(4000, "") }},
			{"Client.Close", false, func(c *workerman.Conn) { c.Client().Close() }},
			{"a pipe that ended", false, func(c *workerman.Conn) {
				other := s.Master.NewClient(c.Client().Address())
				other.OnConnect = func(o *workerman.Conn) { o.Pipe(c); o.Close() }
				other.Connect()
			}},
			{"Reconnect", true, func(c *workerman.Conn) { c.Client().Reconnect(0) }},
			{"Reconnect after Close", true, func(c *workerman.Conn) { c.Close(); c.Client().Reconnect(0) }},
			{"Connect after Close", true, func(c *workerman.Conn) { c.Close(); c.Client().Connect() }},
			{"the server", true, func(c *workerman.Conn) { c.Send(goodbye) }},
			{"the server, and Close behind it", true, func(c *workerman.Conn) {
				c.Send(goodbye)
				c.Callbacks().OnClose = func(c *workerman.Conn) { c.Close(); c.Client().OnClose(c) }
			}},
			{"a panic", true, func(c *workerman.Conn) { panic("of the test") }},
			{"a full buffer", true, func(c *workerman.Conn) {
				c.PauseRecv()
				c.SetMaxSendBuffer(1)
				for c.Send(make([]byte, 1<<20)) == nil {
				}
			}},
		} {
			for _, cl := range []*workerman.Client{clientOf(s, raw, "text"), clientOf(s, w, "ws")} {
				h := make(happened, 20)
				ends := 0
				cl.Backoff = workerman.Backoff{Min: time.Millisecond, Jitter: -1}
				cl.FullPolicy = workerman.CloseWhenFull
				cl.OnConnect = func(o *workerman.Conn) {
					h <- "connect"
					if ends++; ends == 1 {
						c.end(o)
					}
				}
				cl.OnClose = func(*workerman.Conn) { h <- "close" }
				cl.OnError = func(_ *workerman.Conn, err error) { t.Errorf("%s: %v", c.what, err) }
				connect(t, cl)
				h.Expect(t, "connect", "close")
				if c.comes {
					h.Expect(t, "connect")
					cl.Close()
					h.Expect(t, "close")
				}
				eventually(t, c.what+" has ended it", func() bool {
					return !slices.Contains(s.Master.Registered(), cl)
				})
				if err := cl.Send(nil); err != workerman.ErrClosed || len(h) != 0 {
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
		first.OnMessage = func(c *workerman.Conn, data []byte) { got <- c.Client().Address() + " old " + string(data) }
		second := s.Master.NewClient("text://localhost:" + port(w))
		second.ClientOptions = first.ClientOptions
		third := s.Master.NewClient("tcp://" + w.Addr().String())
		third.ClientOptions = first.ClientOptions
		for _, cl := range []*workerman.Client{first, second, third} {
			cl.Send([]byte("x"))
			connect(t, cl)
		}
		if first.Config() != second.Config() || first.Config() == third.Config() {
			t.Errorf("configs %p, %p and, with another protocol, %p", first.Config(), second.Config(), third.Config())
		}
		h := map[string]bool{testkit.Receive(t, got, "a message"): true, testkit.Receive(t, got, "a message"): true}
		if !h[first.Address()+" old x"] || !h[second.Address()+" old x"] {
			t.Errorf("%v", h)
		}
		first.OnMessage = func(c *workerman.Conn, data []byte) { got <- "new " + string(data) }
		first.MaxPackageSize = 100
		connect(t, first) // is connected, and stays what it was
		first.Send([]byte("y"))
		got.Expect(t, first.Address()+" old y")
		first.Reconnect(0)
		first.OnClose = func(*workerman.Conn) { t.Error("OnClose was set behind Reconnect") }
		eventually(t, "it has connected again", func() bool {
			c := first.Conn()
			return c != nil && first.Configured(c)
		})
		first.Send([]byte("z"))
		got.Expect(t, "new z")
		second.Send([]byte("y"))
		got.Expect(t, second.Address()+" old y")
		first.OnClose = nil
		first.TLS = new(tls.Config) // what is inside it could change unseen
		if err := second.Connect(); err != nil {
			t.Fatal(err)
		}
		old := second.Config()
		if connect(t, second); second.Config() == old {
			t.Error("a config with TLS is shared")
		}
	})
}

// Close in any state, also twice, and Connect behind it.
func TestClientCloseEndsAttempts(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		slow := listenRaw(t, "127.0.0.1:0", silent)
		for _, address := range []string{"tls://" + slow, "tcp://" + slow, "tcp://" + refusing(t), "text://" + w.Addr().String()} {
			cl := s.Master.NewClient(address)
			cl.Backoff.Min = time.Millisecond
			cl.OnMessage = func(c *workerman.Conn, data []byte) { t.Errorf("message %q, want none", data) }
			cl.Close()
			connect(t, cl)
			cl.Send([]byte("dropped"))
			cl.Close()
			cl.Close()
			if err := cl.Send(nil); err != workerman.ErrClosed {
				t.Errorf("Send after Close: %v, want %v", err, workerman.ErrClosed)
			}
		}
		eventually(t, "no client is left", func() bool {
			return len(s.Master.Registered()) == 0 && s.Master.Outgoing() == 0
		})
	})
}

func TestClientManyCycles(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		const clients, cycles = 10, 100
		done := make(chan struct{}, clients)
		for i := range clients {
			cl := clientOf(s, w, "text")
			n, want := 0, fmt.Sprint(i)
			cl.OnConnect = func(c *workerman.Conn) { c.Send([]byte(want)) }
			cl.OnMessage = func(c *workerman.Conn, data []byte) {
				if string(data) != want {
					t.Errorf("%q, want %q", data, want)
				}
				if n%2 == 0 {
					c.Close()
				} else {
					c.Destroy()
				}
			}
			cl.OnError = func(c *workerman.Conn, err error) {
				if !errors.Is(err, syscall.EAGAIN) { // the queue of a Unix socket is full
					t.Errorf("OnError: %v, want %v at most", err, syscall.EAGAIN)
				}
				cl.Reconnect(time.Millisecond)
			}
			cl.OnClose = func(c *workerman.Conn) {
				if n++; n < cycles {
					cl.Reconnect(0)
				} else {
					done <- struct{}{}
				}
			}
			connect(t, cl)
		}
		for range clients {
			testkit.Receive(t, done, "all cycles")
		}
		eventually(t, "nothing is left", func() bool {
			return s.Master.Outgoing() == 0 && len(s.Master.Registered()) == 0 && w.Stats().Connections == 0
		})
		if n := w.Stats().Accepted; n < clients*cycles {
			t.Errorf("%d connections", n)
		}
	})
}

func TestClientsOfAStoppedMaster(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		closed := make(chan error, 1)
		up := clientOf(s, w, "text")
		up.Backoff.Min = time.Millisecond
		up.OnMessage = func(c *workerman.Conn, data []byte) {}
		up.OnClose = func(c *workerman.Conn) { closed <- c.Client().Connect() }
		connect(t, up)
		slow := listenRaw(t, "127.0.0.1:0", silent)
		trying := s.Master.NewClient("tls://" + slow)
		trying.OnError = func(c *workerman.Conn, err error) { t.Errorf("OnError: %v", err) }
		connect(t, trying)
		waiting := s.Master.NewClient("tcp://" + refusing(t))
		waiting.Backoff.Min = time.Hour
		failed := make(chan error, 10)
		waiting.OnError = func(c *workerman.Conn, err error) { failed <- err }
		connect(t, waiting)
		testkit.Receive(t, failed, "OnError")
		eventually(t, "it is up", func() bool { return up.Conn() != nil })
		s.Stop()
		if err := testkit.Receive(t, closed, "OnClose"); !errors.Is(err, workerman.ErrNotRunning) {
			t.Errorf("Connect during the stop: %v", err)
		}
		if n := len(s.Master.Registered()) + int(s.Master.Outgoing()); n != 0 {
			t.Errorf("%d left", n)
		}
	})
}

func TestClientUDP(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		for _, scheme := range []string{"udp", "text+udp", "frame+udp"} {
			s, w := serve(t, k, scheme, echo)
			cl := s.Master.NewClient(scheme + "://" + w.Addr().String())
			h := make(happened, 10)
			h.Watch(cl)
			cl.Send([]byte("early"))
			connect(t, cl)
			h.Expect(t, "connect", "message early")
			c := cl.Conn()
			if c.Transport() != "udp" || c.RemoteAddr().String() != w.Addr().String() || !c.LocalAddr().IsValid() || c.Client() != cl || c.Worker() != nil || !c.Connected() || c.TLSState() != nil {
				t.Errorf("%s to %v from %v, connected %v", c.Transport(), c.RemoteAddr(), c.LocalAddr(), c.Connected())
			}
			for _, size := range []int{1, 1200, 9000, 60_000} {
				m := bytes.ReplaceAll(numbered(size, size), []byte("\n"), []byte(" "))
				if err := c.Send(m); err != nil {
					t.Errorf("%d bytes: %v", size, err)
				}
				h.Expect(t, "message "+string(m))
			}
			if err := c.Send(make([]byte, 70_000)); !errors.Is(err, workerman.ErrTooLarge) {
				t.Errorf("70000 bytes: %v", err)
			}
			ticks := make(chan struct{}, 1)
			c.After(0, func() { ticks <- struct{}{} })
			testkit.Receive(t, ticks, "the timer")
			late := c.After(time.Hour, func() {})
			life := c.Context()
			c.Post(func() {
				c.CloseWith([]byte("goodbye"))
				c.Close()
				c.Destroy()
			})
			h.Expect(t, "close <nil>")
			if c.Connected() || c.Send([]byte("x")) != workerman.ErrClosed || c.Post(func() {}) || c.LocalAddr().IsValid() || cl.Send(nil) != workerman.ErrClosed {
				t.Error("it is open")
			}
			if late.Stop() || life.Err() == nil || c.Context().Err() == nil {
				t.Error("its timer was running, or its context alive")
			}
			eventually(t, "the last message is there, and nothing else left", func() bool {
				return w.Stats().Requests == 6 && s.Master.Outgoing() == 0 && len(s.Master.Registered()) == 0
			})
			connect(t, cl) // and again
			h.Expect(t, "connect")
			s.Stop()
			h.Expect(t, "close <nil>")
		}
	})
}

// Many goroutines send while the program closes and connects.
func TestClientUDPStorm(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text+udp", echo)
		var opened, closed atomic.Int64
		cl := s.Master.NewClient("text+udp://" + w.Addr().String())
		cl.OnConnect = func(*workerman.Conn) { opened.Add(1) }
		cl.OnClose = func(*workerman.Conn) { closed.Add(1) }
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
						if err := cl.Send([]byte(fmt.Sprint(i))); err != nil && err != workerman.ErrClosed && !errors.Is(err, syscall.EAGAIN) {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
		cl.Close()
		eventually(t, "nothing is left", func() bool {
			return s.Master.Outgoing() == 0 && len(s.Master.Registered()) == 0 && opened.Load() == closed.Load()
		})
	})
}

// Whatever is called from wherever, while a server comes and goes: callbacks of connections
// alternate, errors come in between, and in the end nothing is left.
func TestClientStorm(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		var other *workerman.Worker // a WebSocket over TLS
		s, w, a := serveTLS(t, k, "websocket", func(w *workerman.Worker) {
			other = w.Master().NewWorker(k.Address(t, "text"))
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				switch len(data) % 4 {
				case 0:
					c.Destroy()
				case 1:
					c.CloseWith(data)
				default:
					c.Send(data)
				}
			}
			other.OnMessage = w.OnMessage
		})
		const clients, actors, rounds = 4, 3, 150
		var connects atomic.Int64
		var calm atomic.Bool
		var all []*workerman.Client
		var wg sync.WaitGroup
		for i := range clients {
			cl := clientOf(s, other, "text")
			if i%2 == 0 {
				cl = clientOf(s, w, "wss")
				cl.TLS = a.ClientConfig("a.test")
			}
			if i >= clients/2 {
				cl.Backoff = workerman.Backoff{Min: time.Millisecond, Max: 2 * time.Millisecond}
			}
			up := false // of the loop
			cl.OnConnect = func(c *workerman.Conn) {
				connects.Add(1)
				if up {
					t.Error("OnConnect before the OnClose of the last connection")
				}
				up = true
				if rand.IntN(8) == 0 && !calm.Load() {
					cl.Close()
				}
			}
			cl.OnMessage = func(c *workerman.Conn, data []byte) {
				if !up {
					t.Error("OnMessage without a connection")
				}
			}
			cl.OnClose = func(c *workerman.Conn) {
				if !up {
					t.Error("OnClose without OnConnect")
				}
				up = false
				if rand.IntN(4) == 0 && !calm.Load() {
					cl.Connect()
				}
			}
			cl.OnError = func(c *workerman.Conn, err error) {
				if up || c.Connected() {
					t.Errorf("OnError beside a connection: %v", err)
				}
			}
			for range actors {
				wg.Add(1)
				go func() {
					defer wg.Done()
					for range rounds {
						switch rand.IntN(8) {
						case 0:
							cl.Reconnect(time.Duration(rand.IntN(2)) * time.Millisecond)
						case 1:
							cl.Close()
						case 2:
							if c := cl.Conn(); c != nil {
								c.Destroy()
							}
						case 3, 4:
							cl.Connect()
						default:
							cl.Send(make([]byte, rand.IntN(100)))
						}
						if rand.IntN(4) == 0 { // let the loop get somewhere
							n := connects.Load()
							for end := time.Now().Add(2 * time.Millisecond); n == connects.Load() && time.Now().Before(end); {
								runtime.Gosched()
							}
						}
					}
				}()
			}
			all = append(all, cl)
		}
		wg.Wait()
		calm.Store(true)
		for _, cl := range all { // whatever has been, the last word holds
			cl.Close() // and with it messages that would make the server close
			connect(t, cl)
			eventually(t, "the client is up", func() bool {
				c := cl.Conn()
				return c != nil && c.Connected() && cl.Send([]byte("ok")) == nil && c.Stats().MessagesReceived > 0
			})
			cl.Close()
		}
		eventually(t, "nothing is left", func() bool {
			return s.Master.Outgoing() == 0 && len(s.Master.Registered()) == 0
		})
	})
}
