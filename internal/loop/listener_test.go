package loop

import (
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/internal/socket"
)

// mustDial connects from any goroutine.
func (s *server) mustDial() net.Conn {
	c, err := net.Dial(s.network, s.address)
	if err != nil {
		s.t.Error(err)
		panic(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	return c
}

func TestPausedListenerAcceptsNothing(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		s := serve(t, e, network, nil)
		s.connect()
		on(t, s.loop, s.listener.Pause)
		if e == Portable { // one Accept is under way, its connection waits
			s.dial()
		}
		c := s.dial()
		passed(t, s.loop, 20*time.Millisecond)
		if n := s.loop.Streams(); n != 1 {
			t.Fatalf("%d streams, want the one from before the pause", n)
		}
		on(t, s.loop, func() {
			if err := s.listener.Resume(); err != nil {
				t.Error(err)
			}
			s.listener.Resume()
		})
		c.write([]byte("x"))
		c.expect([]byte("x"))
	})
}

func TestClosedListenerAcceptsNothing(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		s := serve(t, e, "tcp", nil)
		_, stream := s.connect()
		on(t, s.loop, func() {
			s.listener.Close()
			s.listener.Close()
			s.listener.Resume()
		})
		if c, err := net.Dial("tcp", s.address); err == nil { // the socket itself is still bound
			c.Close()
		}
		passed(t, s.loop, 10*time.Millisecond)
		if n := s.loop.Streams(); n != 1 {
			t.Errorf("%d streams, want 1", n)
		}
		if !stream.Open() {
			t.Error("closing the listener closed a stream")
		}
	})
}

// Two listeners have connections in the same turn, and the acceptor of each pauses the
// other: the event that is on its way must not be served.
func TestPauseBeatsAPendingEvent(t *testing.T) {
	s := serve(t, Native, "tcp", nil)
	var listeners [2]*Listener
	var accepted atomic.Int32
	for i := range listeners {
		ln, err := socket.Listen(socket.Address{Network: "tcp", Host: "127.0.0.1"}, socket.Options{})
		if err != nil {
			t.Fatal(err)
		}
		address := ln.Addr().String()
		bound, err := Bind(ln, Native)
		if err != nil {
			t.Fatal(err)
		}
		defer bound.Close()
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		on(t, s.loop, func() {
			listeners[i] = s.loop.Listen(bound, pauser(func() {
				accepted.Add(1)
				listeners[1-i].Pause()
			}))
		})
	}
	on(t, s.loop, func() {
		for _, lis := range listeners {
			lis.Resume()
		}
	})
	passed(t, s.loop, 10*time.Millisecond)
	if n := accepted.Load(); n != 1 {
		t.Errorf("%d connections were accepted, want 1", n)
	}
	on(t, s.loop, func() {
		for _, lis := range listeners {
			lis.Close()
		}
	})
}

// pauser is called for each connection, which it closes.
type pauser func()

func (p pauser) Accepted(in Incoming) {
	in.Discard()
	p()
}

func (p pauser) AcceptFailed(error) {}

// failingListener is a listener whose socket has input but cannot accept.
func failingListener(t *testing.T, s *server) *Listener {
	t.Helper()
	pc, err := socket.ListenPacket(socket.Address{Network: "udp", Host: "127.0.0.1"}, socket.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	fd, err := socket.Descriptor(pc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if _, err := pc.WriteTo([]byte("x"), pc.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	return s.loop.Listen(&Bound{fd: fd}, s)
}

// A system without room for connections is asked again a little later, not at once and
// for ever.
func TestFailedAcceptIsTriedAgain(t *testing.T) {
	s := serve(t, Native, "tcp", nil)
	failed := make(chan error, 1000)
	var lis *Listener
	on(t, s.loop, func() {
		s.onFail = func(err error) { failed <- err }
		lis = failingListener(t, s)
		lis.Resume()
	})
	start := time.Now()
	for range 2 {
		if err := await(t, failed); err != syscall.EOPNOTSUPP {
			t.Errorf("AcceptFailed(%v)", err)
		}
	}
	if took := time.Since(start); took < acceptRetry {
		t.Errorf("tried again after %v", took)
	}
	on(t, s.loop, lis.Close)
	passed(t, s.loop, 2*acceptRetry)
	if n := len(failed); n > 1 {
		t.Errorf("%d more tries of a closed listener", n)
	}
}

// Pause while the retry is pending holds.
func TestPauseDuringTheRetry(t *testing.T) {
	s := serve(t, Native, "tcp", nil)
	failed := make(chan error, 1000)
	var lis *Listener
	on(t, s.loop, func() {
		s.onFail = func(err error) { failed <- err }
		lis = failingListener(t, s)
		lis.Resume()
	})
	await(t, failed)
	on(t, s.loop, lis.Pause)
	passed(t, s.loop, 2*acceptRetry)
	if n := len(failed); n != 0 {
		t.Errorf("a paused listener tried %d times to accept", n)
	}
	on(t, s.loop, lis.Close)
}

// Several loops accept from one socket, each connection on one of them.
func TestListenerSharedByLoops(t *testing.T) {
	ln, err := socket.Listen(socket.Address{Network: "tcp", Host: "127.0.0.1"}, socket.Options{})
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	bound, err := Bind(ln, Native)
	if err != nil {
		t.Fatal(err)
	}
	defer bound.Close()
	var accepted atomic.Int32
	for range 3 {
		l := startLoop(t, Native)
		var lis *Listener
		on(t, l, func() {
			lis = l.Listen(bound, &discarder{t, &accepted})
			lis.Resume()
		})
		defer on(t, l, func() { lis.Close() })
	}
	const count = 200
	for range count {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	until(t, "all are accepted", func() bool { return accepted.Load() == count })
}

// discarder counts connections and closes them.
type discarder struct {
	t     *testing.T
	count *atomic.Int32
}

func (d *discarder) Accepted(in Incoming) {
	d.count.Add(1)
	in.Discard()
}

func (d *discarder) AcceptFailed(err error) { d.t.Errorf("accept: %v", err) }
