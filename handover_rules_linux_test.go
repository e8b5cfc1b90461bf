package workerman_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
	"github.com/workerman-go/workerman/web"
)

// Which connections move is what Worker.Handover, OnHandover and OnAdopt say.
func TestHandoverRules(t *testing.T) {
	onMessage := func(do func(c *workerman.Conn)) func(w *workerman.Worker) {
		return func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				do(c)
				c.Send(data)
			}
		}
	}
	nothing := func(c *workerman.Conn) {}
	for name, c := range map[string]struct {
		address string
		set     func(w *workerman.Worker)
		safe    bool // moves with HandoverSafe,
		always  bool // with HandoverAlways,
		adopts  bool // and if there is OnAdopt
	}{
		"plain":         {"text", onMessage(nothing), true, true, true},
		"OnConnect":     {"text", func(w *workerman.Worker) { echo(w); w.OnConnect = nothing }, false, true, true},
		"OnClose":       {"text", func(w *workerman.Worker) { echo(w); w.OnClose = nothing }, false, true, true},
		"Data":          {"text", onMessage(func(c *workerman.Conn) { c.Data = 1 }), false, true, true},
		"timer":         {"text", onMessage(func(c *workerman.Conn) { c.After(time.Hour, func() {}) }), false, true, true},
		"stopped timer": {"text", onMessage(func(c *workerman.Conn) { c.After(time.Hour, func() {}).Stop() }), true, true, true},
		"callbacks":     {"text", onMessage(func(c *workerman.Conn) { c.Callbacks() }), false, true, true},
		"protocol":      {"tcp", onMessage(func(c *workerman.Conn) { c.SetProtocol(nil) }), false, false, true},
		"state":         {"text", onMessage(func(c *workerman.Conn) { c.SetProtocolState(1) }), false, false, false},
		"hooks":         {"text", func(w *workerman.Worker) { echo(w); w.Protocol = hookedText{} }, false, true, true},
		"group":         {"text", onMessage(func(c *workerman.Conn) { c.Join("g"); c.Bind("u") }), true, true, true},
		"pipe":          {"text", onMessage(func(c *workerman.Conn) { c.Pipe(c) }), false, false, false},
	} {
		for i, want := range []bool{c.safe, c.always, c.adopts, false} {
			mode := []string{"safe", "always", "adopting", "never"}[i]
			t.Run(name+"/"+mode, func(t *testing.T) {
				n := startNeighbours(t, c.address+"://127.0.0.1:0", func(w *workerman.Worker) {
					c.set(w)
					w.Handover = []workerman.Handover{workerman.HandoverSafe, workerman.HandoverAlways, workerman.HandoverSafe, workerman.HandoverNever}[i]
					if mode == "adopting" {
						w.OnAdopt = func(c *workerman.Conn, data []byte) {
							if data != nil {
								t.Errorf("data %q without OnHandover", data)
							}
						}
					}
				})
				client := dial(t, n.workers[0])
				io.WriteString(client, "hello\n")
				eventually(t, "it has got the message", func() bool { return n.workers[0].Stats().Requests == 1 })
				moved, _ := n.move()
				if (moved == 1) != want {
					t.Errorf("moved: %d", moved)
				}
				for c := range n.workers[1].Connections() {
					c.Destroy() // what goes in a circle does not end
				}
			})
		}
	}
}

// What cannot move now is asked again, until the deadline.
func TestHandoverWaits(t *testing.T) {
	for name, c := range map[string]struct {
		scheme string
		set    func(w *workerman.Worker, begun chan<- struct{}, end <-chan struct{})
		say    string
		more   string // what the client says at the end
		answer string
	}{
		"Async": {"text", func(w *workerman.Worker, begun chan<- struct{}, end <-chan struct{}) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				close(begun)
				workerman.Async(c, func() (int, error) { <-end; return 0, nil }, func(int, error) { c.Send([]byte("done")) })
			}
		}, "go\n", "", "done\n"},
		"Blocking": {"text", func(w *workerman.Worker, begun chan<- struct{}, end <-chan struct{}) {
			w.Blocking = true
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				close(begun)
				<-end
				c.Send([]byte("done"))
			}
		}, "go\n", "", "done\n"},
		"HTTP": {"http", func(w *workerman.Worker, begun chan<- struct{}, end <-chan struct{}) {
			w.OnRequest = func(c *workerman.Conn, r *web.Request) {
				close(begun)
				answer := c.Responder()
				go func() {
					<-end
					answer.Respond(web.Text("done"))
				}()
			}
		}, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "", "HTTP/1.1 200 OK"},
		"PROXY header": {"text", func(w *workerman.Worker, begun chan<- struct{}, end <-chan struct{}) {
			w.ProxyProtocol = true
			close(begun)
		}, "PROXY ", "UNKNOWN\r\n", ""},
		"body in pieces": {"http", func(w *workerman.Worker, begun chan<- struct{}, end <-chan struct{}) {
			w.HTTP.Body = web.Stream
			w.OnRequest = func(c *workerman.Conn, r *web.Request) {}
			w.OnBody = func(c *workerman.Conn, r *web.Request, last bool) {
				if last {
					c.Respond(web.Text("done"))
				} else if string(r.Body()) == "ab" {
					close(begun)
				}
			}
		}, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab", "cd", "HTTP/1.1 200 OK"},
		"handler": {"http", func(w *workerman.Worker, begun chan<- struct{}, end <-chan struct{}) {
			w.Handle(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				close(begun)
				<-end
			}))
		}, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "", "HTTP/1.1 200 OK"},
		"form": {"http", func(w *workerman.Worker, begun chan<- struct{}, end <-chan struct{}) {
			w.OnRequest = func(c *workerman.Conn, r *web.Request) { c.Respond(web.Text(r.Form("a"))) }
			close(begun)
		}, "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 61\r\n\r\n--b\r\n",
			"Content-Disposition: form-data; name=a\r\n\r\nvalue\r\n--b--\r\n", "HTTP/1.1 200 OK"},
	} {
		t.Run(name, func(t *testing.T) {
			begun, end := make(chan struct{}), make(chan struct{})
			first := true
			n := startNeighbours(t, c.scheme+"://127.0.0.1:0", func(w *workerman.Worker) {
				if first {
					c.set(w, begun, end)
				} else {
					c.set(w, make(chan struct{}), end)
				}
				first = false
			})
			client := dial(t, n.workers[0])
			io.WriteString(client, c.say)
			<-begun
			eventually(t, "it is heard", func() bool { return n.workers[0].Stats().Connections == 1 && bytesIn(n.workers[0]) == len(c.say) })
			if moved, _ := n.move(); moved != 0 {
				t.Error("it moved in the middle")
			}
			n.turn()
			moves := make(chan int, 1)
			give, take := link(t)
			go n.new.Master.Adopt(take)
			go func() {
				total := 0
				n.old.Master.HandOver(give, time.Now().Add(testkit.Patience), func(m, _ int) { total = m })
				moves <- total
			}()
			close(end)
			io.WriteString(client, c.more)
			if total := testkit.Receive(t, moves, "handOver returns"); total != 1 {
				t.Errorf("%d have moved", total)
			}
			if err := readBack(client, []byte(c.answer)); err != nil {
				t.Error(err)
			}
		})
	}
}

// bytesIn is what the only connection has received.
func bytesIn(w *workerman.Worker) int {
	for _, c := range w.Everyone() {
		return int(c.Stats().BytesRead)
	}
	return 0
}

// With an error, or a panic, of OnHandover the connection stays.
func TestHandoverRefusedByProgram(t *testing.T) {
	for _, panics := range []bool{false, true} {
		asked := make(chan struct{}, 10)
		n := startNeighbours(t, "text://127.0.0.1:0", func(w *workerman.Worker) {
			echo(w)
			w.OnHandover = func(c *workerman.Conn) ([]byte, error) {
				asked <- struct{}{}
				if panics {
					panic("in OnHandover")
				}
				return nil, errors.New("in the middle of a game")
			}
			w.OnAdopt = func(c *workerman.Conn, data []byte) { t.Error("it has moved") }
		})
		client := dial(t, n.workers[0])
		eventually(t, "it is connected", func() bool { return len(idsOf(n.workers[0])) == 1 })
		n.moveUntil(time.Now().Add(20 * time.Millisecond))
		n.turn()
		if len(asked) != 1 {
			t.Errorf("OnHandover was called %d times", len(asked))
		}
		if panics {
			ends(t, client)
		} else {
			io.WriteString(client, "hello\n")
			if err := readBack(client, []byte("hello\n")); err != nil {
				t.Error(err)
			}
		}
	}
}

// The portable engine and TLS have sockets that cannot move; nothing happens to them.
func TestHandoverOfNothing(t *testing.T) {
	check := func(t *testing.T, s *service, w *workerman.Worker, client net.Conn) {
		t.Helper()
		eventually(t, "it is connected", func() bool { return len(idsOf(w)) == 1 })
		give, take := link(t)
		done := make(chan error, 1)
		go func() {
			got, err := io.ReadAll(take)
			if err == nil && string(got) != endOfLink {
				err = fmt.Errorf("got %q, want the end alone: %q", got, endOfLink)
			}
			take.Close()
			done <- err
		}()
		if err := s.Master.HandOver(give, time.Now().Add(testkit.Patience), nil); err != nil {
			t.Error(err)
		}
		if err := testkit.Receive(t, done, "the end"); err != nil {
			t.Error(err)
		}
		io.WriteString(client, "hello\n")
		if err := readBack(client, []byte("hello\n")); err != nil {
			t.Error(err)
		}
	}
	t.Run("portable", func(t *testing.T) {
		s, w := serve(t, kind{Portable: true, Network: "tcp"}, "text", echo)
		check(t, s, w, dial(t, w))
	})
	t.Run("TLS", func(t *testing.T) {
		s, w, a := serveTLS(t, kind{Network: "tcp"}, "text", echo)
		check(t, s, w, workertest.DialTLS(t, w, a.ClientConfig("a.test")))
	})
}

// hookedText is text with hooks.
type hookedText struct{ workerman.TextProtocol }

func (hookedText) OnConnect(*workerman.Conn) {}
func (hookedText) OnClose(*workerman.Conn)   {}
