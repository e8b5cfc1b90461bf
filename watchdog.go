package workerman

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/internal/stack"
)

// watchdog looks at the loops of a running master now and then. When one does not get on, its
// stack tells in which callback it is, and where.
type watchdog struct {
	master *Master
	limit  time.Duration // how long a callback may hold its loop; 0: as long as it likes
	quit   chan struct{}
	done   chan struct{}
	rate   rate // of requests
	slow   atomic.Uint64

	mu      sync.Mutex // guards what follows
	turns   map[*loop.Loop]*watchedTurn
	told    map[string]bool // what was logged
	dump    []byte          // the stacks, during a look
	dumpDue time.Time       // no others are taken before
	reports []func()        // lines for the log, written without the lock
}

// watchedTurn is the last turn of a loop that the watchdog has seen.
type watchedTurn struct {
	turn    loop.Turn // as of the last look
	since   time.Time // of the first look that found the loop at this step
	culprit *culprit  // of the step, nil if the stack was not asked yet
	blamed  bool      // the step is known to be slow
	counted bool
	told    *culprit // that the log has, and gets the end of
}

const (
	minLook = 20 * time.Millisecond
	maxLook = 250 * time.Millisecond
	// maxPlaces bounds what is logged; further slow callbacks are only counted.
	maxPlaces = 64
	// maxDump bounds the stacks that are searched for that of a loop. Those of loops come
	// early, because they began early.
	maxDump = 8 << 20
	// dumpShare is how many times as long as a dump took the next one has to wait: with many
	// goroutines it stops the process for long.
	dumpShare = 50
)

// startWatchdog watches the loops until stop is called.
func (m *Master) startWatchdog() (stop func()) {
	d := &watchdog{master: m, quit: make(chan struct{}), done: make(chan struct{})}
	d.turns, d.told = make(map[*loop.Loop]*watchedTurn), make(map[string]bool)
	if m.SlowCallback >= 0 {
		d.limit = m.SlowCallback
		setDefault(&d.limit, DefaultSlowCallback)
	}
	r := m.run.Load()
	r.setWatchdog(d)
	go d.run()
	return func() {
		close(d.quit)
		<-d.done
		r.setWatchdog(nil)
	}
}

func (d *watchdog) run() {
	defer close(d.done)
	pause := d.pause()
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for due := time.Now().Add(pause); ; {
		select {
		case <-d.quit:
			return
		case <-timer.C:
		}
		now := time.Now()
		pause = d.look(now, now.Sub(due) > max(d.limit, maxLook))
		due = time.Now().Add(pause)
		timer.Reset(pause)
	}
}

// pause is the time between two looks while nothing is slow.
func (d *watchdog) pause() time.Duration {
	if d.limit == 0 {
		return maxLook
	}
	return min(max(d.limit/2, minLook), maxLook)
}

// look looks at all loops and says when to look again. A look that comes late saw nobody's
// fault but that of a machine without time for this process.
func (d *watchdog) look(now time.Time, late bool) (next time.Duration) {
	d.rate.sample(now, d.master.requests())
	next = d.pause()
	if d.limit == 0 {
		return next
	}
	d.mu.Lock()
	for _, e := range d.master.runningLoops() {
		next = min(next, d.lookAt(e.loop, now, late))
	}
	d.dump = nil
	reports := d.reports
	d.reports = nil
	d.mu.Unlock()
	for _, report := range reports {
		report()
	}
	return max(next, time.Millisecond)
}

// lookAt looks at a loop, again at the moment when its turn would become too long. That a
// turn is long is not enough: the loop may have much to do. So it must have stood at one step
// for half of the limit. With d.mu held.
func (d *watchdog) lookAt(l *loop.Loop, now time.Time, late bool) (next time.Duration) {
	w := d.turnOf(l)
	t, busy := l.Turn()
	goesOn := w.see(d, l, t, busy, now)
	if !busy {
		return d.pause()
	}
	if late {
		w.since = now
	}
	stands := now.Sub(w.since)
	switch {
	case t.Held < d.limit:
		return d.limit - t.Held
	case w.blamed:
	case goesOn:
		d.crowded(l, w)
	case stands < d.limit/2:
		return d.limit/2 - stands
	default:
		d.blame(l, w, now)
	}
	return d.pause()
}

// see compares the turn t with the one that was seen last. It reports whether the loop has
// got on to another step of the same turn.
func (w *watchedTurn) see(d *watchdog, l *loop.Loop, t loop.Turn, busy bool, now time.Time) (goesOn bool) {
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
		w.since, w.culprit, w.blamed = now, nil, false
	}
	w.turn = t
	return goesOn
}

func (d *watchdog) turnOf(l *loop.Loop) *watchedTurn {
	w := d.turns[l]
	if w == nil {
		w = new(watchedTurn)
		d.turns[l] = w
	}
	return w
}

// examine asks the stack what the loop is at: nil if it has no work or goes on; looked is
// false if the stack does not tell.
func (d *watchdog) examine(l *loop.Loop, w *watchedTurn, now time.Time) (c *culprit, looked bool) {
	if w.culprit != nil {
		return w.culprit, true
	}
	g, ok := stack.Find(d.stacks(now), l.Goroutine())
	if !ok {
		return nil, false
	}
	if t, busy := l.Turn(); !busy || t.Began != w.turn.Began || t.Steps != w.turn.Steps {
		return nil, true
	}
	w.culprit = findCulprit(g)
	return w.culprit, true
}

// stacks takes the stacks once for a look; nil if the last ones were too short a time ago.
func (d *watchdog) stacks(now time.Time) []byte {
	if d.dump == nil && !now.Before(d.dumpDue) {
		begin := time.Now()
		d.dump = stack.Dump(maxDump)
		d.dumpDue = begin.Add(dumpShare * time.Since(begin))
	}
	return d.dump
}

// judge completes the figures of loops that are in a long turn.
func (d *watchdog) judge(loops []*EventLoop, figures []control.Loop) {
	limit := d.limit
	setDefault(&limit, DefaultSlowCallback)
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, e := range loops {
		t, busy := e.loop.Turn()
		if !busy || t.Held < limit {
			continue
		}
		w := d.turnOf(e.loop)
		w.see(d, e.loop, t, busy, now)
		c, looked := d.examine(e.loop, w, now)
		f := &figures[i]
		switch {
		case c != nil:
			f.Callback, f.Place = c.callback, c.place
		case looked:
			continue
		default:
			f.Callback = unknownCallback
		}
		f.Busy = t.Held.Milliseconds()
	}
	d.dump = nil
}
