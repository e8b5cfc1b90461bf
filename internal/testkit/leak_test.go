package testkit

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// leaks is what CheckLeaks says of a test.
func leaks(t *testing.T, patience time.Duration, test func(t testing.TB)) string {
	t.Helper()
	return strings.Join(try(t, func(t testing.TB) {
		checkLeaks(t, patience)
		test(t)
	}), "|")
}

func TestCheckLeaksFindsAGoroutine(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	got := leaks(t, time.Millisecond, func(testing.TB) { leaveBehind(release) })
	for _, want := range []string{"1 goroutines, 0 descriptors", "testkit.leftBehind("} {
		if !strings.Contains(got, want) {
			t.Errorf("the failure is %q, want %q in it", got, want)
		}
	}
	if strings.Contains(got, "TestCheckLeaksFindsAGoroutine(") {
		t.Errorf("the failure tells of goroutines that were there before:\n%s", got)
	}
}

// leaveBehind begins a goroutine that waits for release, and returns when it runs.
func leaveBehind(release chan struct{}) {
	began := make(chan struct{})
	go leftBehind(began, release)
	<-began
}

func leftBehind(began, release chan struct{}) {
	close(began)
	<-release
}

func TestCheckLeaksFindsADescriptor(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("descriptors are not told here")
	}
	path := filepath.Join(t.TempDir(), "file")
	var left *os.File
	got := leaks(t, time.Millisecond, func(t testing.TB) {
		var err error
		if left, err = os.Create(path); err != nil {
			t.Fatal(err)
		}
	})
	left.Close()
	for _, want := range []string{"0 goroutines, 1 descriptors", path} {
		if !strings.Contains(got, want) {
			t.Errorf("the failure is %q, want %q in it", got, want)
		}
	}
}

// What ends soon, or was cleaned up by the test, was not left behind.
func TestCheckLeaksWaits(t *testing.T) {
	got := leaks(t, Patience, func(t testing.TB) {
		go time.Sleep(50 * time.Millisecond) // is the goroutine that ends soon
		release := make(chan struct{})
		leaveBehind(release)
		t.Cleanup(func() { close(release) })
	})
	if got != "" {
		t.Errorf("the failure is %q, want none", got)
	}
}

// A test that has failed is not told that it leaves something, and does not wait for it.
func TestCheckLeaksAfterAFailure(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	began := time.Now()
	got := leaks(t, time.Hour, func(t testing.TB) {
		leaveBehind(release)
		t.Fatal("broken")
	})
	if got != "broken" || time.Since(began) > time.Hour/2 {
		t.Errorf("the failure is %q, want %q", got, "broken")
	}
}
