package workerman

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Whatever is called from wherever, while a server comes and goes: callbacks of connections
// alternate, errors come in between, and in the end nothing is left.
func TestClientStorm(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		var other *Worker // a WebSocket over TLS
		s, w, a := serveTLS(t, k, "websocket", func(w *Worker) {
			other = w.master.NewWorker(k.address(t, "text"))
			w.OnMessage = func(c *Conn, data []byte) {
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
		var all []*Client
		var wg sync.WaitGroup
		for i := range clients {
			cl := clientOf(s, other, "text")
			if i%2 == 0 {
				cl = secureClient(s, w, a, "wss")
			}
			if i >= clients/2 {
				cl.Backoff = Backoff{Min: time.Millisecond, Max: 2 * time.Millisecond}
			}
			up := false // of the loop
			cl.OnConnect = func(c *Conn) {
				connects.Add(1)
				if up {
					t.Error("OnConnect before the OnClose of the last connection")
				}
				up = true
				if rand.IntN(8) == 0 && !calm.Load() {
					cl.Close()
				}
			}
			cl.OnMessage = func(c *Conn, data []byte) {
				if !up {
					t.Error("OnMessage without a connection")
				}
			}
			cl.OnClose = func(c *Conn) {
				if !up {
					t.Error("OnClose without OnConnect")
				}
				up = false
				if rand.IntN(4) == 0 && !calm.Load() {
					cl.Connect()
				}
			}
			cl.OnError = func(c *Conn, err error) {
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
			return s.master.outgoing.Load() == 0 && len(s.master.registered()) == 0
		})
	})
}

// Every method of a client, from many goroutines, while the server drops each connection as
// soon as it can: a call may be refused, but none meets a connection that is half gone.
func TestClientMethodsWhileTheServerDrops(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", func(w *Worker) {
			w.OnConnect = func(c *Conn) {
				if rand.IntN(2) == 0 {
					c.Destroy()
				}
			}
			w.OnMessage = func(c *Conn, data []byte) { c.Destroy() }
		})
		const clients, actors, drops = 4, 4, 50
		var all []*Client
		var lost, posted atomic.Int64
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range clients {
			cl := clientOf(s, w, "text")
			cl.Backoff = Backoff{Min: time.Microsecond, Max: 10 * time.Microsecond}
			cl.MaxSendBuffer = 1000
			cl.OnClose = func(*Conn) { lost.Add(1) }
			cl.OnError = func(*Conn, error) {}
			connect(t, cl)
			all = append(all, cl)
			for range actors {
				wg.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						runtime.Gosched() // the loops have to get somewhere
						if err := cl.Send([]byte("x")); err != nil && err != ErrClosed && err != ErrBufferFull {
							t.Errorf("Send: got %v, want nil, ErrClosed or ErrBufferFull", err)
						}
						if c := cl.Conn(); c != nil && c.Client() != cl {
							t.Errorf("Conn: got one of %p, want one of %p", c.Client(), cl)
						}
						switch rand.IntN(1000) { // seldom, or the loop does nothing but carry decisions out
						case 0:
							cl.Close()
						case 1:
							cl.Reconnect(0)
						case 2:
							if c := cl.Conn(); c != nil {
								c.Close()
							}
						case 3, 4, 5:
							cl.Connect()
						case 6:
							cl.Post(func() { posted.Add(1) })
							cl.Context()
							cl.Address()
						}
					}
				})
			}
		}
		eventually(t, "the server has dropped enough", func() bool { return lost.Load() >= clients*drops })
		close(stop)
		wg.Wait()
		for _, cl := range all {
			cl.Close()
		}
		eventually(t, "nothing is left", func() bool {
			return s.master.outgoing.Load() == 0 && len(s.master.registered()) == 0
		})
		if posted.Load() == 0 {
			t.Error("no posted function has run")
		}
	})
}
