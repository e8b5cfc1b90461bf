package master

import (
	"crypto/rand"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// killAfter is how long a process has left after StopTimeout: it ends its loops then, and
// what is stuck in a callback is not waited for.
const killAfter = 2 * time.Second

// Stop ends the service: all processes at once, each in good order. With graceful they go
// on for their connections and end when these have. progress, if any, is told how many
// processes are left. Stop returns when the last one is gone. While a graceful stop goes
// on, another Stop without graceful makes it short.
func (s *Supervisor) Stop(graceful bool, why string, progress func(left int)) {
	s.mu.Lock()
	if s.state != Stopping {
		s.setState(Stopping, why)
		close(s.stopped)
		s.log.Info("stopping", "reason", why, "graceful", graceful)
	}
	s.sockets.keep(nil) // processes have theirs, for as long as they let clients in
	s.mu.Unlock()
	s.endAll(graceful, progress)
}

// endAll ends all processes and waits for them.
func (s *Supervisor) endAll(graceful bool, progress func(left int)) {
	s.mu.Lock()
	var list []*process
	for _, g := range s.groups {
		if g.timer != nil {
			g.timer.Stop()
		}
		for _, sl := range g.slots {
			list = append(list, sl.processes...)
		}
	}
	for _, p := range list {
		s.endProcess(p, control.Message{Kind: control.Stop, Graceful: graceful}, "stop")
	}
	s.mu.Unlock()
	for i, p := range list {
		if progress != nil {
			progress(len(list) - i)
		}
		<-p.gone
	}
}

// endProcess asks a process to end, and kills it if it does not. With s.mu held.
func (s *Supervisor) endProcess(p *process, m control.Message, why string) {
	limit := s.plan.Stop + killAfter
	p.state, p.endReason = control.Stopping, why
	if m.Kind == control.Drain {
		p.state = control.Draining
		limit += m.Timeout
	}
	if m.Graceful {
		m.Timeout = s.options.Graceful
		limit = s.plan.Stop + killAfter + m.Timeout
	}
	p.out.send(m)
	go func() {
		t := time.NewTimer(limit)
		defer t.Stop()
		select {
		case <-p.gone:
		case <-t.C:
			s.mu.Lock()
			s.kill(p, "did not end within "+limit.String()+" of its "+why)
			s.mu.Unlock()
		}
	}()
}

// Kill ends all processes at once.
func (s *Supervisor) Kill(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.all() {
		s.kill(p, why)
	}
}

// newSecret is a random secret for all processes.
func newSecret() []byte {
	b := make([]byte, 32)
	rand.Read(b)
	return b
}
