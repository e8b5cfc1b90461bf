package conns

import (
	"io"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
)

func TestTimers(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s := newService(t, k)
		s.NewWorker("")
		before, during := make(chan time.Duration, 1), make(chan time.Duration, 1)
		begin := time.Now()
		s.Master.After(5*time.Millisecond, func() { before <- time.Since(begin) })
		never := s.Master.After(time.Millisecond, func() { t.Error("a timer stopped before the start runs") })
		if !workerman.DelTimer(never) || workerman.DelTimer(never) || workerman.DelTimer(nil) {
			t.Error("DelTimer of a timer that has not begun")
		}
		s.Start()
		if d := receive(t, before, "a timer from before the start"); d < 5*time.Millisecond {
			t.Errorf("after %v, early", d)
		}
		begin = time.Now()
		s.Master.After(5*time.Millisecond, func() { during <- time.Since(begin) })
		if d := receive(t, during, "a timer"); d < 5*time.Millisecond {
			t.Errorf("after %v, early", d)
		}
		ticks := make(chan bool, 10)
		var ticker *workerman.Timer
		n := 0
		s.Master.After(0, func() {
			ticker = s.Master.AddTimer(time.Millisecond, func() {
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
		s, w := serve(t, k, "tcp", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				step()
				c.Post(step)
				c.Send(data)
			}
		})
		s.Master.AddTimer(time.Millisecond, step)
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

func TestTimerPanicsAreReported(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "tcp", nil)
		s.Master.After(0, func() { panic("in a timer") })
		w.Post(func() { panic("in Post") })
		eventually(t, "both are logged", func() bool {
			return len(s.Log.Lines("panic in a callback", "in a timer")) == 1 && len(s.Log.Lines("panic in a callback", "in Post")) == 1
		})
	})
}
