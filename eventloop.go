package workerman

import (
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/workerman-go/workerman/internal/child"
	"github.com/workerman-go/workerman/internal/loop"
)

// EventLoop is one event loop, for those who want more of it than connections: timers,
// signals, descriptors of other libraries. Methods may be called from every goroutine
// unless they say otherwise; functions given to it run on the loop and must not block.
type EventLoop struct {
	loop   *loop.Loop
	master *Master
	life   lifetime

	mu      sync.Mutex
	signals map[os.Signal]chan os.Signal
}

// EventLoop is the worker's first loop, nil before the start.
func (w *Worker) EventLoop() *EventLoop {
	if s := w.runningServer(); len(s.loops) > 0 {
		return s.master.eventLoop(s.loops[0])
	}
	return nil
}

// EventLoop is the loop that the connection lives on.
func (c *Conn) EventLoop() *EventLoop {
	return c.settings.master.eventLoop(c.stream.Loop())
}

// Post runs fn on the loop, after what is being served now; false if the loop has
// stopped.
func (e *EventLoop) Post(fn func()) bool {
	return e.loop.Post(func() { e.master.guard(fn) })
}

// After runs fn once on the loop, after d has passed.
func (e *EventLoop) After(d time.Duration, fn func()) *Timer {
	return &Timer{inner: e.loop.After(d, func() { e.master.guard(fn) })}
}

// Every runs fn on the loop every interval, as AddTimer does.
func (e *EventLoop) Every(interval time.Duration, fn func()) *Timer {
	return &Timer{inner: e.loop.Every(interval, func() { e.master.guard(fn) })}
}

// OnSignal runs fn on the loop when the process gets the signal, in place of what the
// signal did before; OffSignal takes it back.
func (e *EventLoop) OnSignal(sig os.Signal, fn func()) {
	e.OffSignal(sig)
	ch := make(chan os.Signal, 1)
	e.mu.Lock()
	if e.signals == nil {
		e.signals = make(map[os.Signal]chan os.Signal)
	}
	e.signals[sig] = ch
	e.mu.Unlock()
	signal.Notify(ch, sig)
	go func() {
		for range ch {
			e.Post(fn)
		}
	}()
}

// OffSignal undoes OnSignal.
func (e *EventLoop) OffSignal(sig os.Signal) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if ch := e.signals[sig]; ch != nil {
		signal.Stop(ch)
		close(ch)
		delete(e.signals, sig)
	}
}

// release ends what outlives the loop.
func (e *EventLoop) release() {
	e.life.over(ErrNotRunning)
	child.KillOrphans()
	e.mu.Lock()
	var all []os.Signal
	for sig := range e.signals {
		all = append(all, sig)
	}
	e.mu.Unlock()
	for _, sig := range all {
		e.OffSignal(sig)
	}
}
