package workerman

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/workerman-go/workerman/internal/master"
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
func (s *service) transport() string {
	switch {
	case s.security != nil:
		return "ssl"
	case s.listens:
		return s.endpoint.addr.Network
	}
	return "none"
}
