package loop

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workerman-go/workerman/internal/poll"
)

// Engine names how a loop learns what is ready.
type Engine int

const (
	// Native is the fastest engine of the system: epoll on Linux, else Portable.
	Native Engine = iota
	// Portable runs goroutines over package net.
	Portable
)

// engine reports readiness. wait is called by the loop alone, wake by everyone.
type engine interface {
	// wait fills events; timeout is in milliseconds, 0 does not block, -1 has no limit.
	wait(events []poll.Event, timeout int) (int, error)
	wake()
	close()
}

const (
	readBufferSize = 64 << 10
	corkSize       = 64 << 10
)

// Loop is one event loop. Post, After, Every, Stop and Wake may be called from every
// goroutine; everything else runs on the loop.
type Loop struct {
	engine  engine
	native  bool
	events  [poll.MaxEvents]poll.Event
	crowded bool // the last look found several events: look again without blocking before sleeping

	base time.Time
	now  int64 // milliseconds since base, renewed once per turn

	entries    table
	timers     timers
	userTimers atomic.Int64
	tasks      tasks
	collected  collector
	sleeping   atomic.Bool
	stopping   atomic.Bool
	done       chan struct{}
	pulse      pulse

	read     []byte // lent to owners while they receive
	cork     block
	corkQ    outQueue
	watches  map[int]*watch
	serving  *Stream // whose burst it is; noted only for checks in tests
	arrived  uint64  // bytes that the stream being served has received
	records  []byte  // encrypted input; nil until a stream is encrypted
	dry      bool    // the socket of the stream being served has no more input for now
	pipes    pipePool
	streams  atomic.Int64
	counters Counters
}

// Counters counts the system calls of a loop's streams. Waits and Reads are written
// by the loop alone.
type Counters struct {
	Waits  uint64
	Reads  uint64
	Writes atomic.Uint64
	Ctls   atomic.Uint64
	Wakes  atomic.Uint64
}

// New makes a loop; Run starts it.
func New(e Engine) (*Loop, error) {
	l := &Loop{base: time.Now(), done: make(chan struct{}), read: make([]byte, readBufferSize)}
	l.cork.b = make([]byte, 0, corkSize)
	var err error
	if e == Native {
		l.engine, l.native, err = newNative()
	} else {
		l.engine = newPortable()
	}
	if err != nil {
		return nil, fmt.Errorf("event loop: %w", err)
	}
	l.corkQ.cork = &l.cork
	return l, nil
}

// Elapsed is the exact monotonic time since the loop was made, for any goroutine.
func (l *Loop) Elapsed() time.Duration { return time.Since(l.base) }

// Now is the time of the current turn in milliseconds since the loop was made.
func (l *Loop) Now() int64 { return l.now }

// Time turns a value of Now into a time of day.
func (l *Loop) Time(now int64) time.Time {
	return l.base.Add(time.Duration(now) * time.Millisecond)
}

// Streams is the number of open streams. Any goroutine may ask.
func (l *Loop) Streams() int { return int(l.streams.Load()) }

// Counters are the loop's system call counters.
func (l *Loop) Counters() *Counters { return &l.counters }

// Run serves the loop on this goroutine until Stop is called, and releases it.
func (l *Loop) Run() error {
	defer close(l.done)
	defer l.engine.close()
	defer l.pipes.close()
	l.pulse.goroutine.Store(goroutineNumber())
	for !l.stopping.Load() {
		n, err := l.wait()
		if err != nil {
			return err
		}
		l.turn(n)
	}
	l.turn(0) // what was posted before Stop still runs
	l.pulse.sleeps(l.Elapsed())
	return nil
}

// Stop makes Run return after the current turn. Done is closed then.
func (l *Loop) Stop() {
	l.stopping.Store(true)
	l.engine.wake()
}

// Done is closed when Run has returned.
func (l *Loop) Done() <-chan struct{} { return l.done }

// wait returns the number of events that are ready. Under load the raw look without
// blocking finds some; a lonely event goes straight to the blocking wait.
func (l *Loop) wait() (int, error) {
	// One yield per batch lets goroutines that became ready run, and keeps the
	// runtime's monitor from taking this loop for stuck.
	runtime.Gosched()
	if l.crowded {
		l.counters.Waits++
		n, err := l.engine.wait(l.events[:], 0)
		if n != 0 || err != nil {
			l.crowded = n > 1
			return n, err
		}
	}
	now := l.Elapsed()
	l.pulse.sleeps(now)
	timeout := l.timers.untilTimer(int64(now / time.Millisecond))
	l.sleeping.Store(true)
	if l.tasks.any() || l.stopping.Load() || l.collected.any() {
		timeout = 0
	}
	l.counters.Waits++
	n, err := l.engine.wait(l.events[:], timeout)
	l.sleeping.Store(false)
	l.timers.awake()
	l.crowded = n > 1
	return n, err
}

// turn serves n events and everything else that is due.
func (l *Loop) turn(n int) {
	now := l.Elapsed()
	l.now = int64(now / time.Millisecond)
	l.pulse.turns(now)
	l.collected.open()
	for i := range n {
		ev := &l.events[i]
		if e := l.entries.find(ev.Token); e != nil {
			l.pulse.step()
			e.ready(ev.Events)
		}
	}
	l.runTimers()
	l.tasks.run(&l.pulse)
	for _, s := range l.collected.close() {
		l.pulse.step()
		s.settle(false)
	}
}

// Post runs fn on the loop, after the events of the current turn; functions run in
// the order in which they were posted. Any goroutine may call it. It reports false if
// the loop has stopped for good. True is no promise that fn runs: the loop may stop first.
func (l *Loop) Post(fn func()) bool {
	select {
	case <-l.done:
		return false
	default:
	}
	l.tasks.push(fn)
	l.Wake()
	return true
}

// Wake ends the loop's sleep if it sleeps.
func (l *Loop) Wake() {
	if l.sleeping.CompareAndSwap(true, false) {
		l.counters.Wakes.Add(1)
		l.engine.wake()
	}
}

// tasks is the mailbox of a loop: functions from any goroutine.
type tasks struct {
	mu     sync.Mutex
	queue  []func()
	spare  []func()
	queued atomic.Int32
}

func (t *tasks) push(fn func()) {
	t.mu.Lock()
	t.queue = append(t.queue, fn)
	t.queued.Store(int32(len(t.queue)))
	t.mu.Unlock()
}

func (t *tasks) any() bool { return t.queued.Load() != 0 }

// run runs what is queued now; what is posted meanwhile waits for the next turn.
func (t *tasks) run(p *pulse) {
	if !t.any() {
		return
	}
	t.mu.Lock()
	batch := t.queue
	t.queue = t.spare[:0]
	t.queued.Store(0)
	t.mu.Unlock()
	for i, fn := range batch {
		batch[i] = nil
		p.step()
		fn()
	}
	if cap(batch) > maxSpareTasks {
		batch = nil // a storm's queue is not kept for ever
	}
	t.spare = batch[:0]
}

const maxSpareTasks = 8192
