package watch

import (
	"time"

	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/internal/stack"
)

// watchedTurn is the last turn of a loop that the watchdog has seen.
type watchedTurn struct {
	turn    loop.Turn // as of the last look
	since   time.Time // when a look first found the loop at this step
	site    *Site     // where the step is, nil if the stack was not asked yet
	blamed  bool      // the step is known to be slow
	counted bool      // the turn is among the slow ones
	logged  *Site     // what the log has of this turn; it gets the end, too
}

// turnOf returns the turn that was seen last. With d.mu held, as all that follows.
func (d *Watchdog) turnOf(l *loop.Loop) *watchedTurn {
	w := d.turns[l]
	if w == nil {
		w = new(watchedTurn)
		d.turns[l] = w
	}
	return w
}

// see compares the turn t with the one that was seen last. It reports whether the loop has
// got on to another step of the same turn.
func (d *Watchdog) see(l *loop.Loop, w *watchedTurn, t loop.Turn, busy bool, now time.Time) (goesOn bool) {
	if w.turn.Began != 0 && (!busy || t.Began != w.turn.Began) {
		d.ended(l, w)
		*w = watchedTurn{}
	}
	switch {
	case !busy:
		return false
	case w.turn.Began == 0:
		l.WatchTurn()
		w.since = now
	case t.Steps != w.turn.Steps:
		goesOn = true
		w.since, w.site, w.blamed = now, nil, false
	}
	w.turn = t
	return goesOn
}

// examine asks the stack where the loop stands. The site is nil if the loop has no work or has
// gone on; looked is false if the stack does not tell.
func (d *Watchdog) examine(l *loop.Loop, w *watchedTurn, now time.Time) (site *Site, looked bool) {
	if w.site != nil {
		return w.site, true
	}
	g, ok := stack.Find(d.stacks(now), l.Goroutine())
	if !ok {
		return nil, false
	}
	if t, busy := l.Turn(); !busy || t.Began != w.turn.Began || t.Steps != w.turn.Steps {
		return nil, true
	}
	w.site = d.callbacks.find(g)
	return w.site, true
}

// Hold is a long turn of a loop.
type Hold struct {
	Held     time.Duration // how long the turn has gone on; 0: the loop is not held
	Callback string        // "OnMessage", "timer"
	Place    string        // as that of a Site; empty if the stack does not tell
}

// Holds tells which of the loops are held now for longer than the limit, and where: one Hold for
// each loop. If one is, the program stands still for its stacks, but not too often.
func (d *Watchdog) Holds(loops []*loop.Loop) []Hold {
	list := make([]Hold, len(loops))
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, l := range loops {
		t, busy := l.Turn()
		if !busy || t.Held < d.limit {
			continue
		}
		w := d.turnOf(l)
		d.see(l, w, t, busy, now)
		switch site, looked := d.examine(l, w, now); {
		case site != nil:
			list[i] = Hold{t.Held, site.Callback, site.Place}
		case !looked:
			list[i] = Hold{t.Held, noCallback, ""}
		}
	}
	d.dump = nil
	return list
}
