package loop

import (
	"bytes"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// pulse is what other goroutines see of a loop's turns. It costs the loop an atomic store at
// the beginning of a turn and one before it sleeps; the time is read there anyway.
type pulse struct {
	began     atomic.Int64  // when the turn that runs began, in nanoseconds since base; 0 while the loop sleeps
	watched   atomic.Bool   // somebody wants to know whether this turn gets on
	steps     atomic.Uint64 // events, timers, functions and streams begun in watched turns
	longest   [2]atomic.Uint64
	goroutine atomic.Uint64

	mu    sync.Mutex // guards what follows
	ended ending
}

// ending is how long a watched turn took.
type ending struct{ began, took time.Duration }

// Turn is what a loop is at.
type Turn struct {
	Began time.Duration // since the loop was made; no two turns begin at the same time
	Held  time.Duration // how long the turn has gone on
	// Steps changes when the loop goes on to the next callback, in turns that are watched.
	Steps uint64
}

// Turn is the turn that runs now; false if the loop sleeps. Any goroutine may ask.
func (l *Loop) Turn() (t Turn, busy bool) {
	began := time.Duration(l.pulse.began.Load())
	return Turn{Began: began, Held: l.Elapsed() - began, Steps: l.pulse.steps.Load()}, began != 0
}

// WatchTurn makes the loop count the steps of the turn that runs, and note its end for Took.
// Any goroutine may call it.
func (l *Loop) WatchTurn() { l.pulse.watched.Store(true) }

// Took is how long the turn took that began then; false unless it is the last one that was
// watched and has ended. Any goroutine may ask.
func (l *Loop) Took(began time.Duration) (took time.Duration, ok bool) {
	p := &l.pulse
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended.took, p.ended.began == began
}

// Longest is the longest turn of the last 5 to 10 seconds, the one that runs included, to a
// millisecond. Any goroutine may ask.
func (l *Loop) Longest() time.Duration {
	now := l.Elapsed()
	var longest time.Duration
	for i := range l.pulse.longest {
		noted := l.pulse.longest[i].Load()
		if age := uint64(now/longestPeriod) - noted>>32; age <= 1 {
			longest = max(longest, time.Duration(uint32(noted))*time.Millisecond)
		}
	}
	if t, busy := l.Turn(); busy {
		longest = max(longest, t.Held)
	}
	return longest.Truncate(time.Millisecond)
}

// Goroutine is the number by which the runtime's stacks name the goroutine of Run, 0 before.
// Any goroutine may ask.
func (l *Loop) Goroutine() uint64 { return l.pulse.goroutine.Load() }

// longestPeriod is how long a slot of pulse.longest is in use: the number of the period is
// above its milliseconds, so that nobody has to clear it.
const longestPeriod = 5 * time.Second

// turns says that a turn begins, and ends the one before if the loop did not sleep.
func (p *pulse) turns(now time.Duration) {
	p.rest(now)
	p.began.Store(int64(now))
}

// sleeps says that the loop is going to sleep.
func (p *pulse) sleeps(now time.Duration) {
	p.rest(now)
	p.began.Store(0)
}

// rest notes the turn that has ended, if it is worth it.
func (p *pulse) rest(now time.Duration) {
	began := time.Duration(p.began.Load())
	if began != 0 && (now-began >= time.Millisecond || p.watched.Load()) {
		p.note(began, now)
	}
}

func (p *pulse) note(began, now time.Duration) {
	if p.watched.Swap(false) {
		p.mu.Lock()
		p.ended = ending{began, now - began}
		p.mu.Unlock()
	}
	period := uint64(now / longestPeriod)
	slot := &p.longest[period%2]
	noted := slot.Load()
	if took := uint64((now - began) / time.Millisecond); noted>>32 != period || uint64(uint32(noted)) < took {
		slot.Store(period<<32 | took)
	}
}

// step says that the loop goes on to its next piece of work.
func (p *pulse) step() {
	if p.watched.Load() {
		p.steps.Add(1)
	}
}

// goroutineNumber is the number of this goroutine, which the runtime tells in stacks alone.
func goroutineNumber() uint64 {
	var buf [64]byte
	head := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	digits, _, _ := bytes.Cut(head, []byte(" "))
	n, _ := strconv.ParseUint(string(digits), 10, 64)
	return n
}
