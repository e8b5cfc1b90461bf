package workerman_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

func TestConnectionTimersDieWithIt(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		kinds(t, func(t *testing.T, k kind) {
			var ran atomic.Int64
			closed := make(chan *workerman.Conn, 1)
			s, w := serve(t, k, "tcp", func(w *workerman.Worker) {
				w.Blocking = blocking
				w.OnConnect = func(c *workerman.Conn) {
					c.Every(time.Millisecond, func() { ran.Add(1) })
					c.After(time.Hour, func() {})
				}
				w.OnClose = func(c *workerman.Conn) { closed <- c }
			})
			c := dial(t, w)
			eventually(t, "it ticks", func() bool { return ran.Load() >= 3 })
			c.Close()
			dead := testkit.Receive(t, closed, "OnClose")
			if n := w.Timers(); n != 0 {
				t.Errorf("%d timers are left", n)
			}
			if late := dead.After(0, func() { ran.Store(-1000) }); late.Stop() {
				t.Error("a timer of a closed connection could be stopped")
			}
			n := ran.Load()
			done := make(chan struct{})
			s.Master.After(10*time.Millisecond, func() { close(done) })
			testkit.Receive(t, done, "a later timer")
			if ran.Load() != n {
				t.Error("a timer of a closed connection runs")
			}
		})
	}
}

func TestLoopsShareConnections(t *testing.T) {
	for _, reusePort := range []bool{false, true} {
		kinds(t, func(t *testing.T, k kind) {
			_, w := serve(t, k, "text", func(w *workerman.Worker) {
				w.Loops, w.ReusePort = 3, reusePort
				w.OnConnect = func(c *workerman.Conn) { c.Data = new(int) }
				w.OnMessage = func(c *workerman.Conn, data []byte) {
					n := c.Data.(*int) // the race detector watches that a connection is serial
					*n++
					c.Send(fmt.Append(nil, *n))
				}
			})
			conns := make([]net.Conn, 30)
			for i := range conns {
				conns[i] = dial(t, w)
			}
			for i, c := range conns {
				io.WriteString(c, "a\nb\nc\n")
				in := bufio.NewScanner(c)
				for want := 1; want <= 3; want++ {
					if !in.Scan() || in.Text() != fmt.Sprint(want) {
						t.Fatalf("connection %d: %q, want %d", i, in.Text(), want)
					}
				}
			}
			assigned := w.Assigned()
			if len(assigned) != 3 {
				t.Fatalf("%d loops", len(assigned))
			}
			for i, n := range assigned {
				if !reusePort && (n < 10-workerman.LoopSlack || n > 10+workerman.LoopSlack) {
					t.Errorf("loop %d has %d of 30 connections", i, n)
				}
			}
			for _, c := range conns {
				c.Close()
			}
			eventually(t, "all are gone", func() bool {
				n := w.Assigned()
				return n[0]+n[1]+n[2] == 0 && w.Stats().Connections == 0
			})
		})
	}
}

// relay starts a worker that pipes each pair of connections both ways, across loops.
func relay(t *testing.T, k kind) *workerman.Worker {
	waiting := make(chan *workerman.Conn, 1)
	_, w := serve(t, k, "tcp", func(w *workerman.Worker) {
		w.Loops = 2
		w.MaxSendBuffer = 128 << 10
		w.OnConnect = func(c *workerman.Conn) {
			c.PauseRecv()
			select {
			case first := <-waiting:
				c.Pipe(first)
				first.Pipe(c)
				first.ResumeRecv()
				c.ResumeRecv()
			default:
				waiting <- c
			}
		}
	})
	return w
}

func TestPipeHoldsLittle(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		w := relay(t, k)
		a := dial(t, w)
		eventually(t, "the first is there", func() bool { return w.Stats().Connections == 1 })
		b := dial(t, w)
		const size = 32 << 20
		go a.Write(numbered(1, size))
		most := 0
		eventually(t, "the source is paused", func() bool {
			paused := false
			for c := range w.Connections() {
				most = max(most, c.Stats().SendQueue)
				paused = paused || c.Paused()
			}
			return paused
		})
		if limit := 128<<10 + 64<<10*17; most > limit { // the limit and what one event reads
			t.Errorf("%d bytes wait, the limit is 128 KiB", most)
		}
		got := make([]byte, size)
		if n, err := io.ReadFull(b, got); err != nil || !bytes.Equal(got, numbered(1, size)) {
			t.Fatalf("%d bytes, %v", n, err)
		}
	})
}
