package watch

import (
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
)

// TestMain fails the package if its tests leave a goroutine behind.
func TestMain(m *testing.M) {
	flag.Parse()
	before := runtime.NumGoroutine()
	code := m.Run()
	for deadline := time.Now().Add(patience); code == 0 && runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			fmt.Printf("FAIL: left behind: %d goroutines\n%s\n", runtime.NumGoroutine()-before, buf[:runtime.Stack(buf, true)])
			code = 1
		}
	}
	os.Exit(code)
}

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// names are the callbacks of the loops under test, which run posted functions alone.
var names = &Callbacks{
	Module: "github.com/workerman-go/workerman",
	Names:  map[string]string{"internal/loop.(*tasks).run": "Post"},
}

// service is loops that a watchdog under test watches.
type service struct {
	loops    []*loop.Loop
	requests atomic.Uint64
	log      logBuffer
}

func (s *service) Loops() []*loop.Loop { return s.loops }
func (s *service) Requests() uint64    { return s.requests.Load() }
func (s *service) Logger(l *loop.Loop) *slog.Logger {
	return slog.New(slog.NewTextHandler(&s.log, nil))
}

// startLoops runs loops until the end of the test.
func startLoops(t *testing.T, n int) *service {
	t.Helper()
	s := new(service)
	for range n {
		l, err := loop.New(loop.Portable)
		if err != nil {
			t.Fatal(err)
		}
		s.loops = append(s.loops, l)
		go l.Run() // not in a function of this file, which would count as the program's
		t.Cleanup(func() {
			l.Stop()
			receive(t, l.Done(), "the end of a loop")
		})
	}
	for _, l := range s.loops {
		eventually(t, "the loop sleeps", func() bool { _, busy := l.Turn(); return !busy && l.Goroutine() != 0 })
	}
	return s
}

// stall is a function that holds a loop until it is released.
type stall struct{ released atomic.Bool }

// spin computes.
func (s *stall) spin() {
	for !s.released.Load() {
	}
}

// sleep waits for something.
func (s *stall) sleep() {
	for !s.released.Load() {
		time.Sleep(time.Millisecond)
	}
}

// hold has a loop run fn, and returns when the loop has been held for longer than the limit.
func hold(t *testing.T, l *loop.Loop, fn func()) {
	t.Helper()
	l.Post(fn)
	heldFor(t, l, limit)
}

func heldFor(t *testing.T, l *loop.Loop, d time.Duration) {
	t.Helper()
	eventually(t, "the turn is long", func() bool { turn, busy := l.Turn(); return busy && turn.Held >= d })
}

// release ends a stall, and returns when the loop sleeps again.
func release(t *testing.T, l *loop.Loop, held *stall) {
	t.Helper()
	held.released.Store(true)
	eventually(t, "the loop sleeps", func() bool { _, busy := l.Turn(); return !busy })
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}

// receive takes a value from a channel within patience.
func receive[T any](t *testing.T, ch <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(patience):
		t.Fatalf("not in %v: %s", patience, what)
	}
	return v
}

// logBuffer is a log that tests read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// count is the number of lines that contain all the words.
func (b *logBuffer) count(words ...string) (n int) {
	for line := range strings.Lines(b.String()) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			n++
		}
	}
	return n
}
