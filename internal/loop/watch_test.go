//go:build linux

package loop

import (
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// watchedPipe is a non-blocking pipe outside package os' poller.
func watchedPipe(t *testing.T) (r, w int) {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.Close(fds[0])
		unix.Close(fds[1])
	})
	return fds[0], fds[1]
}

// watchUntilEnd calls Watch on the loop, until the test ends.
func (l *Loop) watchUntilEnd(t *testing.T, fd int, readable, writable func()) {
	t.Helper()
	on(t, l, func() {
		if err := l.Watch(fd, readable, writable); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { on(t, l, func() { l.Watch(fd, nil, nil) }) })
}

func TestWatchReadable(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		r, w := watchedPipe(t)
		l := startLoop(t, e)
		got := make(chan string, 100)
		l.watchUntilEnd(t, r, func() {
			var b [2]byte
			n, err := unix.Read(r, b[:]) // less than is there: the rest is reported again
			if err != nil {
				t.Errorf("read: %v", err)
			}
			got <- string(b[:n])
		}, nil)
		for range 3 {
			unix.Write(w, []byte("abcde"))
			for _, want := range []string{"ab", "cd", "e"} {
				if s := await(t, got); s != want {
					t.Errorf("read %q, want %q", s, want)
				}
			}
		}
		passed(t, l, 5*time.Millisecond)
		if len(got) != 0 {
			t.Error("readable without input")
		}
	})
}

func TestWatchWritable(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		r, w := watchedPipe(t)
		l := startLoop(t, e)
		full := make(chan int, 100)
		written := 0
		l.watchUntilEnd(t, w, nil, func() {
			n, err := unix.Write(w, make([]byte, 10_000))
			if err != nil {
				t.Errorf("write: %v", err)
			}
			if written += n; n < 10_000 {
				full <- written
			}
		})
		size := await(t, full)
		passed(t, l, 5*time.Millisecond)
		if len(full) != 0 {
			t.Error("called although the pipe is full")
		}
		if n, _ := unix.Read(r, make([]byte, 1<<20)); n != size {
			t.Errorf("read %d of %d bytes", n, size)
		}
		await(t, full) // and it is filled once more
	})
}

func TestWatchOffInTheCallback(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fds[0])
		defer unix.Close(fds[1])
		l := startLoop(t, e)
		unix.Write(fds[1], []byte("x"))
		calls := 0
		off := make(chan struct{}, 10)
		l.watchUntilEnd(t, fds[0], func() {
			calls++
			if err := l.Watch(fds[0], nil, nil); err != nil {
				t.Error(err)
			}
			if r, w := l.Watched(fds[0]); r != nil || w != nil {
				t.Error("still watched")
			}
			off <- struct{}{}
		}, func() { t.Error("the other callback was called after the end") })
		await(t, off)
		passed(t, l, 10*time.Millisecond)
		on(t, l, func() {
			if calls != 1 {
				t.Errorf("called %d times", calls)
			}
		})
	})
}

func TestWatchAgainWithOtherFunctions(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fds[0])
		defer unix.Close(fds[1])
		l := startLoop(t, e)
		called := make(chan string, 100)
		l.watchUntilEnd(t, fds[0], func() { called <- "first" }, nil)
		on(t, l, func() {
			once := func() {
				called <- "writable"
				r, _ := l.Watched(fds[0])
				l.Watch(fds[0], r, nil)
			}
			l.Watch(fds[0], func() {
				called <- "second"
				l.Watch(fds[0], nil, nil)
			}, once)
		})
		if s := await(t, called); s != "writable" {
			t.Errorf("%s was called", s)
		}
		passed(t, l, 5*time.Millisecond)
		unix.Write(fds[1], []byte("x"))
		if s := await(t, called); s != "second" {
			t.Errorf("%s was called", s)
		}
		if len(called) != 0 {
			t.Errorf("%s was called", <-called)
		}
	})
}

// The other end closes: both kinds of watchers hear of it.
func TestWatchHangUp(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		var fds [2]int
		if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fds[0])
		l := startLoop(t, e)
		ended := make(chan int, 1)
		l.watchUntilEnd(t, fds[0], func() {
			n, _ := unix.Read(fds[0], make([]byte, 10))
			l.Watch(fds[0], nil, nil)
			ended <- n
		}, nil)
		unix.Close(fds[1])
		if n := await(t, ended); n != 0 {
			t.Errorf("read %d bytes", n)
		}
	})
}

func TestWatchOfARegularFile(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l := startLoop(t, Native)
	on(t, l, func() {
		err := l.Watch(int(f.Fd()), func() { t.Error("called") }, nil)
		if err == nil || !strings.Contains(err.Error(), "regular file") {
			t.Errorf("error %v", err)
		}
		if r, _ := l.Watched(int(f.Fd())); r != nil {
			t.Error("it is watched")
		}
	})
}

func TestWatchOfNoDescriptor(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		on(t, l, func() {
			if err := l.Watch(1<<20, func() {}, nil); err == nil {
				t.Error("a descriptor that is not open is watched")
			}
			if err := l.Watch(1<<20, nil, nil); err != nil {
				t.Errorf("forgetting what was never watched: %v", err)
			}
		})
	})
}
