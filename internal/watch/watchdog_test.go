package watch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

const (
	limit    = 20 * time.Millisecond
	holds    = "a callback holds its event loop"
	returned = "a slow callback has returned"
	crowded  = "more to do than it can"
)

// looker is a watchdog that looks when a test wants it. Its time goes on by as much as a test
// says; that of the loops is real.
type looker struct {
	*Watchdog
	now time.Time
}

func newLooker(s *service, options Options) *looker {
	options.Limit = limit
	if options.Callbacks == nil {
		options.Callbacks = names
	}
	return &looker{newWatchdog(s, options), time.Now()}
}

// after looks d after the last look.
func (k *looker) after(d time.Duration) (next time.Duration) {
	k.now = k.now.Add(d)
	return k.look(k.now, false)
}

// fresh forgets that stacks were taken a short time ago.
func (k *looker) fresh() { k.dumpDue = time.Time{} }

// expect checks how often the log has a line, and how many slow turns were counted.
func (k *looker) expect(t *testing.T, s *service, slow uint64, line string, times int) {
	t.Helper()
	if got := k.Slow(); got != slow {
		t.Errorf("got %d slow turns, want %d", got, slow)
	}
	if got := len(s.log.Lines(line)); got != times {
		t.Errorf("%q is logged %d times, want %d\n%s", line, got, times, &s.log)
	}
}

// A loop that stands at one step for half of the limit, in a turn that is longer than the limit,
// is slow.
func TestLooksAtASlowCallback(t *testing.T) {
	s := startLoops(t, 1)
	l, k := s.loops[0], newLooker(s, Options{})
	if next := k.after(0); next != minLook {
		t.Errorf("nothing is slow: got the next look in %v, want %v", next, minLook)
	}
	var held stall
	defer held.released.Store(true)
	hold(t, l, held.sleep)
	if next := k.after(0); next != limit/2 {
		t.Errorf("a first look at a long turn: got the next one in %v, want %v", next, limit/2)
	}
	k.expect(t, s, 0, holds, 0)
	k.after(limit/2 - 1)
	k.expect(t, s, 0, holds, 0)
	k.after(1)
	k.expect(t, s, 1, holds, 1)
	if got := len(s.log.Lines(holds, "level=WARN", "callback=Post", "(*stall).sleep (", ") in time.Sleep", "stack=")); got != 1 {
		t.Errorf("got %d lines that say where the loop stands, want 1\n%s", got, &s.log)
	}
	k.after(time.Hour)
	k.expect(t, s, 1, holds, 1)
	k.expect(t, s, 1, returned, 0)
	release(t, l, &held)
	k.after(0)
	k.expect(t, s, 1, returned, 1)
	if got := len(s.log.Lines(returned, "level=INFO", "callback=Post", "took=", "(*stall).sleep (")); got != 1 {
		t.Errorf("got %d lines that say what has returned, want 1\n%s", got, &s.log)
	}
	k.after(0)
	k.expect(t, s, 1, returned, 1)
}

// A site is logged once, the turns are counted all.
func TestSlowCallbackIsLoggedOncePerSite(t *testing.T) {
	s := startLoops(t, 1)
	l, k := s.loops[0], newLooker(s, Options{})
	for i, way := range []func(*stall){(*stall).spin, (*stall).spin, (*stall).sleep, (*stall).spin, (*stall).sleep} {
		var held stall
		defer held.released.Store(true)
		hold(t, l, func() { way(&held) })
		k.fresh()
		k.after(0)
		for k.Slow() == uint64(i) { // the system may have stopped the loop between two of its steps
			k.fresh()
			k.after(limit)
		}
		release(t, l, &held)
		k.after(0)
	}
	k.expect(t, s, 5, holds, 2)
	for _, way := range []string{"spin", "sleep"} {
		k.expect(t, s, 5, "(*stall)."+way, 2) // the beginning and the end
	}
}

func TestLateLookBlamesNobody(t *testing.T) {
	s := startLoops(t, 1)
	k := newLooker(s, Options{})
	var held stall
	defer held.released.Store(true)
	hold(t, s.loops[0], held.sleep)
	k.after(0)
	k.now = k.now.Add(time.Hour)
	k.look(k.now, true)
	k.expect(t, s, 0, holds, 0)
	k.after(limit / 2)
	k.expect(t, s, 1, holds, 1)
}

// A turn that is long because many functions follow each other is blamed on none of them.
func TestTurnOfManyCallbacks(t *testing.T) {
	s := startLoops(t, 1)
	l, k := s.loops[0], newLooker(s, Options{})
	gate, entered, first, second := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
	l.Post(func() {
		close(entered)
		<-gate
	})
	testkit.Receive(t, entered, "the first turn")
	reached := make(chan struct{})
	for _, fn := range []func(){func() { <-first }, func() { close(reached); <-second }} { // of one turn
		l.Post(fn)
	}
	before, _ := l.Turn()
	close(gate)
	testkit.Eventually(t, "the second turn", func() bool { turn, busy := l.Turn(); return busy && turn.Began != before.Began })
	heldFor(t, l, limit)
	k.after(0)
	k.expect(t, s, 0, crowded, 0)
	close(first)
	testkit.Receive(t, reached, "the second function")
	k.after(limit)
	k.expect(t, s, 1, crowded, 1)
	k.expect(t, s, 1, holds, 0)
	close(second)
	testkit.Eventually(t, "the loop sleeps", func() bool { _, busy := l.Turn(); return !busy })
	k.after(0)
	k.expect(t, s, 1, returned, 0)
}

func TestCallbackThatMayTakeItsTime(t *testing.T) {
	s := startLoops(t, 1)
	k := newLooker(s, Options{Callbacks: &Callbacks{Module: names.Module, Names: names.Names, Lengthy: []string{"Post"}}})
	var held stall
	defer held.released.Store(true)
	hold(t, s.loops[0], held.sleep)
	k.after(0)
	k.after(limit)
	if got := len(s.log.Lines(holds, "level=INFO")); got != 1 || k.Slow() != 1 {
		t.Errorf("got %d lines of level INFO and %d slow turns, want 1 and 1\n%s", got, k.Slow(), &s.log)
	}
}

func TestSitesThatAreLoggedAreBounded(t *testing.T) {
	d := newWatchdog(new(service), Options{Limit: limit, Callbacks: names})
	for i := range maxLogged + 10 {
		what := fmt.Sprint("site ", i)
		if got, want := d.isNews(what), i < maxLogged; got != want {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
		if d.isNews(what) {
			t.Errorf("%s is logged twice", what)
		}
	}
}

func TestHolds(t *testing.T) {
	for _, quiet := range []bool{false, true} {
		t.Run(fmt.Sprintf("quiet=%v", quiet), func(t *testing.T) {
			s := startLoops(t, 2)
			k := newLooker(s, Options{Quiet: quiet})
			var held stall
			defer held.released.Store(true)
			hold(t, s.loops[1], held.sleep)
			list := k.Holds(s.loops)
			if len(list) != 2 || list[0] != (Hold{}) {
				t.Fatalf("got %+v, want that the first of two loops is not held", list)
			}
			h := list[1]
			if h.Held < limit || h.Callback != "Post" || !strings.Contains(h.Place, "(*stall).sleep (") {
				t.Errorf("got %+v, want Post in (*stall).sleep", h)
			}
			release(t, s.loops[1], &held)
			if list := k.Holds(s.loops); list[1] != (Hold{}) {
				t.Errorf("after the end: got %+v, want nothing", list[1])
			}
		})
	}
}

// Stacks are taken too seldom to stop the program for long; then it is not known where a loop
// stands.
func TestHoldWithoutAStack(t *testing.T) {
	s := startLoops(t, 1)
	k := newLooker(s, Options{})
	k.dumpDue = time.Now().Add(time.Hour)
	var held stall
	defer held.released.Store(true)
	hold(t, s.loops[0], held.sleep)
	if h := k.Holds(s.loops)[0]; h.Held < limit || h.Callback != noCallback || h.Place != "" {
		t.Errorf("got %+v, want %q without a place", h, noCallback)
	}
}

// A quiet watchdog counts and logs nothing, but tells the rate of requests.
func TestQuietWatchdog(t *testing.T) {
	s := startLoops(t, 1)
	k := newLooker(s, Options{Quiet: true})
	var held stall
	defer held.released.Store(true)
	hold(t, s.loops[0], held.sleep)
	begin := time.Now()
	for range 3 {
		if next := k.after(time.Second); next != maxLook {
			t.Errorf("got the next look in %v, want %v", next, maxLook)
		}
		s.requests.Add(100)
	}
	k.expect(t, s, 0, "level=", 0)
	if got := k.rate.perSecond(begin.Add(4*time.Second), s.requests.Load()); got < 90 || got > 110 {
		t.Errorf("got %v requests per second, want about 100", got)
	}
}

// A watchdog of its own goroutine does all that.
func TestWatchdog(t *testing.T) {
	s := startLoops(t, 2)
	d := Start(s, Options{Limit: limit, Callbacks: names})
	defer d.Stop()
	var held stall
	defer held.released.Store(true)
	s.loops[0].Post(held.spin)
	testkit.Eventually(t, "the callback is logged", func() bool { return len(s.log.Lines(holds, "callback=Post", "(*stall).spin (")) == 1 })
	if d.Slow() == 0 {
		t.Error("the turn is not counted")
	}
	held.released.Store(true)
	testkit.Eventually(t, "its end is logged", func() bool { return len(s.log.Lines(returned, "callback=Post", "(*stall).spin (")) == 1 })
}
