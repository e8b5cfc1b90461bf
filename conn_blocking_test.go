package workerman_test

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

func TestBlockingPausesReading(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		release := make(chan struct{})
		var got atomic.Int64
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.Blocking = true
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				<-release
				if want := fmt.Sprint(got.Load()); string(data) != want {
					t.Errorf("%q, want %q", data, want)
				}
				got.Add(1)
			}
		})
		c := dial(t, w)
		const n = 40_000
		written := make(chan error, 1)
		go func() {
			out := bufio.NewWriter(c)
			for i := range n {
				fmt.Fprintln(out, i)
			}
			written <- out.Flush()
		}()
		var conn *workerman.Conn
		eventually(t, "reading pauses", func() bool {
			for conn = range w.Connections() {
			}
			return conn != nil && conn.Paused()
		})
		if n := conn.Backlog(); n > workerman.MaxBacklog {
			t.Errorf("%d messages wait for the callback", n)
		}
		close(release)
		if err := testkit.Receive(t, written, "the client's writes"); err != nil {
			t.Error(err)
		}
		eventually(t, "all messages arrive", func() bool { return got.Load() == n })
	})
}

// OnClose is the last callback, also for timers that came due before it could run.
func TestNothingRunsAfterOnCloseOfABusyConnection(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		inside, release := make(chan *workerman.Conn, 1), make(chan struct{})
		var closed, late atomic.Bool
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.Blocking = true
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				check := func() { late.Store(late.Load() || closed.Load()) }
				c.Every(time.Millisecond, check)
				c.After(time.Millisecond, check)
				inside <- c
				<-release
			}
			w.OnClose = func(c *workerman.Conn) { closed.Store(true) }
		})
		client := dial(t, w)
		io.WriteString(client, "wait\n")
		c := testkit.Receive(t, inside, "OnMessage")
		c.Destroy()
		if _, err := client.Read(make([]byte, 1)); err == nil {
			t.Error("a byte")
		}
		loopTurns(t, w, 10) // the timers come due between the end and OnClose
		close(release)
		eventually(t, "OnClose", closed.Load)
		gone(t, w)
		eventually(t, "the goroutine is through", func() bool { return !c.CallbacksRun() })
		if late.Load() {
			t.Error("a timer ran after OnClose")
		}
	})
}

// A connection that ends while its queue is full loses no callback and no goroutine.
func TestCloseWhileTheQueueIsFull(t *testing.T) {
	for name, end := range map[string]func(c *workerman.Conn){
		"Close": (*workerman.Conn).Close, "Destroy": (*workerman.Conn).Destroy,
		"CloseWith": func(c *workerman.Conn) { c.CloseWith([]byte("bye")) },
	} {
		t.Run(name, func(t *testing.T) {
			kinds(t, func(t *testing.T, k kind) {
				inside, release, closed := make(chan struct{}, 1), make(chan struct{}), make(chan int, 1)
				messages := 0 // the race detector watches it
				_, w := serve(t, k, "text", func(w *workerman.Worker) {
					w.Blocking = true
					w.OnMessage = func(c *workerman.Conn, data []byte) { messages++; inside <- struct{}{}; <-release }
					w.OnClose = func(c *workerman.Conn) { closed <- messages }
				})
				client := dial(t, w)
				go io.WriteString(client, strings.Repeat("message\n", 10_000))
				testkit.Receive(t, inside, "OnMessage")
				var c *workerman.Conn
				eventually(t, "the queue is full", func() bool {
					for c = range w.Connections() {
					}
					return c != nil && c.Paused()
				})
				end(c)
				close(release)
				go func() { // the server's end of the stream
					io.Copy(io.Discard, client)
					client.Close()
				}()
				if n := testkit.Receive(t, closed, "OnClose"); n != 1 {
					t.Errorf("%d messages, the close came during the first", n)
				}
				gone(t, w)
			})
		})
	}
}

// loopTurns waits until the worker's first loop has run n timers, one after the other: the
// loop has had every chance to do what it should not.
func loopTurns(t *testing.T, w *workerman.Worker, n int) {
	t.Helper()
	done := make(chan struct{})
	ticker := w.EventLoop().Every(time.Millisecond, func() {
		if n--; n == 0 {
			close(done)
		}
	})
	testkit.Receive(t, done, "turns of the loop")
	ticker.Stop()
}

// gone waits until a worker has no connections.
func gone(t *testing.T, w *workerman.Worker) {
	t.Helper()
	eventually(t, "the connections are gone", func() bool { return w.Stats().Connections == 0 })
}
