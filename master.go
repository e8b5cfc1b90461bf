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
	"time"

	"github.com/workerman-go/workerman/internal/loop"
	serving "github.com/workerman-go/workerman/internal/serve"
)

// Master holds the settings of a service and its workers. Package functions use a
// default Master, as net/http does with its ServeMux; more of them are for tests and for
// programs that embed several services. Set its fields before Run or RunAll. RunAll's master
// process keeps those that concern it (files, Admin, StartTimeout, GracefulTimeout,
// OnWorkerExit) until it ends; a reload renews the others.
type Master struct {
	// Logger gets everything that is worth a line. Default slog.Default().
	Logger *slog.Logger
	// StopTimeout is how long a stop waits for connections to take what was sent before
	// they are cut. Default 2 s.
	StopTimeout time.Duration
	// PidFile is the file with the number of the master process; the socket for commands lies
	// beside it, with the end .sock. One program file runs once for each. Default: PROGRAM.pid
	// beside the program, or where that is not writable in the user's folder for such files:
	// $XDG_RUNTIME_DIR, /run for root, else one in the folder for temporary files. The environment
	// variable WORKERMAN_PID_FILE changes the default.
	PidFile string
	// LogFile gets what the service logs, besides the terminal. Default: as PidFile with the
	// end .log when the program runs as a daemon, else none.
	LogFile string
	// LogMaxSize is the size in bytes at which LogFile is renamed to LogFile.1 and a new one
	// begun; five old ones are kept. Default 10 MiB.
	LogMaxSize int64
	// StdoutFile gets what a daemon and its processes write to their standard output and
	// error. Default /dev/null.
	StdoutFile string
	// Admin is the address of pages about the service, as "127.0.0.1:6060" or
	// "unix:/run/app-admin.sock": a dashboard, metrics, health, profiles. Whoever can connect
	// can see them. Default none.
	Admin string
	// StartTimeout is how long a process may take until its worker serves. Default 30 s.
	StartTimeout time.Duration
	// GracefulTimeout is how long a graceful stop or reload waits for connections to end by
	// themselves. Default 10 min.
	GracefulTimeout time.Duration
	// OneProcess makes RunAll serve all workers in the calling process, as Run does, without a
	// master and without commands: for debuggers. The environment variable
	// WORKERMAN_ONE_PROCESS=1 does the same. Other systems than Linux always do so.
	OneProcess bool
	// OnWorkerExit is called in the master process after the end of a worker process, on a
	// goroutine of its own. The variables there are those of the master, which serves nothing.
	OnWorkerExit func(WorkerExit)
	// DrainTimeout is how long a replaced process may go on for connections that could not be
	// handed over; they are closed one after the other during that time. Default 30 s.
	DrainTimeout time.Duration
	// SlowCallback is how long a callback may hold its loop before it is counted and its
	// place logged, once for each place. Default 100 ms; below 0 never.
	SlowCallback time.Duration
	// Portable serves with goroutines over package net instead of the system's fastest
	// engine. The environment variable WORKERMAN_ENGINE=portable does the same.
	Portable bool
	// PoisonLent overwrites data and requests when the callback that they were lent to has
	// returned, to catch who keeps them. For tests.
	PoisonLent bool
	// ExitOnPanic ends the process after a panic in a callback or timer, as Workerman
	// does; another takes its place. Run returns the *PanicError.
	ExitOnPanic bool

	// Of a process under a master only.
	inherited socketSource // nil: sockets are opened here
	slot      int          // see Worker.ID
	reload    func() error // asks the master for a reload

	nextID  atomic.Uint64
	tickets ticketSecret
	clock   func() time.Time // nil: time.Now; of tests
	state   atomic.Int32
	stopMu  sync.Mutex
	stopErr error
	stop    context.CancelFunc
	gone    chan struct{} // a connection ended during the stop

	resolver resolver
	outgoing atomic.Int64 // sockets of clients

	mu       sync.Mutex // guards what follows
	workers  []*Worker
	services []*service // in order of their start
	loops    []*EventLoop
	pending  []*Timer
	clients  map[*Client]struct{} // that connect, are connected or will be
	before   []func(*loop.Loop)   // of clients, for when the first loop runs
	watchdog *watchdog            // of the run
}

// States of a Master.
const (
	masterIdle = iota
	masterRunning
	masterStopping
)

// Defaults of Master.
const (
	DefaultStopTimeout  = 2 * time.Second
	DefaultDrainTimeout = 30 * time.Second
	DefaultSlowCallback = 100 * time.Millisecond
)

var defaultMaster = new(Master)

// DefaultMaster returns the Master of the package functions, to change its settings.
func DefaultMaster() *Master { return defaultMaster }

// Run serves all workers of the default Master in this process until ctx ends or StopAll
// is called, and returns nil after a stop in good order. An error of the start names the
// worker (*StartError); nothing serves then.
func Run(ctx context.Context) error { return defaultMaster.Run(ctx) }

// StopAll ends what the default Master serves in this process, in good order. It returns at
// once; Run returns when everything has stopped. A process of RunAll ends, and is replaced;
// to stop the service send SIGTERM to os.Getppid(). Before the start, and in the process that
// is the master, it does nothing.
func StopAll() { defaultMaster.StopAll() }

// StopAll is the function StopAll for this master.
func (m *Master) StopAll() { m.requestStop(nil) }

// requestStop makes Run stop and return err.
func (m *Master) requestStop(err error) {
	m.stopMu.Lock()
	defer m.stopMu.Unlock()
	if m.stop == nil {
		return
	}
	if m.stopErr == nil {
		m.stopErr = err
	}
	m.stop()
}

// Run is the function Run for this master. A master may run again after it has stopped.
func (m *Master) Run(ctx context.Context) error {
	workers := m.workersNow()
	return m.run(ctx, workers, func(context.Context) { serving.Announce(m.Logger, startedRows(workers)) })
}

// run serves workers until ctx ends or a stop is asked for; started is called when they
// serve, with a context that ends when the stop begins.
func (m *Master) run(ctx context.Context, workers []*Worker, started func(stopping context.Context)) error {
	if !m.state.CompareAndSwap(masterIdle, masterRunning) {
		return errors.New("workerman: this master runs already")
	}
	defer m.state.Store(masterIdle)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	m.stopMu.Lock()
	m.stop, m.stopErr = stop, nil
	m.stopMu.Unlock()
	m.mu.Lock()
	made := slices.Clone(m.workers)
	m.gone = make(chan struct{}, 1)
	clients := len(m.before) > 0
	m.mu.Unlock()
	defer m.reset(made)

	if len(workers) == 0 && !clients {
		return errNothing
	}
	defer m.startWatchdog()()
	err := m.start(workers)
	if err == nil {
		started(ctx)
		<-ctx.Done()
	}
	m.shutDown()
	if err != nil {
		return err
	}
	m.stopMu.Lock()
	defer m.stopMu.Unlock()
	return m.stopErr
}

// start prepares, binds and starts all workers; after an error some may be left open.
func (m *Master) start(workers []*Worker) error {
	services := make([]*service, len(workers))
	count := 1
	var errs []error
	for i, w := range workers {
		s, err := w.prepare()
		if err != nil {
			errs = append(errs, w.startError(err))
			continue
		}
		services[i] = s
		count = max(count, s.wanted())
	}
	if errs != nil {
		return errors.Join(errs...)
	}
	if err := m.startLoops(count); err != nil {
		return err
	}
	for i, s := range services {
		if err := s.open(); err != nil {
			errs = append(errs, workers[i].startError(err))
			continue
		}
		m.started(s)
	}
	if errs != nil {
		return errors.Join(errs...)
	}
	for i, s := range services {
		s.began = true
		if err := s.onStart(); err != nil {
			return workers[i].startError(fmt.Errorf("OnWorkerStart: %w", err))
		}
	}
	for _, s := range services {
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

// started remembers a service for the stop.
func (m *Master) started(s *service) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.services = append(m.services, s)
	s.worker.svc = s // from now on it is visible to other goroutines
}

// onStart runs OnWorkerStart on the first loop and waits for it.
func (s *service) onStart() (err error) {
	fn := s.worker.OnWorkerStart
	if fn == nil {
		return nil
	}
	done := make(chan struct{})
	s.loops[0].Post(func() {
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
				p := newPanicError(v)
				s.reportPanic(nil, p)
				err = p
			}
		}()
		err = fn(s.worker)
	})
	<-done
	return err
}

func (m *Master) engine() loop.Engine {
	if m.Portable || os.Getenv("WORKERMAN_ENGINE") == "portable" {
		return loop.Portable
	}
	return loop.Native
}

func (m *Master) startLoops(count int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for range count {
		l, err := loop.New(m.engine())
		if err != nil {
			return err
		}
		m.loops = append(m.loops, &EventLoop{loop: l, master: m})
		go func() {
			if err := l.Run(); err != nil {
				m.requestStop(fmt.Errorf("event loop: %w", err))
			}
		}()
	}
	return nil
}

// firstLoops returns n loops, or as many as there are.
func (m *Master) firstLoops(n int) []*loop.Loop {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]*loop.Loop, min(n, len(m.loops)))
	for i := range list {
		list[i] = m.loops[i].loop
	}
	return list
}

func (m *Master) eventLoop(l *loop.Loop) *EventLoop {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.loops {
		if e.loop == l {
			return e
		}
	}
	return &EventLoop{loop: l, master: m} // stopped
}

func (m *Master) running() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state.Load() == masterRunning && len(m.loops) > 0
}

func (m *Master) now() time.Time {
	if m.clock != nil {
		return m.clock()
	}
	return time.Now()
}

func (m *Master) stopping() bool { return m.state.Load() == masterStopping }

// connectionGone tells a waiting stop to look again.
func (m *Master) connectionGone() {
	if m.stopping() {
		select {
		case m.gone <- struct{}{}:
		default:
		}
	}
}

// shutDown stops accepting, runs OnWorkerStop, lets connections take what was sent and
// ends the loops.
func (m *Master) shutDown() {
	m.state.Store(masterStopping)
	m.mu.Lock()
	services, loops := slices.Clone(m.services), slices.Clone(m.loops)
	m.mu.Unlock()
	slices.Reverse(services)
	timeout := m.StopTimeout
	setDefault(&timeout, DefaultStopTimeout)
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	for _, s := range services {
		s.unlisten()
	}
	expired := !m.runStopCallbacks(services, deadline.C)
	for _, s := range services {
		for _, c := range s.everyone() {
			c.closeFor(errStopping)
		}
	}
	m.stopClients()
	for !expired && m.open(services) > 0 {
		select {
		case <-m.gone:
		case <-deadline.C:
			expired = true
		}
	}
	if n := m.open(services); n > 0 {
		m.logger().Warn("connections cut at the stop", "connections", n, "after", timeout.String())
		m.cut(services)
	}
	for _, e := range loops {
		e.release()
		e.loop.Stop()
	}
	for _, e := range loops {
		select {
		case <-e.loop.Done():
		case <-time.After(cutWait):
			m.logger().Error("an event loop does not stop: a callback blocks it")
		}
	}
}

// cutWait is how long callbacks have left after StopTimeout.
const cutWait = time.Second

// cut destroys what is still open.
func (m *Master) cut(services []*service) {
	for _, s := range services {
		for _, c := range s.everyone() {
			c.Destroy()
		}
	}
	m.cutClients()
	limit := time.After(cutWait)
	for m.open(services) > 0 {
		select {
		case <-m.gone:
		case <-limit:
			return
		}
	}
}

// open is how many connections there are.
func (m *Master) open(services []*service) (n int64) {
	n = m.outgoing.Load()
	for _, s := range services {
		n += s.live.Load()
	}
	return n
}

// runStopCallbacks runs OnWorkerStop of all workers, last started first; false if time
// ran out.
func (m *Master) runStopCallbacks(services []*service, deadline <-chan time.Time) bool {
	for _, s := range services {
		fn := s.worker.OnWorkerStop
		if fn == nil || !s.began {
			continue
		}
		done := make(chan struct{})
		ok := s.loops[0].Post(func() {
			defer close(done)
			s.guard(func() { fn(s.worker) })
		})
		if !ok {
			continue
		}
		select {
		case <-done:
		case <-deadline:
			s.log.Error("OnWorkerStop takes too long")
			return false
		}
	}
	return true
}

// reset forgets the run; workers made during it are gone with it.
func (m *Master) reset(workers []*Worker) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.workers, m.services, m.loops, m.clients = workers, nil, nil, nil
}

func (m *Master) logger() *slog.Logger {
	if m.Logger != nil {
		return m.Logger
	}
	return slog.Default()
}

// guard runs a user's function that belongs to no worker.
func (m *Master) guard(fn func()) {
	defer func() {
		if v := recover(); v != nil {
			m.reportPanic(m.logger(), "", newPanicError(v))
		}
	}()
	fn()
}

func (m *Master) reportPanic(log *slog.Logger, peer string, err *PanicError) {
	log.Error("panic in a callback", "peer", peer, "panic", fmt.Sprint(err.Value), "stack", string(err.Stack))
	if m.ExitOnPanic {
		m.requestStop(err)
	}
}
