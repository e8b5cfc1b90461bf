package testkit

import (
	"runtime"
	"testing"
	"time"
)

// Eventually waits until ok reports true, which something else brings about, and ends the test
// if that takes longer than Patience. It calls ok on the goroutine of the test, often at first
// and then every millisecond.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !Within(Patience, ok) {
		t.Fatalf("not within %v: %s", Patience, what)
	}
}

// Within waits until ok reports true, and reports whether it did so within d. It is for what is
// not a test's own goroutine, or for failures that have more to tell than Eventually does.
func Within(d time.Duration, ok func() bool) bool {
	deadline := time.Now().Add(d)
	for looks := 0; !ok(); looks++ {
		if time.Now().After(deadline) {
			return ok() // this goroutine may have been kept from a processor until now
		}
		if looks < 100 {
			runtime.Gosched()
		} else {
			time.Sleep(time.Millisecond) // a processor that is watched from everywhere does nothing else
		}
	}
	return true
}

// Receive takes a value from a channel, and ends the test if none comes within Patience. The
// zero value comes from a channel that is closed.
func Receive[T any](t testing.TB, ch <-chan T, what string) (v T) {
	t.Helper()
	timer := time.NewTimer(Patience)
	defer timer.Stop()
	select {
	case v = <-ch:
	case <-timer.C:
		t.Fatalf("not within %v: %s", Patience, what)
	}
	return v
}
