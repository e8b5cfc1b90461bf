package loop

import (
	"sync"
	"time"
)

// timers is a wheel that every goroutine may use.
type timers struct {
	mu         sync.Mutex
	wheel      wheel
	sleepUntil int64 // tick until which the loop sleeps; 0 while it is awake
}

// forever is the tick of a sleep without a deadline.
const forever = int64(1<<63 - 1)

// Timer is a function that runs on the loop once or again and again.
type Timer struct {
	loop   *Loop
	node   node
	period int64 // ticks; 0 runs once
	fn     func()
}

// After runs fn on the loop once, after d has passed. Any goroutine may call it.
func (l *Loop) After(d time.Duration, fn func()) *Timer { return l.newTimer(d, 0, fn) }

// Every runs fn on the loop every d, counted from the start of each run: a late or
// long run delays the next one and missed runs are not made up.
func (l *Loop) Every(d time.Duration, fn func()) *Timer {
	return l.newTimer(d, max(ticks(d), 1), fn)
}

func (l *Loop) newTimer(d time.Duration, period int64, fn func()) *Timer {
	t := &Timer{loop: l, period: period, fn: fn}
	t.node.owner = t
	l.userTimers.Add(1)
	l.arm(&t.node, ticks(l.Elapsed())+ticks(d))
	return t
}

// ticks rounds up: a timer may be late by a tick, never early.
func ticks(d time.Duration) int64 {
	n := int64(d / time.Millisecond)
	if d%time.Millisecond > 0 {
		n++
	}
	return max(n, 0)
}

// Stop disarms the timer. It reports whether that kept a run from happening: false if
// it ran already, was stopped before, or is running for the last time.
func (t *Timer) Stop() bool {
	l := t.loop
	l.timers.mu.Lock()
	defer l.timers.mu.Unlock()
	l.timers.wheel.remove(&t.node)
	if t.fn == nil {
		return false
	}
	t.fn = nil
	l.userTimers.Add(-1)
	return true
}

// expire runs the timer's function and re-arms a repeating timer.
func (t *Timer) expire(now int64) {
	l := t.loop
	l.timers.mu.Lock()
	fn := t.fn
	if fn != nil && t.period == 0 {
		t.fn = nil
		l.userTimers.Add(-1)
	}
	l.timers.mu.Unlock()
	if fn == nil {
		return
	}
	fn()
	if t.period == 0 {
		return
	}
	l.timers.mu.Lock()
	defer l.timers.mu.Unlock()
	if t.fn != nil {
		l.timers.wheel.add(&t.node, now+t.period)
	}
}

// Timers is the number of timers that After and Every armed and that may still run.
func (l *Loop) Timers() int { return int(l.userTimers.Load()) }

// arm sets n to expire at the tick when, and wakes the loop if it sleeps beyond it.
func (l *Loop) arm(n *node, when int64) {
	t := &l.timers
	t.mu.Lock()
	t.wheel.remove(n)
	t.wheel.add(n, when)
	wake := n.when < t.sleepUntil
	if wake {
		t.sleepUntil = 0
	}
	t.mu.Unlock()
	if wake {
		l.counters.Wakes.Add(1)
		l.engine.wake()
	}
}

func (l *Loop) disarm(n *node) {
	l.timers.mu.Lock()
	l.timers.wheel.remove(n)
	l.timers.mu.Unlock()
}

// untilTimer is how long the loop may sleep: -1 for ever, else milliseconds.
func (t *timers) untilTimer(now int64) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	next, ok := t.wheel.next()
	if !ok {
		t.sleepUntil = forever
		return -1
	}
	if next <= now {
		return 0
	}
	t.sleepUntil = next
	return int(min(next-now, 1<<30))
}

func (t *timers) awake() {
	t.mu.Lock()
	t.sleepUntil = 0
	t.mu.Unlock()
}

// maxTimersPerTurn bounds the timers run in one turn; the rest waits for the next.
const maxTimersPerTurn = 4096

func (l *Loop) runTimers() {
	t := &l.timers
	t.mu.Lock()
	t.wheel.advance(l.now)
	t.mu.Unlock()
	for range maxTimersPerTurn {
		t.mu.Lock()
		n := t.wheel.pop()
		t.mu.Unlock()
		if n == nil {
			return
		}
		l.pulse.step()
		n.owner.expire(l.now)
	}
}
