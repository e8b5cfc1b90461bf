package master

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/socket"
)

// Options of a Supervisor.
type Options struct {
	Program  string   // path of the executable
	Args     []string // arguments for every process; the first is its name
	Stdout   *os.File // what processes print goes there; nil for nowhere
	Stderr   *os.File // the same
	Daemon   bool
	Ready    time.Duration // how long a process may take until it serves; default 30 s
	Graceful time.Duration // how long a graceful stop or reload may take; default 10 min
	Log      *slog.Logger
	LogFiles func() []int // copies of the log's descriptor for processes, if there is one
	// OnReload is called when a reload begins. It returns a descriptor of what is the standard
	// output of processes from now on, -1 if that stays.
	OnReload func() int
	// Activated returns the descriptor of a listening socket that the service manager has
	// opened, -1 if there is none for that address.
	Activated func(socket.Address) int
	// OnExit is called after the end of each process, on a goroutine of its own.
	OnExit func(Exit)
	// OnState is called when the state changes, with a lock held.
	OnState func(State, string)
}

// State of a Supervisor.
type State string

// States of a Supervisor.
const (
	Starting  State = "starting"
	Running   State = "running"
	Reloading State = "reloading"
	Stopping  State = "stopping"
)

// Supervisor runs a Plan.
type Supervisor struct {
	options Options
	log     *slog.Logger
	secret  []byte // for what all processes have to agree on
	started time.Time

	reloading sync.Mutex // held by the one reload that goes on
	living    sync.WaitGroup
	told      sync.WaitGroup // calls of OnExit

	mu           sync.Mutex // guards what follows
	plan         Plan
	state        State
	image        *image   // that new slots start
	images       []*image // all that slots may start
	groups       []*group
	sockets      sockets
	incarnations uint64 // counts processes, so that connection ids never repeat
	reload       *control.Reload
	reloads      int
	stopped      chan struct{} // closed when a stop begins
	quitErr      error
}

// group is a worker with its processes.
type group struct {
	plan    Worker
	set     *socketSet       // nil without an address
	extras  map[string]bool  // sockets that its processes have asked for
	inside  []control.Worker // what its processes serve besides
	slots   []*slot
	exits   []control.Exit
	moved   uint64
	retired bool // no longer in the plan

	failures int       // processes in a row that died young
	failedAt time.Time // the last one
	timer    *time.Timer
	retryAt  time.Time
}

// slot is a place for a process; its number is the worker's id there.
type slot struct {
	group     *group
	id        int
	processes []*process // the current one, its successor while that starts, and those that drain
	image     *image     // what it starts
	retired   bool       // the count was lowered
}

// New makes a Supervisor for a plan.
func New(plan Plan, o Options) (*Supervisor, error) {
	s := &Supervisor{options: o, log: o.Log, plan: plan, state: Starting, started: time.Now(), stopped: make(chan struct{})}
	if s.options.Ready <= 0 {
		s.options.Ready = DefaultReady
	}
	if s.options.Graceful <= 0 {
		s.options.Graceful = DefaultGraceful
	}
	s.sockets.activated = o.Activated
	s.secret = newSecret()
	if err := CheckPlan(plan); err != nil {
		return nil, err
	}
	var err error
	if s.image, err = openImage("/proc/self/exe"); err != nil {
		return nil, fmt.Errorf("the program cannot be opened for its processes: %w", err)
	}
	s.image.path = o.Program
	s.images = []*image{s.image}
	return s, nil
}

// Start opens all sockets and starts all processes. It returns when they are ready, or why
// one of them is not; nothing runs then.
func (s *Supervisor) Start(ctx context.Context) error {
	s.mu.Lock()
	var errs []error
	for _, w := range s.plan.Workers {
		g, err := s.newGroup(w)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.groups = append(s.groups, g)
	}
	var first []*process
	if errs == nil {
		for _, g := range s.groups {
			for _, sl := range g.slots {
				p, err := s.spawn(sl, sl.image)
				if err != nil {
					errs = append(errs, fmt.Errorf("worker %q (%s): %w", g.plan.Name, g.plan.Listen, err))
					break
				}
				first = append(first, p)
			}
		}
	}
	s.mu.Unlock()
	deadline := time.After(s.options.Ready)
	for _, p := range first {
		if errs != nil {
			break
		}
		if err := s.await(ctx, p, deadline); err != nil {
			errs = append(errs, err)
		}
	}
	if errs != nil {
		s.mu.Lock()
		s.state = Stopping
		s.mu.Unlock()
		s.endAll(false, nil)
		s.mu.Lock()
		s.sockets.keep(nil)
		s.mu.Unlock()
		return errors.Join(errs...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == Starting {
		s.setState(Running, "")
	}
	for _, g := range s.groups { // those that died meanwhile
		for _, sl := range g.slots {
			s.fill(sl)
		}
	}
	return nil
}

// await waits until p serves.
func (s *Supervisor) await(ctx context.Context, p *process, deadline <-chan time.Time) error {
	failed := func(text string) error {
		return fmt.Errorf("worker %q (%s): %s", p.worker, p.listen, text)
	}
	select {
	case <-p.ready:
		return nil
	case <-p.gone:
		if p.failed != "" {
			return errors.New(p.failed)
		}
		return failed("its process ended before it was ready: " + p.cause)
	case <-deadline:
		s.mu.Lock()
		s.kill(p, "not ready in time")
		s.mu.Unlock()
		<-p.gone
		return failed(fmt.Sprintf("not ready after %v: main or OnWorkerStart takes too long", s.options.Ready))
	case <-ctx.Done():
		return ctx.Err()
	case <-s.stopped:
		return errStopped
	}
}

// errStopped ends what goes on when a stop begins.
var errStopped = errors.New("stopped meanwhile")

// stopping reports whether a stop has begun.
func (s *Supervisor) stopping() bool {
	select {
	case <-s.stopped:
		return true
	default:
		return false
	}
}

// newGroup opens a worker's sockets and makes its slots. With s.mu held.
func (s *Supervisor) newGroup(w Worker) (*group, error) {
	g := &group{plan: w}
	if _, err := runAs(w.User); err != nil {
		return nil, fmt.Errorf("worker %q (%s): %w", w.Name, w.Listen, err)
	}
	if err := s.openSockets(g, w); err != nil {
		return nil, err
	}
	g.resize(w.Count)
	for _, sl := range g.slots {
		sl.image = s.image
	}
	return g, nil
}

// openSockets opens what w listens on, or finds it open.
func (s *Supervisor) openSockets(g *group, w Worker) error {
	if w.Socket == nil {
		return nil
	}
	n := w.sockets()
	if !w.sharesSocket() {
		n *= w.Count
	}
	set, err := s.sockets.get(w.Key, *w.Socket, w.ReusePort, n)
	if err != nil {
		return fmt.Errorf("worker %q (%s): %w", w.Name, w.Listen, err)
	}
	g.set = set
	if err := set.chown(w.User); err != nil {
		return fmt.Errorf("worker %q (%s): %w", w.Name, w.Listen, err)
	}
	return nil
}

// resize makes count slots; those beyond it are retired.
func (g *group) resize(count int) {
	for i := len(g.slots); i < count; i++ {
		g.slots = append(g.slots, &slot{group: g, id: i})
	}
	for i, sl := range g.slots {
		sl.retired = i >= count
	}
}

// socketsOf are the descriptors for the process of a slot.
func (g *group) socketsOf(id int) []int {
	if g.set == nil {
		return nil
	}
	n := g.plan.sockets()
	if g.plan.sharesSocket() {
		return slices.Clone(g.set.fds[:n])
	}
	return slices.Clone(g.set.fds[id*n : (id+1)*n])
}

// extra returns the descriptors for a worker that a program started by Listen. With s.mu
// held.
func (g *group) extra(s *Supervisor, p *process, m control.Message) ([]int, error) {
	a, err := socket.Parse(m.Network, m.Address)
	if err != nil {
		return nil, err
	}
	n, from := max(m.Sockets, 1), 0
	if m.Shared {
		from = p.slot.id * n
	}
	if s.state == Stopping {
		return nil, errStopped
	}
	key := g.plan.Key + "\x00" + m.Key
	set, err := s.sockets.get(key, a, m.Shared, from+n)
	if err != nil {
		return nil, err
	}
	if g.extras == nil {
		g.extras = make(map[string]bool)
	}
	if p.extras == nil {
		p.extras = make(map[string]bool)
	}
	key = socketKey(key, a, m.Shared)
	g.extras[key], p.extras[key] = true, true
	return set.fds[from : from+n], nil
}

// current is the process that serves the slot, or is to.
func (sl *slot) current() *process {
	for _, p := range sl.processes {
		if p.state == control.Starting || p.state == control.Ready {
			return p
		}
	}
	return nil
}

// setState changes the state and tells. With s.mu held.
func (s *Supervisor) setState(state State, text string) {
	s.state = state
	if fn := s.options.OnState; fn != nil {
		fn(state, text)
	}
}

// State is how the service is. It returns when the supervisor is not stuck.
func (s *Supervisor) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Wait waits until the stop is complete and returns why the service ended: nil after a stop
// that was asked for.
func (s *Supervisor) Wait() error {
	<-s.stopped
	s.living.Wait()
	s.reloading.Lock() // a reload that was going on has noticed, and ends
	defer s.reloading.Unlock()
	told := make(chan struct{})
	go func() { s.told.Wait(); close(told) }()
	select {
	case <-told:
	case <-time.After(killAfter): // a callback that does not return must not keep the service
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.quitErr
}

func (s *Supervisor) logFiles() []int {
	if s.options.LogFiles == nil {
		return nil
	}
	return s.options.LogFiles()
}
