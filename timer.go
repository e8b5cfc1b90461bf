package workerman

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
)

// Timer is a function that runs later, once or again and again, on an event loop and so
// one at a time with the loop's callbacks. It counts on the monotonic clock, to about a
// millisecond.
type Timer struct {
	conn *Conn // whose After or Every made the timer, nil for others

	mu      sync.Mutex
	inner   *loop.Timer
	stopped bool
	start   func() *loop.Timer // until the master runs
}

// AddTimer runs fn every interval on the first loop of this process. Called before RunAll, as
// in main, it runs in every process of every worker; in OnWorkerStart in those of the worker,
// and behind a look at Worker.ID in one of them. The first run is one interval from now, or
// from the start if that is later. A late or long run delays the next; missed runs are not
// made up. An interval below a millisecond means a millisecond.
func AddTimer(interval time.Duration, fn func()) *Timer { return defaultMaster.AddTimer(interval, fn) }

// After runs fn once on the first loop of this process, after d has passed; before RunAll it
// is as AddTimer.
func After(d time.Duration, fn func()) *Timer { return defaultMaster.After(d, fn) }

// DelTimer stops a timer, as t.Stop does; nil is allowed.
func DelTimer(t *Timer) bool { return t != nil && t.Stop() }

// AddTimer is the function AddTimer for this master.
func (m *Master) AddTimer(interval time.Duration, fn func()) *Timer {
	return m.startTimer(func(l *loop.Loop) *loop.Timer {
		return l.Every(interval, func() { m.guard(fn) })
	})
}

// After is the function After for this master.
func (m *Master) After(d time.Duration, fn func()) *Timer {
	return m.startTimer(func(l *loop.Loop) *loop.Timer {
		return l.After(d, func() { m.guard(fn) })
	})
}

// startTimer arms a timer now, or when the master starts.
func (m *Master) startTimer(arm func(*loop.Loop) *loop.Timer) *Timer {
	t := new(Timer)
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.firstLoop(); l != nil {
		t.inner = arm(l)
		return t
	}
	t.start = func() *loop.Timer { return arm(m.firstLoop()) }
	m.pending = append(m.pending, t)
	return t
}

// begin arms a timer that was made before the start.
func (t *Timer) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.stopped {
		t.inner = t.start()
	}
	t.start = nil
}

// Stop ends the timer; in its own function too. It reports whether that kept a run from
// happening.
func (t *Timer) Stop() bool {
	if t.conn != nil {
		t.conn.forgetTimer(t)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.stopped
	t.stopped = true
	if t.inner == nil {
		return !was
	}
	return t.inner.Stop()
}

// After runs fn once after d, with the connection's callbacks, unless it closes before.
func (c *Conn) After(d time.Duration, fn func()) *Timer {
	t := &Timer{conn: c}
	return c.ownTimer(t, func(l *loop.Loop) *loop.Timer {
		return l.After(d, func() {
			c.forgetTimer(t)
			c.run(fn)
		})
	})
}

// Every runs fn every interval, with the connection's callbacks, until it closes.
func (c *Conn) Every(interval time.Duration, fn func()) *Timer {
	return c.ownTimer(&Timer{conn: c}, func(l *loop.Loop) *loop.Timer {
		var queued atomic.Bool // a run that still waits for the connection's goroutine
		return l.Every(interval, func() {
			if queued.CompareAndSwap(false, true) {
				c.run(func() {
					queued.Store(false)
					fn()
				})
			}
		})
	})
}

// ownTimer arms t if the connection is open; a timer of a closed one never runs.
func (c *Conn) ownTimer(t *Timer, arm func(*loop.Loop) *loop.Timer) *Timer {
	if c.packets() != nil && c.Client() == nil {
		t.conn, t.inner = nil, arm(c.stream.Loop())
		return t
	}
	x := c.ensureRare()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed || c.packets() == nil && c.stream.Closed() {
		t.stopped = true
		return t
	}
	if x.timers == nil {
		x.timers = make(map[*Timer]struct{})
	}
	x.timers[t] = struct{}{}
	t.mu.Lock()
	t.inner = arm(c.stream.Loop())
	t.mu.Unlock()
	return t
}

func (c *Conn) forgetTimer(t *Timer) {
	if x := c.rare(); x != nil {
		x.mu.Lock()
		delete(x.timers, t)
		x.mu.Unlock()
	}
}

// stopTimers ends the timers and the context of a connection that is gone.
func (c *Conn) stopTimers() {
	x := c.rare()
	if x == nil {
		return
	}
	x.mu.Lock()
	x.closed = true
	timers, life := x.timers, x.life
	x.timers = nil
	x.mu.Unlock()
	if life != nil {
		life.over(ErrClosed)
	}
	for t := range timers {
		t.Stop()
	}
}
