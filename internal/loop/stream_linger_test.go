package loop

import (
	"errors"
	"testing"
	"time"
)

func TestLingerLimitEndsAClose(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, e Engine, network string) {
		t.Parallel()
		s := serve(t, e, network, nil)
		const limit = 300 * time.Millisecond
		on(t, s.loop, func() { s.linger = limit })
		_, stream := s.connect()
		stream.sendLarge(make([]byte, 16<<20)) // more than the kernel takes
		start := time.Now()
		stream.Close()
		if err := await(t, stream.closed); !errors.Is(err, ErrLinger) {
			t.Errorf("Closed(%v), want %v", err, ErrLinger)
		}
		if took := time.Since(start); took < limit || took > patience/2 {
			t.Errorf("the close ended after %v, the limit is %v", took, limit)
		}
	})
}

// What the kernel took but the peer did not counts as not delivered.
func TestLingerLimitCountsWhatTheKernelHolds(t *testing.T) {
	t.Parallel()
	s := serve(t, Native, "unix", nil)
	const limit = 300 * time.Millisecond
	on(t, s.loop, func() { s.linger = limit })
	_, stream := s.connect()
	stream.send(make([]byte, 10_000))
	stream.Close()
	if err := await(t, stream.closed); !errors.Is(err, ErrLinger) {
		t.Errorf("Closed(%v), want %v", err, ErrLinger)
	}
}

// The limit is for a peer that takes nothing, not for one that takes long.
func TestLingerLimitSparesASlowPeer(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, e Engine, network string) {
		t.Parallel()
		s := serve(t, e, network, nil)
		const limit = 3 * time.Second
		on(t, s.loop, func() { s.linger = limit })
		c, stream := s.connect()
		want := pattern(12<<20, 7)
		stream.sendLarge(want)
		stream.Close()
		start := time.Now()
		for rest := want; len(rest) > 0; {
			n := min(2<<20, len(rest))
			c.expect(rest[:n])
			rest = rest[n:]
			passed(t, s.loop, 600*time.Millisecond)
		}
		if took := time.Since(start); took < limit {
			t.Fatalf("took %v: the test shows nothing", took)
		}
		c.expectEnd(nil)
		c.Close()
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v)", err)
		}
	})
}

// A close that falls into the turn of the stream's own deadline begins its wait then: a
// peer that was silent before has not used up the limit.
func TestCloseInTheTurnOfTheDeadline(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, e Engine) {
		s := serve(t, e, "tcp", nil)
		on(t, s.loop, func() { s.linger = 100 * time.Millisecond })
		c, stream := s.connect()
		passed(t, s.loop, 300*time.Millisecond)
		want := pattern(100_000, 1)
		on(t, s.loop, func() {
			at := s.loop.Now() + 20
			s.loop.After(15*time.Millisecond, func() {
				stream.send(want[:10])
				stream.sendLarge(want[10:])
				stream.send(want[:10])
				stream.Close()
			})
			stream.SetDeadline(at)
			for int64(s.loop.Elapsed()/time.Millisecond) < at+2 { // both are due in the next turn
			}
		})
		c.expectEnd(append(want, want[:10]...))
		c.Close()
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v)", err)
		}
	})
}
