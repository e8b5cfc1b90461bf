package conns

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"

	"github.com/workerman-go/workerman"
)

func TestAsync(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		type outcome struct {
			n   int
			err error
		}
		results := make(chan outcome, 3)
		onLoop := 0 // the race detector watches it
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				onLoop++
				done := func(n int, err error) {
					onLoop++
					results <- outcome{n, err}
				}
				switch string(data) {
				case "good":
					workerman.Async(c, func() (int, error) { return 42, nil }, done)
				case "bad":
					workerman.Async(c, func() (int, error) { return 0, io.ErrUnexpectedEOF }, done)
				case "panic":
					workerman.Async(c, func() (int, error) { panic("in work") }, done)
				}
			}
		})
		c := dial(t, w)
		io.WriteString(c, "good\n")
		if r := receive(t, results, "good"); r.n != 42 || r.err != nil {
			t.Errorf("%+v", r)
		}
		io.WriteString(c, "bad\n")
		if r := receive(t, results, "bad"); r.err != io.ErrUnexpectedEOF {
			t.Errorf("%+v", r)
		}
		io.WriteString(c, "panic\n")
		var p *workerman.PanicError
		if r := receive(t, results, "panic"); !errors.As(r.err, &p) || p.Value != "in work" || len(p.Stack) == 0 {
			t.Errorf("%+v", r)
		}
	})
}

func TestAsyncOfAClosedConnectionIsDropped(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		release, worked, closed := make(chan struct{}), make(chan struct{}), make(chan struct{})
		_, w := serve(t, k, "tcp", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				workerman.Async(c, func() (int, error) { <-release; defer close(worked); return 0, nil },
					func(int, error) { t.Error("done runs although the connection is gone") })
			}
			w.OnClose = func(c *workerman.Conn) { close(closed) }
		})
		c := dial(t, w)
		c.Write([]byte("x"))
		eventually(t, "the work has begun", func() bool { return w.Stats().Requests == 1 })
		c.Close()
		receive(t, closed, "OnClose")
		close(release)
		receive(t, worked, "the end of the work")
		flushed := make(chan struct{})
		w.Post(func() { w.Post(func() { close(flushed) }) })
		receive(t, flushed, "the loop")
	})
}

func TestAsyncIsBounded(t *testing.T) {
	s, w := serve(t, kind{Network: "tcp"}, "tcp", nil)
	_ = s
	var running, most atomic.Int64
	release := make(chan struct{})
	done := make(chan struct{}, 1000)
	for range maxAsync + 100 {
		workerman.Async(w, func() (int, error) {
			for n := running.Add(1); ; {
				m := most.Load()
				if n <= m || most.CompareAndSwap(m, n) {
					break
				}
			}
			<-release
			running.Add(-1)
			return 0, nil
		}, func(int, error) { done <- struct{}{} })
	}
	eventually(t, "all places are taken", func() bool { return running.Load() == maxAsync })
	close(release)
	for range maxAsync + 100 {
		receive(t, done, "done")
	}
	if most.Load() != maxAsync {
		t.Errorf("%d pieces of work ran at the same time", most.Load())
	}
}

func TestBlockedCallbacksDelayNobodyElse(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		release := make(chan struct{})
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.Blocking = true
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				if string(data) == "wait" {
					<-release
				}
				c.Send(data)
			}
		})
		slow, quick := dial(t, w), dial(t, w)
		io.WriteString(slow, "wait\n")
		in := bufio.NewReader(quick)
		for i := range 100 {
			fmt.Fprintln(quick, i)
			if line, err := in.ReadString('\n'); line != fmt.Sprintln(i) {
				t.Fatalf("%q, %v", line, err)
			}
		}
		close(release)
		if line, err := bufio.NewReader(slow).ReadString('\n'); line != "wait\n" {
			t.Errorf("%q, %v", line, err)
		}
	})
}

func TestPostKeepsOrder(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		engines(t, func(t *testing.T, k kind) {
			order := make(chan int, 100)
			_, w := serve(t, k, "tcp", func(w *workerman.Worker) {
				w.Blocking = blocking
				w.OnConnect = func(c *workerman.Conn) {
					go func() {
						for i := range 100 {
							c.Post(func() { order <- i })
						}
					}()
				}
			})
			c := dial(t, w)
			for i := range 100 {
				if n := receive(t, order, "a posted function"); n != i {
					t.Fatalf("function %d runs in place of %d", n, i)
				}
			}
			c.Close()
			eventually(t, "the connection is gone", func() bool { return w.Stats().Connections == 0 })
		})
	}
}
