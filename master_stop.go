package workerman

import (
	"slices"
	"time"
)

// shutDown stops accepting, runs OnWorkerStop, lets connections take what was sent and
// ends the loops.
func (m *Master) shutDown(r *run) {
	r.life.stop()
	servers, loops := m.serving(), m.runningLoops()
	slices.Reverse(servers)
	timeout := m.StopTimeout
	setDefault(&timeout, DefaultStopTimeout)
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	for _, s := range servers {
		s.unlisten()
	}
	expired := !m.runStopCallbacks(servers, deadline.C)
	for _, s := range servers {
		for _, c := range s.allAndArriving() {
			c.closeWithReason(errStopping)
		}
	}
	m.stopClients()
	for !expired && m.open(servers) > 0 {
		select {
		case <-r.gone:
		case <-deadline.C:
			expired = true
		}
	}
	if n := m.open(servers); n > 0 {
		m.logger().Warn("connections cut at the stop", "connections", n, "after", timeout.String())
		m.cut(r, servers)
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
func (m *Master) cut(r *run, servers []*server) {
	for _, s := range servers {
		for _, c := range s.allAndArriving() {
			c.Destroy()
		}
	}
	m.cutClients()
	limit := time.After(cutWait)
	for m.open(servers) > 0 {
		select {
		case <-r.gone:
		case <-limit:
			return
		}
	}
}

// open is how many connections there are.
func (m *Master) open(servers []*server) (n int64) {
	n = m.outgoing.Load()
	for _, s := range servers {
		n += s.live.Load()
	}
	return n
}

// runStopCallbacks runs OnWorkerStop of all workers, last started first; false if time
// ran out.
func (m *Master) runStopCallbacks(servers []*server, deadline <-chan time.Time) bool {
	for _, s := range servers {
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
