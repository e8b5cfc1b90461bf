package watch

import (
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/internal/testkit"
)

// TestMain fails the package if its tests leave a goroutine or a descriptor behind.
func TestMain(m *testing.M) { os.Exit(testkit.MainWithoutLeaks(m)) }

// names are the callbacks of the loops under test, which run posted functions alone.
var names = &Callbacks{
	Module: testkit.Module,
	Names:  map[string]string{"internal/loop.(*tasks).run": "Post"},
}

// service is loops that a watchdog under test watches.
type service struct {
	loops    []*loop.Loop
	requests atomic.Uint64
	log      testkit.Log
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
			testkit.Receive(t, l.Done(), "the end of a loop")
		})
	}
	for _, l := range s.loops {
		testkit.Eventually(t, "the loop sleeps", func() bool { _, busy := l.Turn(); return !busy && l.Goroutine() != 0 })
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
	testkit.Eventually(t, "the turn is long", func() bool { turn, busy := l.Turn(); return busy && turn.Held >= d })
}

// release ends a stall, and returns when the loop sleeps again.
func release(t *testing.T, l *loop.Loop, held *stall) {
	t.Helper()
	held.released.Store(true)
	testkit.Eventually(t, "the loop sleeps", func() bool { _, busy := l.Turn(); return !busy })
}
