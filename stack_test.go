package workerman

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func stackOf(t *testing.T, m *Master) string {
	t.Helper()
	var out bytes.Buffer
	if err := m.writeStack(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestStack(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		var held stall
		s, w := serve(t, k, "tcp", func(w *Worker) {
			w.Loops = 2
			w.OnMessage = func(*Conn, []byte) { held.sleep() }
		})
		defer held.released.Store(true)
		wait := make(chan struct{})
		for range 7 {
			go func() { <-wait }()
		}
		defer close(wait)
		eventually(t, "both loops are idle", func() bool {
			text := stackOf(t, s.master)
			return strings.HasPrefix(text, "event loop 1: idle\n\nevent loop 2: idle\n\n")
		})
		dial(t, w).Write([]byte("x"))
		heldIn(t, s.master, "OnMessage")
		text := stackOf(t, s.master)
		for _, want := range []string{": idle\n", ": in OnMessage, for ", ", at " + module + ".(*stall).sleep (", ") in time.Sleep\n    time.Sleep  ", "\n7 goroutines: chan receive\n", "    begun by "} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not there\n%s", want, text)
			}
		}
		for _, noise := range []string{"\t", "    runtime.", "writeStack", "+0x"} {
			if strings.Contains(text, noise) {
				t.Errorf("%q is there\n%s", noise, text)
			}
		}
		broken := errors.New("broken")
		if err := s.master.writeStack(failingWriter{broken}); err != broken {
			t.Errorf("%v", err)
		}
	})
}

// Many goroutines with one stack need no more room than one.
func TestStackOfManyGoroutines(t *testing.T) {
	s, _ := serve(t, kind{network: "tcp"}, "tcp", nil)
	wait := make(chan struct{})
	for range 3000 {
		go func() { <-wait }()
	}
	defer close(wait)
	eventually(t, "all wait", func() bool {
		return strings.Contains(stackOf(t, s.master), "\n3000 goroutines: chan receive\n")
	})
	if text := stackOf(t, s.master); len(text) > 20_000 {
		t.Errorf("%d bytes", len(text))
	}
}
