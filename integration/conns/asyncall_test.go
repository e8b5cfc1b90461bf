package conns

import (
	"errors"
	"io"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/workerman-go/workerman"
)

// squares is work whose i-th piece gives i*i, with all that may go wrong.
func squares(n int) (work []func() (int, error)) {
	for i := range n {
		work = append(work, func() (int, error) {
			switch i {
			case 3:
				return -1, io.ErrUnexpectedEOF
			case 4:
				panic("in work")
			}
			return i * i, nil
		})
	}
	return work
}

func TestAsyncAll(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "text", nil)
		onLoop := 0 // the race detector watches it
		for _, limit := range []int{0, 1, 2, 1000} {
			for _, n := range []int{0, 1, 6} {
				got := make(chan struct{})
				workerman.AsyncAll(w, limit, squares(n), func(values []int, errs []error) {
					onLoop++
					if want := []int{0, 1, 4, -1, 0, 25}[:n]; !slices.Equal(values, want) || len(errs) != n {
						t.Errorf("%d pieces: %v and %d errors, want %v", n, values, len(errs), want)
					}
					var p *workerman.PanicError
					if err := errors.Join(errs...); n < 6 && err != nil || n == 6 && (!errors.As(errs[4], &p) || errs[3] != io.ErrUnexpectedEOF || errs[5] != nil) {
						t.Errorf("%d pieces: %v", n, err)
					}
					close(got)
				})
				receive(t, got, "done")
			}
		}
	})
}

func TestAsyncAllIsBounded(t *testing.T) {
	_, w := serve(t, kind{Network: "tcp"}, "tcp", nil)
	var running, most atomic.Int64
	release := make(chan struct{})
	var work []func() (int, error)
	for range 20 {
		work = append(work, func() (int, error) {
			if n := running.Add(1); n > most.Load() {
				most.Store(n)
			}
			<-release
			return int(running.Add(-1)), nil
		})
	}
	done := make(chan struct{})
	workerman.AsyncAll(w, 3, work, func([]int, []error) { close(done) })
	clear(work) // the caller's slice is free again
	eventually(t, "three run", func() bool { return running.Load() == 3 })
	close(release)
	receive(t, done, "done")
	if most.Load() > 3 {
		t.Errorf("%d pieces ran at the same time", most.Load())
	}
}

// What a connection waits for ends with it.
func TestAsyncAllOfAClosedConnection(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		var begun atomic.Int64
		ended := make(chan error, 1)
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				piece := func() (int, error) {
					begun.Add(1)
					<-c.Context().Done()
					return 0, nil
				}
				workerman.AsyncAll(c, 1, []func() (int, error){piece, piece, piece}, func([]int, []error) { t.Error("done runs although the connection is gone") })
			}
			w.OnClose = func(c *workerman.Conn) { ended <- c.Context().Err() }
		})
		c := dial(t, w)
		c.Write([]byte("x\n"))
		eventually(t, "a piece runs", func() bool { return begun.Load() == 1 })
		c.Close()
		if err := receive(t, ended, "OnClose"); err == nil {
			t.Error("the context goes on after the close")
		}
		flushed := make(chan struct{})
		workerman.Async(w, func() (int, error) { return 0, nil }, func(int, error) { close(flushed) })
		receive(t, flushed, "the loop")
		if n := begun.Load(); n != 1 {
			t.Errorf("%d pieces of work began", n)
		}
	})
}
