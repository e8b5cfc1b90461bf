package workerman

import (
	"io"
	"sync/atomic"
	"testing"
	"time"
)

func TestTimers(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s := newTestService(t, k)
		s.master.NewWorker("")
		before, during := make(chan time.Duration, 1), make(chan time.Duration, 1)
		begin := time.Now()
		s.master.After(5*time.Millisecond, func() { before <- time.Since(begin) })
		never := s.master.After(time.Millisecond, func() { t.Error("a timer stopped before the start runs") })
		if !DelTimer(never) || DelTimer(never) || DelTimer(nil) {
			t.Error("DelTimer of a timer that has not begun")
		}
		s.start()
		if d := receive(t, before, "a timer from before the start"); d < 5*time.Millisecond {
			t.Errorf("after %v, early", d)
		}
		begin = time.Now()
		s.master.After(5*time.Millisecond, func() { during <- time.Since(begin) })
		if d := receive(t, during, "a timer"); d < 5*time.Millisecond {
			t.Errorf("after %v, early", d)
		}
		ticks := make(chan bool, 10)
		var ticker *Timer
		n := 0
		s.master.After(0, func() {
			ticker = s.master.AddTimer(time.Millisecond, func() {
				if n++; n == 3 {
					ticks <- ticker.Stop()
				}
			})
		})
		if !receive(t, ticks, "the third tick") || ticker.Stop() {
			t.Error("Stop in the timer's own run")
		}
	})
}

func TestTimersAndCallbacksAreSerial(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		shared := 0 // the race detector watches it
		reached := make(chan struct{})
		step := func() {
			if shared++; shared == 500 {
				close(reached)
			}
		}
		s, w := serve(t, k, "tcp", func(w *Worker) {
			w.OnMessage = func(c *Conn, data []byte) {
				step()
				c.Post(step)
				c.Send(data)
			}
		})
		s.master.AddTimer(time.Millisecond, step)
		c := dial(t, w)
		buf := make([]byte, 1)
		for {
			select {
			case <-reached:
				return
			default:
			}
			c.Write(buf)
			if _, err := io.ReadFull(c, buf); err != nil {
				t.Fatal(err)
			}
			w.Post(step)
		}
	})
}

func TestConnectionTimersDieWithIt(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		kinds(t, func(t *testing.T, k kind) {
			var ran atomic.Int64
			closed := make(chan *Conn, 1)
			s, w := serve(t, k, "tcp", func(w *Worker) {
				w.Blocking = blocking
				w.OnConnect = func(c *Conn) {
					c.Every(time.Millisecond, func() { ran.Add(1) })
					c.After(time.Hour, func() {})
				}
				w.OnClose = func(c *Conn) { closed <- c }
			})
			c := dial(t, w)
			eventually(t, "it ticks", func() bool { return ran.Load() >= 3 })
			c.Close()
			dead := receive(t, closed, "OnClose")
			if l := w.runningServer().loops[0]; l.Timers() != 0 {
				t.Errorf("%d timers are left", l.Timers())
			}
			if late := dead.After(0, func() { ran.Store(-1000) }); late.Stop() {
				t.Error("a timer of a closed connection could be stopped")
			}
			n := ran.Load()
			done := make(chan struct{})
			s.master.After(10*time.Millisecond, func() { close(done) })
			receive(t, done, "a later timer")
			if ran.Load() != n {
				t.Error("a timer of a closed connection runs")
			}
		})
	}
}

func TestTimerPanicsAreReported(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "tcp", nil)
		s.master.After(0, func() { panic("in a timer") })
		w.Post(func() { panic("in Post") })
		eventually(t, "both are logged", func() bool {
			return len(s.log.lines("panic in a callback", "in a timer")) == 1 && len(s.log.lines("panic in a callback", "in Post")) == 1
		})
	})
}
