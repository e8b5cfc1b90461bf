package workerman

import (
	"io"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

func TestFiguresAddUp(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		const conns, messages = 4, 200
		s := newTestService(t, k)
		outer := s.master.NewWorker("tcp://127.0.0.1:0")
		var inner *Worker
		outer.OnWorkerStart = func(*Worker) error {
			inner = s.master.NewWorker("text://127.0.0.1:0")
			inner.Loops = 2
			inner.MaxConnections = conns
			echo(inner)
			return inner.Listen()
		}
		outer.Loops = 2
		outer.OnMessage = func(*Conn, []byte) { panic("in a callback") }
		s.start()
		timers := []*Timer{s.master.AddTimer(time.Hour, func() {}), s.master.After(time.Hour, func() {})}
		var traffic sync.WaitGroup
		for range conns {
			c := dial(t, inner)
			traffic.Go(func() {
				answer := make([]byte, 6)
				for range messages {
					io.WriteString(c, "hello\n")
					if _, err := io.ReadFull(c, answer); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		asked := make(chan struct{})
		go func() { // the figures are asked for all the while, for the race detector
			defer close(asked)
			for s.master.figures().Requests < conns*messages {
			}
		}()
		traffic.Wait()
		receive(t, asked, "the figures of all requests")
		io.Copy(io.Discard, dial(t, inner)) // one too many
		panicking := dial(t, outer)
		io.WriteString(panicking, "x")
		io.Copy(io.Discard, panicking)
		client := clientOf(s, outer, "tcp")
		told := make(happened, 8)
		told.watch(client)
		connect(t, client)
		told.expect(t, "connect")
		eventually(t, "the one that panicked is gone", func() bool {
			f := s.master.figures()
			return f.Accepted == conns+2 && f.Connections == conns+1
		})
		f := s.master.figures()
		if f.Outgoing != 1 || f.Accepted != conns+2 || f.Refused != 1 || f.Requests != conns*messages+1 || f.Panics != 1 || f.Timers != 2 {
			t.Errorf("%+v", f)
		}
		if f.Memory < 1<<20 || f.CPU <= 0 || f.Goroutines < 4 || len(f.Loops) != 2 || f.Loops[0].Streams+f.Loops[1].Streams != conns+2 {
			t.Errorf("%+v", f)
		}
		for _, timer := range timers {
			timer.Stop()
		}
		if n := s.master.figures().Timers; n != 0 {
			t.Errorf("%d timers", n)
		}
	})
}

func TestFiguresWithoutARun(t *testing.T) {
	m := new(Master)
	if f := m.figures(); f.Connections != 0 || f.Rate != 0 || f.Loops == nil || len(f.Loops) != 0 {
		t.Errorf("%+v", f)
	}
	if r := rows(t, m, control.Filter{}); len(r) != 0 {
		t.Errorf("%+v", r)
	}
	if text := stackOf(t, m); text == "" {
		t.Error("no stacks")
	}
}
