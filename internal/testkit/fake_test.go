package testkit

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// fakeTest is a test that may fail, as which the functions under test are called.
type fakeTest struct {
	testing.TB // for what it does not do itself

	mu       sync.Mutex
	failures []string
	cleanups []func()
}

// try runs a fake test to its end, on a goroutine of its own that Fatal ends, and returns its
// failures.
func try(t *testing.T, test func(t testing.TB)) []string {
	t.Helper()
	f := &fakeTest{TB: t}
	var wg sync.WaitGroup
	wg.Go(func() {
		defer func() {
			for _, cleanup := range slices.Backward(f.cleanups) {
				cleanup()
			}
		}()
		test(f)
	})
	wg.Wait()
	return f.failures
}

func (f *fakeTest) Helper()             {}
func (f *fakeTest) Cleanup(fn func())   { f.cleanups = append(f.cleanups, fn) }
func (f *fakeTest) Logf(string, ...any) {}

func (f *fakeTest) Failed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.failures) > 0
}

func (f *fakeTest) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

func (f *fakeTest) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

func (f *fakeTest) Fatal(args ...any) { f.Fatalf("%s", fmt.Sprint(args...)) }
