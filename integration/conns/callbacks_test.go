package conns

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/workerman-go/workerman"
)

// The contract of a connection, line by line, on both engines and both transports: its callbacks and their panics.

// watched records the callbacks of one connection and complains about a wrong order.
type watched struct {
	t        *testing.T
	inside   atomic.Int32
	mu       sync.Mutex
	events   []string
	closed   chan struct{}
	messages atomic.Int64
}

func recordCallbacks(t *testing.T, w *workerman.Worker) *watched {
	r := &watched{t: t, closed: make(chan struct{}, 16)}
	enter := func(event string) func() {
		if r.inside.Add(1) != 1 {
			t.Errorf("%s runs beside another callback of the connection", event)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if n := len(r.events); n > 0 && r.events[n-1] == "close" {
			t.Errorf("%s after OnClose", event)
		}
		if event != "message" || len(r.events) == 0 || r.events[len(r.events)-1] != "message" {
			r.events = append(r.events, event)
		}
		return func() { r.inside.Add(-1) }
	}
	onMessage := w.OnMessage
	w.OnConnect = func(c *workerman.Conn) { defer enter("connect")() }
	w.OnMessage = func(c *workerman.Conn, data []byte) {
		defer enter("message")()
		r.messages.Add(1)
		if onMessage != nil {
			onMessage(c, data)
		}
	}
	w.OnClose = func(c *workerman.Conn) {
		enter("close")()
		r.closed <- struct{}{}
	}
	return r
}

func (r *watched) want(events string) {
	r.t.Helper()
	receive(r.t, r.closed, "OnClose")
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := strings.Join(r.events, " "); got != events {
		r.t.Errorf("callbacks %q, want %q", got, events)
	}
}

func TestCallbacksInOrderAndOnce(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		t.Run(fmt.Sprintf("blocking=%v", blocking), func(t *testing.T) {
			kinds(t, func(t *testing.T, k kind) {
				var r *watched
				_, w := serve(t, k, "text", func(w *workerman.Worker) {
					w.Blocking = blocking
					next := 0
					w.OnMessage = func(c *workerman.Conn, data []byte) {
						if want := fmt.Sprint(next); string(data) != want {
							t.Errorf("message %q, want %q", data, want)
						}
						next++
						c.Send(data)
					}
					r = recordCallbacks(t, w)
				})
				c := dial(t, w)
				const n = 5000
				go func() {
					var b bytes.Buffer
					for i := range n {
						fmt.Fprintln(&b, i)
					}
					c.Write(b.Bytes())
				}()
				in := bufio.NewScanner(c)
				for i := range n {
					if !in.Scan() || in.Text() != fmt.Sprint(i) {
						t.Fatalf("answer %d is %q, %v", i, in.Text(), in.Err())
					}
				}
				c.Close()
				r.want("connect message close")
			})
		})
	}
}

func TestPanicClosesThatConnectionAlone(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		for _, where := range []string{"OnConnect", "OnMessage", "OnClose", "timer", "Post"} {
			t.Run(fmt.Sprintf("%s/blocking=%v", where, blocking), func(t *testing.T) {
				kinds(t, func(t *testing.T, k kind) {
					var first atomic.Bool
					first.Store(true)
					s, w := serve(t, k, "text", func(w *workerman.Worker) {
						w.Blocking = blocking
						may := func(at string) {
							if at == where && first.CompareAndSwap(true, false) {
								panic("on purpose in " + at)
							}
						}
						w.OnConnect = func(c *workerman.Conn) { may("OnConnect") }
						w.OnMessage = func(c *workerman.Conn, data []byte) {
							c.After(0, func() { may("timer") })
							c.Post(func() { may("Post") })
							may("OnMessage")
							if string(data) == "close" {
								c.Close()
							}
							c.Send(data)
						}
						w.OnClose = func(c *workerman.Conn) { may("OnClose") }
					})
					bad := dial(t, w)
					if where == "OnClose" {
						io.WriteString(bad, "close\n")
					} else {
						io.WriteString(bad, "hello\n")
					}
					io.ReadAll(bad)
					bad.Close()
					eventually(t, "the panic is reported", func() bool {
						return len(s.Log.Lines("panic in a callback", "on purpose in "+where, "callbacks_test.go")) == 1
					})
					eventually(t, "the connection is gone", func() bool { return w.Stats().Connections == 0 })
					if n := w.Stats().Panics; where != "OnClose" && n != 1 {
						t.Errorf("%d panics counted, want 1", n)
					}
					good := dial(t, w)
					io.WriteString(good, "still here\n")
					if line, err := bufio.NewReader(good).ReadString('\n'); line != "still here\n" {
						t.Errorf("the answer is %q, %v, want %q", line, err, "still here\n")
					}
				})
			})
		}
	}
}

func TestExitOnPanic(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		checkLeaks(t)
		m := &workerman.Master{Portable: k.Portable, ExitOnPanic: true, Logger: discardLogger()}
		w := m.NewWorker("text://127.0.0.1:0")
		w.OnMessage = func(c *workerman.Conn, data []byte) { panic("on purpose") }
		bound := make(chan struct{})
		w.OnWorkerStart = func(*workerman.Worker) error { close(bound); return nil }
		done := make(chan error, 1)
		go func() { done <- m.Run(t.Context()) }()
		receive(t, bound, "OnWorkerStart")
		c := dial(t, w)
		io.WriteString(c, "x\n")
		var p *workerman.PanicError
		if err := receive(t, done, "Run"); !errors.As(err, &p) || p.Value != "on purpose" {
			t.Errorf("Run returned %v, want the panic", err)
		}
	})
}
