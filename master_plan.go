package workerman

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/master"
	serving "github.com/workerman-go/workerman/internal/serve"
)

// plan is what the master is to run. Errors name the workers that cannot run.
func (m *Master) plan() (master.Plan, error) {
	workers := m.workersNow()
	p := master.Plan{Stop: m.StopTimeout, Drain: m.drainTimeout()}
	setDefault(&p.Stop, DefaultStopTimeout)
	if len(workers) == 0 {
		if !m.hasClients() {
			return p, errNothing
		}
		p.Workers = append(p.Workers, master.Worker{Name: "none", Listen: "none", Transport: "none", Count: 1, Loops: 1, Reloadable: true})
		return p, nil
	}
	keys := workerKeys(workers)
	var errs []error
	for i, w := range workers {
		s, err := w.prepare()
		if err == nil {
			err = w.checkProcesses(workers)
		}
		if err != nil {
			errs = append(errs, w.startError(err))
			continue
		}
		if w.Inside != nil {
			continue
		}
		d := master.Worker{
			Key: keys[i], Name: w.name(), Listen: w.describe(), Transport: s.transport(), Count: max(w.Count, 1), Loops: s.wanted(),
			ReusePort: w.ReusePort, Reloadable: w.Reloadable, User: w.User,
		}
		if s.listens {
			a := s.endpoint.addr
			d.Socket = &a
		}
		p.Workers = append(p.Workers, d)
	}
	return p, errors.Join(errs...)
}

func (m *Master) workersNow() []*Worker {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.workers)
}

// checkProcesses refuses settings of processes that make no sense.
func (w *Worker) checkProcesses(all []*Worker) error {
	switch {
	case w.Count < 0:
		return fmt.Errorf("Count is %d", w.Count)
	case w.Inside == nil:
		return nil
	case w.Count != 0 || w.User != "":
		return errors.New("Inside: set Count and User of the worker that it is inside of")
	case w.Inside.Inside != nil:
		return fmt.Errorf("Inside: worker %q is itself inside of another", w.Inside.name())
	case !slices.Contains(all, w.Inside):
		return fmt.Errorf("Inside: worker %q is not one of the same master", w.Inside.name())
	}
	return nil
}

// withInside is a worker with those inside of it.
func withInside(w *Worker, all []*Worker) []*Worker {
	list := []*Worker{w}
	for _, inner := range all {
		if inner.Inside == w {
			list = append(list, inner)
		}
	}
	return list
}

// errNothing is the error of a program that makes no worker.
var errNothing = errors.New("workerman: nothing to run: make a worker with NewWorker first")

// workerKeys tells workers apart, in the same way in all processes and after a reload.
func workerKeys(workers []*Worker) []string {
	keys := make([]string, len(workers))
	seen := make(map[string]int)
	for i, w := range workers {
		key := fmt.Sprintf("%q (%s)", w.name(), w.describe())
		seen[key]++
		if n := seen[key]; n > 1 {
			key = fmt.Sprintf("%s number %d", key, n)
		}
		keys[i] = key
	}
	return keys
}

// keyOf is the key of a worker among all of this process, also of one that Listen starts.
func (m *Master) keyOf(w *Worker) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return workerKeys(m.workers)[slices.Index(m.workers, w)]
}

func (m *Master) drainTimeout() time.Duration {
	d := m.DrainTimeout
	setDefault(&d, DefaultDrainTimeout)
	return d
}

// transport is what the worker's connections run over, as it is shown.
func (s *server) transport() string {
	switch {
	case s.security != nil:
		return "ssl"
	case s.listens:
		return s.endpoint.addr.Network
	}
	return "none"
}

// masterProgram is a Master as the command line sees it.
type masterProgram struct{ m *Master }

var _ serving.Program = masterProgram{}

func (p masterProgram) Run(ctx context.Context) error { return p.m.Run(ctx) }

func (p masterProgram) Plan() (master.Plan, error) { return p.m.plan() }

func (p masterProgram) Settings() serving.Settings {
	m := p.m
	s := serving.Settings{
		Logger: m.Logger, PidFile: m.PidFile, LogFile: m.LogFile, LogMaxSize: m.LogMaxSize, StdoutFile: m.StdoutFile, Admin: m.Admin,
		StartTimeout: m.StartTimeout, StopTimeout: m.StopTimeout, GracefulTimeout: m.GracefulTimeout, DrainTimeout: m.drainTimeout(),
		OneProcess: m.OneProcess,
	}
	for _, w := range m.workersNow() {
		s.MaxConnections = max(s.MaxConnections, w.MaxConnections)
	}
	if fn := m.OnWorkerExit; fn != nil {
		s.OnWorkerExit = func(e master.Exit) {
			m.guard(func() {
				fn(WorkerExit{Worker: e.Worker, ID: e.Slot, PID: e.PID, Cause: e.Cause, Code: e.Code, Signal: syscall.Signal(e.Signal)})
			})
		}
	}
	return s
}

// startedRows say for the announcement what workers serve in this process.
func startedRows(workers []*Worker) []control.Worker {
	list := make([]control.Worker, len(workers))
	for i, w := range workers {
		s := w.runningServer()
		list[i] = control.Worker{Name: w.name(), Listen: w.listenText(), Transport: s.transport(), Count: 1, Loops: len(s.loops)}
	}
	return list
}

// listenText is the address with the port that is really open.
func (w *Worker) listenText() string {
	s := w.runningServer()
	if !s.listens {
		return "none"
	}
	scheme, _, _ := strings.Cut(w.address, "://")
	if a := s.boundAddr(); a != nil {
		return scheme + "://" + a.String()
	}
	return w.address
}
