//go:build linux

package poll

import (
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
	"golang.org/x/sys/unix"
)

func newEpoll(t *testing.T) *Epoll {
	t.Helper()
	e, err := NewEpoll()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// pair is two connected non-blocking sockets.
func pair(t *testing.T) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.Close(fds[0])
		unix.Close(fds[1])
	})
	return fds[0], fds[1]
}

// wait is the events of one wait that must not take long.
func wait(t *testing.T, e *Epoll) []Event {
	t.Helper()
	events := make([]Event, MaxEvents)
	n, err := e.Wait(events, int(testkit.Patience.Milliseconds()))
	if err != nil {
		t.Fatal(err)
	}
	return events[:n]
}

func none(t *testing.T, e *Epoll) {
	t.Helper()
	events := make([]Event, MaxEvents)
	if n, err := e.Poll(events); n != 0 || err != nil {
		t.Errorf("%d events, %v: %v", n, err, events[:n])
	}
}

func TestReadinessIsReportedUntilServed(t *testing.T) {
	e := newEpoll(t)
	a, b := pair(t)
	token := Token{Index: 70_000, Gen: 1 << 31}
	if err := e.Add(a, token, Readable, false); err != nil {
		t.Fatal(err)
	}
	none(t, e)
	unix.Write(b, []byte("x"))
	for range 3 {
		events := wait(t, e)
		if len(events) != 1 || events[0] != (Event{Readable, token}) {
			t.Fatalf("events %v", events)
		}
	}
	Read(a, make([]byte, 10))
	none(t, e)
}

func TestModifyAndRemove(t *testing.T) {
	e := newEpoll(t)
	a, b := pair(t)
	first, second := Token{1, 1}, Token{2, 2}
	if err := e.Add(a, first, 0, false); err != nil {
		t.Fatal(err)
	}
	if e.Add(a, first, 0, false) == nil {
		t.Error("the same descriptor was added twice")
	}
	unix.Write(b, []byte("x"))
	none(t, e)
	if err := e.Modify(a, second, Readable|Writable); err != nil {
		t.Fatal(err)
	}
	if events := wait(t, e); len(events) != 1 || events[0] != (Event{Readable | Writable, second}) {
		t.Errorf("events %v", events)
	}
	if err := e.Remove(a); err != nil {
		t.Fatal(err)
	}
	none(t, e)
	if e.Remove(a) == nil || e.Modify(a, first, Readable) == nil {
		t.Error("a descriptor that is not there was changed")
	}
}

func TestClosedDescriptorReportsNothing(t *testing.T) {
	e := newEpoll(t)
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Add(fds[0], Token{1, 0}, Readable, false); err != nil {
		t.Fatal(err)
	}
	unix.Write(fds[1], []byte("x"))
	Close(fds[0])
	none(t, e)
	// The number is used again by a descriptor that is not watched.
	a, b := pair(t)
	unix.Write(b, []byte("x"))
	none(t, e)
	Close(fds[1])
	_ = a
}

func TestHangUpIsReportedUnasked(t *testing.T) {
	e := newEpoll(t)
	a, b := pair(t)
	if err := e.Add(a, Token{1, 0}, 0, false); err != nil {
		t.Fatal(err)
	}
	unix.Shutdown(b, unix.SHUT_RDWR)
	if events := wait(t, e); len(events) != 1 || events[0].Events&HungUp == 0 {
		t.Errorf("events %v", events)
	}
}

func TestWakeEndsAWait(t *testing.T) {
	e := newEpoll(t)
	for range 100 {
		ended := make(chan int, 1)
		go func() {
			n, _ := e.Wait(make([]Event, MaxEvents), int(testkit.Patience.Milliseconds()))
			ended <- n
		}()
		start := time.Now()
		if err := e.Wake(); err != nil {
			t.Fatal(err)
		}
		if n := <-ended; n != 0 {
			t.Fatalf("the wake-up is shown as %d events", n)
		}
		if time.Since(start) > testkit.Patience/2 {
			t.Fatal("the wait ended by itself")
		}
	}
}

// A wake-up before the wait is not lost, and several count as one.
func TestWakeBeforeTheWait(t *testing.T) {
	e := newEpoll(t)
	e.Wake()
	e.Wake()
	start := time.Now()
	if events := wait(t, e); len(events) != 0 || time.Since(start) > testkit.Patience/2 {
		t.Errorf("events %v after %v", events, time.Since(start))
	}
	if n, err := e.Wait(make([]Event, MaxEvents), 1); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestWaitEndsInTime(t *testing.T) {
	e := newEpoll(t)
	start := time.Now()
	n, err := e.Wait(make([]Event, MaxEvents), 20)
	if took := time.Since(start); n != 0 || err != nil || took < 19*time.Millisecond {
		t.Errorf("%d, %v after %v", n, err, took)
	}
}

// A listener that several instances share wakes at least one of them, and stays
// reported until the connection is accepted.
func TestSharedListener(t *testing.T) {
	listener := tcpListener(t)
	instances := []*Epoll{newEpoll(t), newEpoll(t), newEpoll(t)}
	for i, e := range instances {
		if err := e.Add(listener, Token{uint32(i), 5}, Readable, true); err != nil {
			t.Fatal(err)
		}
	}
	connectTo(t, listener)
	woken := 0
	for end := time.Now().Add(testkit.Patience); woken == 0 && time.Now().Before(end); {
		for i, e := range instances {
			events := make([]Event, MaxEvents)
			n, err := e.Wait(events, 10)
			if err != nil {
				t.Fatal(err)
			}
			if n > 0 && events[0].Token != (Token{uint32(i), 5}) {
				t.Errorf("event %v at instance %d", events[0], i)
			}
			woken += n
		}
	}
	if woken == 0 {
		t.Error("nobody was woken")
	}
	var sa unix.RawSockaddrAny
	conn, err := Accept(listener, &sa)
	if err != nil {
		t.Fatal(err)
	}
	Close(conn)
	for _, e := range instances {
		none(t, e)
	}
}

func TestWakeOfAClosedInstance(t *testing.T) {
	e, err := NewEpoll()
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	a, b := pair(t) // has the numbers that were closed
	if e.Wake() == nil {
		t.Error("no error")
	}
	for _, fd := range []int{a, b} {
		if n := Unread(fd); n != 0 {
			t.Errorf("%d bytes were written to a descriptor of somebody else", n)
		}
	}
}
