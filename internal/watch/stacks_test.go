package watch

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/workerman-go/workerman/internal/testkit"
)

func stacksOf(t *testing.T, s *service) string {
	t.Helper()
	var out bytes.Buffer
	if err := WriteStacks(&out, s.loops, names); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWriteStacks(t *testing.T) {
	s := startLoops(t, 2)
	testkit.Eventually(t, "both loops are idle", func() bool {
		return strings.HasPrefix(stacksOf(t, s), "event loop 1: idle\n\nevent loop 2: idle\n\n")
	})
	var held stall
	defer held.released.Store(true)
	hold(t, s.loops[1], held.sleep)
	wait := make(chan struct{})
	defer close(wait)
	for range 7 {
		go func() { <-wait }()
	}
	var text string
	testkit.Eventually(t, "all goroutines wait", func() bool {
		text = stacksOf(t, s)
		return strings.Contains(text, "\n7 goroutines: chan receive\n")
	})
	for _, want := range []string{"event loop 1: idle\n", "event loop 2: in Post, for ", ", at " + names.Module + "/internal/watch.(*stall).sleep (", ") in time.Sleep\n    time.Sleep  ", "    begun by "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not there\n%s", want, text)
		}
	}
	for _, noise := range []string{"\t", "    runtime.", "watch.WriteStacks", "+0x"} {
		if strings.Contains(text, noise) {
			t.Errorf("%q is there\n%s", noise, text)
		}
	}
	broken := errors.New("broken")
	if err := WriteStacks(failingWriter{broken}, s.loops, names); err != broken {
		t.Errorf("got %v, want %v", err, broken)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// Many goroutines with one stack need no more room than one.
func TestStacksOfManyGoroutines(t *testing.T) {
	s := startLoops(t, 1)
	wait := make(chan struct{})
	defer close(wait)
	for range 3000 {
		go func() { <-wait }()
	}
	testkit.Eventually(t, "all wait", func() bool { return strings.Contains(stacksOf(t, s), "\n3000 goroutines: chan receive\n") })
	if text := stacksOf(t, s); len(text) > 20_000 {
		t.Errorf("got %d bytes, want at most 20000", len(text))
	}
}
