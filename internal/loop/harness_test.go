package loop

import (
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

// What all tests of the project have in common, by the names that the tests of this package use.
var (
	patience = testkit.Patience
	until    = testkit.Eventually
)

const racing = testkit.Race

// engines runs a test with each engine.
func engines(t *testing.T, test func(t *testing.T, e Engine)) {
	t.Helper()
	for _, e := range []struct {
		name   string
		engine Engine
	}{{"native", Native}, {"portable", Portable}} {
		t.Run(e.name, func(t *testing.T) { test(t, e.engine) })
	}
}

// startLoop runs a loop until the test ends.
func startLoop(t testing.TB, e Engine) *Loop {
	t.Helper()
	l, err := New(e)
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() { failed <- l.Run() }()
	t.Cleanup(func() {
		l.Stop()
		if err := await(t, failed); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return l
}

// await receives from ch, or fails the test.
func await[T any](t testing.TB, ch <-chan T) T {
	t.Helper()
	return testkit.Receive(t, ch, "what is awaited")
}

// on runs fn on the loop and waits for it.
func on(t testing.TB, l *Loop, fn func()) {
	t.Helper()
	ran := make(chan struct{})
	if !l.Post(func() { defer close(ran); fn() }) {
		t.Fatal("the loop has stopped")
	}
	await(t, ran)
}

// passed lets d pass on the loop's own clock: a test that nothing happens meanwhile.
func passed(t testing.TB, l *Loop, d time.Duration) {
	t.Helper()
	ch := make(chan struct{})
	l.After(d, func() { close(ch) })
	await(t, ch)
}
