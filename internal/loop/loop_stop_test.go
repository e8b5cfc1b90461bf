package loop

import (
	"errors"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestStopRunsWhatWasPostedBefore(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		ran := 0
		on(t, l, func() {
			for range 100 {
				l.Post(func() { ran++ })
			}
			l.Stop()
		})
		await(t, l.Done())
		if ran != 100 {
			t.Errorf("%d of 100 posted functions ran", ran)
		}
		if l.Post(func() {}) {
			t.Error("Post to a stopped loop reports true")
		}
	})
}

func TestStopEndsASleepingLoop(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		until(t, "the loop sleeps", l.sleeping.Load)
		l.Stop()
		await(t, l.Done())
	})
}

func TestStopBeforeRun(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l, err := New(e)
		if err != nil {
			t.Fatal(err)
		}
		ran := false
		l.Post(func() { ran = true })
		l.Stop()
		if err := l.Run(); err != nil || !ran {
			t.Errorf("Run = %v, the posted function ran: %v", err, ran)
		}
	})
}

// The loop's descriptors are closed when it has run, and their numbers belong to
// somebody else: a late Stop must not write to them.
func TestStopAfterTheEndTouchesNoDescriptor(t *testing.T) {
	l := startLoop(t, Native)
	l.Stop()
	await(t, l.Done())
	var others []int
	for range 64 { // they take the lowest numbers that are free, the loop's too
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		others = append(others, fd)
	}
	l.Stop()
	var b [8]byte
	for _, fd := range others {
		if n, err := unix.Read(fd, b[:]); !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("Stop wrote %d bytes to a descriptor that is not the loop's", n)
		}
	}
}

func TestTimeOfTheLoop(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		var first, second int64
		on(t, l, func() { first = l.Now() })
		passed(t, l, 5e6)
		on(t, l, func() { second = l.Now() })
		if second-first < 4 {
			t.Errorf("the clock went from %d to %d in 5 ms", first, second)
		}
		if d := l.Time(second).Sub(l.Time(first)); d.Milliseconds() != second-first {
			t.Errorf("as times of day that is %v", d)
		}
	})
}
