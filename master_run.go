package workerman

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/internal/watch"
)

// run is what a Master has from the beginning of Run to its end. What outlives it is in the
// Master: the registered workers, timers that wait for a start, the next id.
type run struct {
	life runLife
	stop context.CancelFunc // asks for the stop
	gone chan struct{}      // has room for one: a connection ended during the stop
	made []*Worker          // those of the master when it began

	mu       sync.Mutex // guards what follows; after Master.mu
	err      error      // why the stop was asked for, nil if the program or the user wants it
	loops    []*EventLoop
	servers  []*server            // in order of their start
	clients  map[*Client]struct{} // that connect, are connected or will be
	watchdog *watch.Watchdog
}

// runState is how far a run has got.
type runState int32

const (
	runStarting runState = iota // there are no loops yet
	runServing                  // the loops run; OnWorkerStart and all that follows it
	runStopping                 // nothing new begins
)

// runLife is the state of a run, which only goes forward. Any goroutine may ask for it.
type runLife struct{ state atomic.Int32 }

func (l *runLife) is(s runState) bool { return runState(l.state.Load()) == s }

// serve is the start of the loops. It has no effect when the stop has begun.
func (l *runLife) serve() { l.state.CompareAndSwap(int32(runStarting), int32(runServing)) }

// stop is the beginning of the stop, also of a start that failed.
func (l *runLife) stop() { l.state.Store(int32(runStopping)) }

// begin makes the one run that a master has at a time. The context ends when its stop begins.
func (m *Master) begin(ctx context.Context) (*run, context.Context, error) {
	ctx, stop := context.WithCancel(ctx)
	r := &run{stop: stop, gone: make(chan struct{}, 1), clients: make(map[*Client]struct{})}
	m.mu.Lock()
	defer m.mu.Unlock()
	r.made = slices.Clone(m.workers)
	if !m.run.CompareAndSwap(nil, r) {
		stop()
		return nil, nil, errors.New("workerman: this master runs already")
	}
	return r, ctx, nil
}

// end forgets the run; workers made during it are gone with it.
func (m *Master) end(r *run) {
	r.stop()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.workers = r.made
	m.run.Store(nil)
}

// serve serves workers until ctx ends or a stop is asked for; started is called when they
// serve, with a context that ends when the stop begins.
func (m *Master) serve(ctx context.Context, workers []*Worker, started func(stopping context.Context)) error {
	r, ctx, err := m.begin(ctx)
	if err != nil {
		return err
	}
	defer m.end(r)
	if len(workers) == 0 && !m.hasClients() {
		return errNothing
	}
	defer m.startWatchdog()()
	if err = m.start(r, workers); err == nil {
		started(ctx)
		<-ctx.Done()
	}
	m.shutDown(r)
	if err != nil {
		return err
	}
	return r.cause()
}

// requestStop makes Run stop and return err.
func (m *Master) requestStop(err error) {
	if r := m.run.Load(); r != nil {
		r.requestStop(err)
	}
}

// requestStop asks for the stop. The first error that is not nil counts, also during it.
func (r *run) requestStop(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	r.stop()
}

// cause is the error of a run that has stopped.
func (r *run) cause() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// running reports whether the loops run and no stop has begun.
func (m *Master) running() bool {
	r := m.run.Load()
	return r != nil && r.life.is(runServing)
}

// stopping reports whether the stop has begun, and has not ended yet.
func (m *Master) stopping() bool {
	r := m.run.Load()
	return r != nil && r.life.is(runStopping)
}

// connectionGone tells a waiting stop to look again.
func (m *Master) connectionGone() {
	if r := m.run.Load(); r != nil && r.life.is(runStopping) {
		select {
		case r.gone <- struct{}{}:
		default:
		}
	}
}

// engine is the kind of loop that serves.
func (m *Master) engine() loop.Engine {
	if m.Portable || os.Getenv("WORKERMAN_ENGINE") == "portable" {
		return loop.Portable
	}
	return loop.Native
}

// startLoops starts the loops of a run; after an error there may be some.
func (m *Master) startLoops(r *run, count int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for range count {
		l, err := loop.New(m.engine())
		if err != nil {
			return err
		}
		r.loops = append(r.loops, &EventLoop{loop: l, master: m})
		go func() {
			if err := l.Run(); err != nil {
				r.requestStop(fmt.Errorf("event loop: %w", err))
			}
		}()
	}
	r.life.serve()
	return nil
}

// runningLoops are the loops; the slice is not to be changed.
func (m *Master) runningLoops() []*EventLoop {
	r := m.run.Load()
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.loops
}

// firstLoop is the loop of the master's timers and clients, nil without a run.
func (m *Master) firstLoop() *loop.Loop {
	if loops := m.runningLoops(); len(loops) > 0 {
		return loops[0].loop
	}
	return nil
}

// firstLoops returns n loops, or as many as there are.
func (m *Master) firstLoops(n int) []*loop.Loop {
	loops := m.runningLoops()
	list := make([]*loop.Loop, min(n, len(loops)))
	for i := range list {
		list[i] = loops[i].loop
	}
	return list
}

func (m *Master) eventLoop(l *loop.Loop) *EventLoop {
	for _, e := range m.runningLoops() {
		if e.loop == l {
			return e
		}
	}
	return &EventLoop{loop: l, master: m} // stopped
}

// started remembers a server for the stop. From now on it is visible to other goroutines.
func (m *Master) started(s *server) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.run.Load()
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.servers = append(r.servers, s)
	s.worker.server = s
}

// runningServers are the servers of the workers; the slice is not to be changed.
func (m *Master) runningServers() []*server {
	r := m.run.Load()
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.servers
}

// serving is a copy of the servers that run.
func (m *Master) serving() []*server { return slices.Clone(m.runningServers()) }

// setWatchdog makes the watchdog known to those who ask for figures.
func (r *run) setWatchdog(d *watch.Watchdog) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchdog = d
}

// runningWatchdog is the watchdog of the run, nil if there is none.
func (m *Master) runningWatchdog() *watch.Watchdog {
	r := m.run.Load()
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.watchdog
}

func (m *Master) logger() *slog.Logger {
	if m.Logger != nil {
		return m.Logger
	}
	return slog.Default()
}

// start prepares, binds and starts all workers; after an error some may be left open.
func (m *Master) start(r *run, workers []*Worker) error {
	servers := make([]*server, len(workers))
	count := 1
	var errs []error
	for i, w := range workers {
		s, err := w.prepare()
		if err != nil {
			errs = append(errs, w.startError(err))
			continue
		}
		servers[i] = s
		count = max(count, s.wanted())
	}
	if errs != nil {
		return errors.Join(errs...)
	}
	if err := m.startLoops(r, count); err != nil {
		return err
	}
	for i, s := range servers {
		if err := s.open(); err != nil {
			errs = append(errs, workers[i].startError(err))
			continue
		}
		m.started(s)
	}
	if errs != nil {
		return errors.Join(errs...)
	}
	for i, s := range servers {
		s.began = true
		if err := s.onStart(); err != nil {
			return workers[i].startError(fmt.Errorf("OnWorkerStart: %w", err))
		}
	}
	for _, s := range servers {
		s.ready()
	}
	m.beginTimers()
	m.beginClients()
	return nil
}

// beginTimers arms what was set before the start.
func (m *Master) beginTimers() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.pending {
		t.begin()
	}
	m.pending = nil
}

// onStart runs OnWorkerStart on the first loop and waits for it.
func (s *server) onStart() (err error) {
	fn := s.worker.OnWorkerStart
	if fn == nil {
		return nil
	}
	done := make(chan struct{})
	s.loops[0].Post(func() {
		defer close(done)
		err = s.guardErr(nil, func() error { return fn(s.worker) })
	})
	<-done
	return err
}
