package workerman

import (
	"slices"
	"time"
)

// shutDown stops accepting, runs OnWorkerStop, lets connections take what was sent and
// ends the loops.
func (m *Master) shutDown(r *run) {
	r.life.stop()
	services, loops := m.serving(), m.runningLoops()
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
		case <-r.gone:
		case <-deadline.C:
			expired = true
		}
	}
	if n := m.open(services); n > 0 {
		m.logger().Warn("connections cut at the stop", "connections", n, "after", timeout.String())
		m.cut(r, services)
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
func (m *Master) cut(r *run, services []*service) {
	for _, s := range services {
		for _, c := range s.everyone() {
			c.Destroy()
		}
	}
	m.cutClients()
	limit := time.After(cutWait)
	for m.open(services) > 0 {
		select {
		case <-r.gone:
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
