package crontab

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/workerman-go/workerman"
)

// Options are the settings of jobs. The zero value is that of New.
type Options struct {
	// Name is the job in the log. Default the rule.
	Name string
	// Location is the time zone of rules that name none. Default time.Local.
	Location *time.Location
	// Late is how late a run may begin: because the loop was busy, the machine slept or its
	// clock was set forward. Of several runs that are late only one is made up for, and what
	// is later is left out, with a line in the log. Default a minute. With 24 hours, a
	// machine that slept at night does its nightly work in the morning. What passed before
	// the program started is never made up for.
	Late time.Duration
	// Only, if not nil, is asked on the loop before each run whether this process is the one
	// to run it, for programs that run several times; if not, the run is left out. The method
	// Load of an atomic.Bool that is true in one of them will do. It must not block.
	Only func() bool
	// On is whose loop runs the job: a *workerman.Master, from its start on; a
	// *workerman.EventLoop; or a *workerman.Conn, with which the job ends. Default
	// workerman.DefaultMaster.
	On Loop
	// Logger gets a line for runs that were left out because they were too late. Default
	// slog.Default.
	Logger *slog.Logger

	clock func() time.Time // nil: time.Now; of tests
}

// Loop runs functions later, one at a time: see Options.On. It must not run one inside After.
type Loop interface {
	After(d time.Duration, fn func()) *workerman.Timer
}

const (
	// lookEvery bounds the time until a job notices that the clock was set.
	lookEvery = 30 * time.Second
	// defaultLate is longer than lookEvery, so that a small step of the clock leaves nothing
	// out.
	defaultLate = time.Minute
)

// A Job runs a function by a schedule. Its methods may be called from every goroutine.
type Job struct {
	options Options
	fn      func()

	mu       sync.Mutex
	schedule *Schedule
	seen     time.Time // what was due until then has run or was left out; zero before the start
	timer    *workerman.Timer
	stopped  bool
}

// New runs fn by the rule on the first loop of the default Master, until Stop. It may be
// called before the Master runs or at any time after. The first run is at the first time of
// the rule after the start. A panic of fn is logged and does not end the job. The error is
// that of Parse.
func New(rule string, fn func()) (*Job, error) { return Options{}.New(rule, fn) }

// New is the function New with these settings. It fails for a wrong setting too.
func (o Options) New(rule string, fn func()) (*Job, error) {
	schedule, err := Parse(rule)
	if err != nil {
		return nil, err
	}
	if err := o.prepare(rule); err != nil {
		return nil, fmt.Errorf("crontab: %w", err)
	}
	if fn == nil {
		return nil, errors.New("crontab: the function is nil")
	}
	j := &Job{options: o, fn: fn, schedule: schedule}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.timer = o.On.After(0, j.begin)
	return j, nil
}

// prepare checks the settings and fills in the defaults.
func (o *Options) prepare(rule string) error {
	if o.Late < 0 {
		return fmt.Errorf("Options.Late is %v; it must not be negative", o.Late)
	}
	if o.Late == 0 {
		o.Late = defaultLate
	}
	if o.Name == "" {
		o.Name = rule
	}
	if o.Location == nil {
		o.Location = time.Local
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.clock == nil {
		o.clock = time.Now
	}
	switch on := o.On.(type) {
	case nil:
		o.On = workerman.DefaultMaster()
	case *workerman.EventLoop: // Worker.EventLoop is nil before the start
		if on == nil {
			return fmt.Errorf("Options.On is an event loop that does not exist yet; make the job in OnWorkerStart: %w", workerman.ErrNotRunning)
		}
	}
	return nil
}

// Next is the time of the next run, the zero Time after Stop. It is in the past while a run
// is late.
func (j *Job) Next() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.stopped:
		return time.Time{}
	case j.seen.IsZero():
		return j.schedule.Next(j.now())
	}
	return j.schedule.Next(j.seen)
}

// Stop ends the job; in its own function too. After a Stop on the loop no run begins; one
// from elsewhere may come while a run is about to.
func (j *Job) Stop() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stopped = true
	j.timer.Stop()
}

// begin is the start of the job on its loop.
func (j *Job) begin() {
	j.mu.Lock()
	j.seen = j.now()
	j.schedule = j.schedule.anchored(j.seen)
	j.mu.Unlock()
	j.arm()
}

// tick runs what is due.
func (j *Job) tick() {
	defer j.arm() // also when fn panics
	due, late := j.take()
	switch {
	case due.IsZero():
	case late > j.options.Late:
		j.options.Logger.Warn("crontab: too late for a run", "job", j.options.Name, "due", due, "late", late.Round(time.Millisecond).String())
	case j.options.Only == nil || j.options.Only():
		j.fn()
	}
}

// arm waits for the next run, or until it is time to look at the clock again.
func (j *Job) arm() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.stopped {
		return
	}
	wait := lookEvery
	if next := j.schedule.Next(j.seen); !next.IsZero() {
		wait = min(wait, max(next.Sub(j.now()), 0))
	}
	j.timer = j.options.On.After(wait, j.tick)
}

// take takes what is due until now, and returns a run that is not too late, if there is one,
// else the first. It is zero if nothing is due.
func (j *Job) take() (due time.Time, late time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := j.now()
	if j.stopped {
		return time.Time{}, 0
	}
	if j.seen.Sub(now) > j.rest() {
		j.seen = now
	}
	due = j.schedule.Next(j.seen)
	if due.IsZero() || due.After(now) {
		return time.Time{}, 0
	}
	j.seen = now
	if limit := now.Add(-j.options.Late); due.Before(limit) {
		if later := j.schedule.Next(limit); !later.IsZero() && !later.After(now) {
			due = later
		}
	}
	return due, now.Sub(due)
}

// rest is how long a job may wait for a clock that was set back to be where it was.
func (j *Job) rest() time.Duration {
	if j.schedule.rhythm {
		return time.Minute
	}
	return 3 * time.Hour
}

// now is the time by the system's clock alone: what passed by the monotonic one does not
// matter here.
func (j *Job) now() time.Time { return j.options.clock().Round(0).In(j.options.Location) }
