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
