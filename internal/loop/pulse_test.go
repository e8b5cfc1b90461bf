package loop

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestTurnIsSeenFromOutside(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		until(t, "the loop sleeps", func() bool { _, busy := l.Turn(); return !busy })
		entered, release := make(chan []byte), make(chan struct{})
		for range 2 {
			l.Post(func() {
				var buf [64]byte
				entered <- buf[:runtime.Stack(buf[:], false)]
				<-release
			})
			if head := string(await(t, entered)); !strings.HasPrefix(head, "goroutine "+fmt.Sprint(l.Goroutine())+" ") {
				t.Errorf("goroutine %d, its stack begins with %q", l.Goroutine(), head)
			}
			first, busy := l.Turn()
			if !busy || first.Began <= 0 || first.Held < 0 {
				t.Fatalf("%+v, %v", first, busy)
			}
			l.WatchTurn()
			again, _ := l.Turn()
			if again.Began != first.Began || again.Steps != first.Steps || again.Held < first.Held {
				t.Errorf("%+v became %+v in one step", first, again)
			}
			if _, ok := l.Took(first.Began); ok {
				t.Error("a turn that goes on has ended")
			}
			until(t, "the turn counts as long", func() bool { return l.Longest() >= 10*time.Millisecond })
			release <- struct{}{}
			until(t, "the turn is over", func() bool { _, ok := l.Took(first.Began); return ok })
			if took, _ := l.Took(first.Began); took < 10*time.Millisecond && l.Longest() < 10*time.Millisecond || took < again.Held {
				t.Errorf("a turn of at least %v took %v, longest %v", again.Held, took, l.Longest())
			}
		}
	})
}

// Each event, timer and posted function is a step.
func TestStepsOfATurn(t *testing.T) {
	l, err := New(Portable)
	if err != nil {
		t.Fatal(err)
	}
	steps := func() uint64 { turn, _ := l.Turn(); return turn.Steps }
	var seen []uint64
	note := func() { seen = append(seen, steps()) }
	l.Post(func() {
		l.WatchTurn()
		note()
	})
	l.Post(note)
	l.Post(note)
	l.turn(0)
	if seen[0] == seen[1] || seen[1] == seen[2] {
		t.Errorf("functions at the steps %v", seen)
	}
	unwatched := steps()
	l.Post(note)
	l.turn(0) // the watch has ended with its turn
	if steps() != unwatched {
		t.Errorf("a turn that nobody watches counts its steps")
	}
	var timers []Turn
	for together := false; !together; l.turn(0) { // until two timers run in one turn
		if n := len(timers); n > 1 && timers[n-1].Began == timers[n-2].Began {
			if together = true; timers[n-1].Steps == timers[n-2].Steps {
				t.Errorf("timers at the steps %+v", timers)
			}
		}
		for range 2 {
			l.After(0, func() {
				l.WatchTurn()
				turn, _ := l.Turn()
				timers = append(timers, turn)
			})
		}
	}
}

func TestLongestForgets(t *testing.T) {
	l, err := New(Portable)
	if err != nil {
		t.Fatal(err)
	}
	p := &l.pulse
	second := time.Second
	for _, turn := range []struct{ began, took, longest time.Duration }{
		{1 * second, 300 * time.Millisecond, 300 * time.Millisecond},
		{2 * second, 100 * time.Millisecond, 300 * time.Millisecond},
		{7 * second, 200 * time.Millisecond, 300 * time.Millisecond},
		{12 * second, 50 * time.Millisecond, 200 * time.Millisecond},
		{17 * second, 20 * time.Millisecond, 50 * time.Millisecond},
		{60 * second, time.Microsecond, 0},
	} {
		p.turns(turn.began)
		p.sleeps(turn.began + turn.took)
		l.base = time.Now().Add(-turn.began - turn.took)
		if got := l.Longest(); got != turn.longest {
			t.Errorf("after %v: %v, want %v", turn.began, got, turn.longest)
		}
	}
}

func TestGlance(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		s := serve(t, e, network, func(c *conn) {
			c.receive = func(c *conn, b []byte) (int, int) {
				c.send(b[:len(b)-3])
				return len(b) - 3, 0
			}
		})
		c, stream := s.connect()
		c.write([]byte("hello and"))
		c.expect([]byte("hello "))
		until(t, "the rest is kept", func() bool { g, _ := stream.Glance(); return g.In == 9 })
		g, ok := stream.Glance()
		if !ok || !g.Open || g.Closed || g.Paused || g.Secure || g.Unconsumed != 3 || g.Queued != 0 || g.Out != 6 || g.LastActive > s.loop.Elapsed().Milliseconds() {
			t.Errorf("%+v, %v", g, ok)
		}
		stream.Pause(1)
		if g, _ := stream.Glance(); !g.Paused {
			t.Errorf("%+v", g)
		}
		tx, _ := stream.Begin()
		if g, ok := stream.Glance(); ok || !g.Open || !g.Paused {
			t.Errorf("while it is locked: %+v, %v", g, ok)
		}
		tx.Abort()
		stream.Destroy(ErrDestroyed)
		await(t, stream.closed)
		if g, ok := stream.Glance(); !ok || g.Open || !g.Closed || g.Unconsumed != 0 {
			t.Errorf("closed: %+v, %v", g, ok)
		}
	})
}
