package examples

import (
	"errors"
	"os"
	"testing"
	"time"
)

// writer writes in the background.
type writer struct {
	stalled chan struct{} // closed when the peer takes nothing for a while
	done    chan struct{} // closed when everything is written, or nothing more can be
	err     error         // valid then
}

// stall is how long a write waits before the peer counts as stalled.
const stall = 300 * time.Millisecond

// writeAll writes data to c in the background.
func writeAll(c *client, data []byte) *writer {
	w := &writer{stalled: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		defer c.SetWriteDeadline(time.Time{}) // for whatever is sent later
		stalled := false
		for limit := time.Now().Add(2 * patience); len(data) > 0; {
			c.SetWriteDeadline(time.Now().Add(stall))
			n, err := c.Write(data)
			data = data[n:]
			switch {
			case err == nil:
			case !errors.Is(err, os.ErrDeadlineExceeded), time.Now().After(limit):
				w.err = err
				return
			case !stalled && n == 0:
				stalled = true
				close(w.stalled)
			}
		}
	}()
	return w
}

// stallsOrEnds waits until nothing more can be written for now.
func (w *writer) stallsOrEnds(t *testing.T) {
	t.Helper()
	select {
	case <-w.stalled:
	case <-w.done:
	case <-time.After(patience):
		t.Fatal("writing neither stalls nor ends")
	}
}

// ends expects that everything is written.
func (w *writer) ends(t *testing.T) {
	t.Helper()
	select {
	case <-w.done:
		if w.err != nil {
			t.Fatalf("writing: %v", w.err)
		}
	case <-time.After(patience):
		t.Fatal("writing does not end")
	}
}
