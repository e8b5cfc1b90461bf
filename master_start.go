package workerman

import (
	"errors"
	"fmt"
)

// start prepares, binds and starts all workers; after an error some may be left open.
func (m *Master) start(r *run, workers []*Worker) error {
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
	if err := m.startLoops(r, count); err != nil {
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
