package watch

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/internal/stack"
)

// Service is what a Watchdog watches. Its methods are called from the watchdog's goroutine, some
// with the watchdog's lock held, and must not wait for a loop.
type Service interface {
	// Loops are the loops that run now. The slice is not changed by either side.
	Loops() []*loop.Loop
	// Requests is the number of requests served so far, of which the rate is told.
	Requests() uint64
	// Logger gets what is to be said about a loop.
	Logger(l *loop.Loop) *slog.Logger
}

// Options are the settings of a Watchdog.
type Options struct {
	// Limit is how long a callback may hold its loop. It must be above 0.
	Limit time.Duration
	// Quiet leaves slow callbacks uncounted and not logged. Holds answers all the same.
	Quiet bool
	// Callbacks tell the callbacks by the functions on a loop's stack.
	Callbacks *Callbacks
}

// Watchdog looks at the loops of a service. Its methods may be called from every goroutine.
type Watchdog struct {
	service   Service
	limit     time.Duration
	quiet     bool
	callbacks *Callbacks
	quit      chan struct{}
	done      chan struct{}
	rate      rate // requests per second
	slow      atomic.Uint64

	mu      sync.Mutex // guards what follows
	turns   map[*loop.Loop]*watchedTurn
	logged  map[string]bool // callbacks and functions, once for the watchdog's life
	dump    []byte          // the stacks, during a look
	dumpDue time.Time       // no others are taken before
	reports []func()        // lines for the log, written without the lock
}

const (
	minLook = 20 * time.Millisecond
	maxLook = 250 * time.Millisecond
	// maxDump bounds the stacks that are searched for that of a loop. Those of loops come
	// early, because they began early.
	maxDump = 8 << 20
	// dumpShare is how many times as long as a dump took the next one has to wait. With many
	// goroutines a dump stops the process for long.
	dumpShare = 50
)

// Start starts a watchdog, which watches until Stop is called.
func Start(service Service, options Options) *Watchdog {
	d := newWatchdog(service, options)
	go d.run()
	return d
}

func newWatchdog(service Service, options Options) *Watchdog {
	return &Watchdog{
		service: service, limit: options.Limit, quiet: options.Quiet, callbacks: options.Callbacks,
		quit: make(chan struct{}), done: make(chan struct{}),
		turns: make(map[*loop.Loop]*watchedTurn), logged: make(map[string]bool),
	}
}

// Stop ends the watchdog and waits for its goroutine. Call it once.
func (d *Watchdog) Stop() {
	close(d.quit)
	<-d.done
}

// Slow is the number of turns so far in which a callback held a loop for longer than the limit,
// or many callbacks did so together.
func (d *Watchdog) Slow() uint64 { return d.slow.Load() }

// Rate is the number of requests per second over the last 5 seconds; requests is how many there
// are by now.
func (d *Watchdog) Rate(requests uint64) float64 { return d.rate.perSecond(time.Now(), requests) }

func (d *Watchdog) run() {
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
func (d *Watchdog) pause() time.Duration {
	if d.quiet {
		return maxLook
	}
	return min(max(d.limit/2, minLook), maxLook)
}

// look looks at all loops and says when to look again. A look that comes late saw nobody's
// fault but that of a machine without time for this process.
func (d *Watchdog) look(now time.Time, late bool) (next time.Duration) {
	d.rate.sample(now, d.service.Requests())
	next = d.pause()
	if d.quiet {
		return next
	}
	d.mu.Lock()
	for _, l := range d.service.Loops() {
		next = min(next, d.lookAt(l, now, late))
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

// lookAt looks at a loop, and again at the moment when its turn would become too long. That a
// turn is long is not enough, because the loop may have much to do: it must have stood at one
// step for half of the limit. With d.mu held.
func (d *Watchdog) lookAt(l *loop.Loop, now time.Time, late bool) (next time.Duration) {
	w := d.turnOf(l)
	t, busy := l.Turn()
	goesOn := d.see(l, w, t, busy, now)
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

// stacks takes the stacks once for a look; nil if the last ones were too short a time ago. With
// d.mu held.
func (d *Watchdog) stacks(now time.Time) []byte {
	if d.dump == nil && !now.Before(d.dumpDue) {
		begin := time.Now()
		d.dump = stack.Dump(maxDump)
		d.dumpDue = begin.Add(dumpShare * time.Since(begin))
	}
	return d.dump
}
