package master

import (
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// A process that dies is replaced at once. If its successors die young, too, the worker is
// in a crash loop, and starts come at growing intervals.
const (
	young      = time.Second // dying before this age, or before being ready, counts
	patience   = 3           // such deaths in a row before the first delay
	firstDelay = 100 * time.Millisecond
	maxDelay   = 30 * time.Second
	settled    = 10 * time.Second // a process of this age ends the crash loop
)

// ended deals with the end of a process. With s.mu held.
func (s *Supervisor) ended(p *process, state *os.ProcessState) {
	sl := p.slot
	g := sl.group
	sl.processes = slices.DeleteFunc(sl.processes, func(other *process) bool { return other == p })
	was := p.state
	p.state = control.Lost
	exit := Exit{Worker: g.plan.Name, Slot: sl.id, PID: p.pid, Cause: p.cause, Code: -1}
	if state != nil {
		exit.Code = state.ExitCode()
		if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			exit.Signal = int(status.Signal())
		}
	}
	expected := p.endReason != "" && p.killed == "" && exit.Code == 0
	if s.state == Starting {
		// The start fails, and Start tells why.
	} else if expected {
		s.log.Debug("process ended", "worker", g.plan.Name, "pid", p.pid, "reason", p.endReason)
	} else {
		g.count(p.cause)
		level, text := s.log.Warn, "process ended"
		if exit.Code == 0 {
			level = s.log.Info
		}
		level(text, "worker", g.plan.Name, "id", sl.id, "pid", p.pid, "cause", p.cause, "age", time.Since(p.started).Round(time.Millisecond).String())
	}
	if fn := s.options.OnExit; fn != nil {
		s.told.Go(func() { fn(exit) })
	}
	if s.state != Reloading { // which sweeps at its end
		s.sweep()
	}
	if was == control.Draining || was == control.Stopping || s.state == Stopping || s.state == Starting {
		return
	}
	if p.awaited && p.readyAt.IsZero() {
		return // who has tried it tells
	}
	s.judge(g, p, exit)
	s.fill(sl)
}

// count adds an exit to those of the worker.
func (g *group) count(cause string) {
	for i := range g.exits {
		if g.exits[i].Cause == cause {
			g.exits[i].Count++
			g.exits[i].Last = time.Now()
			return
		}
	}
	if len(g.exits) < maxCauses {
		g.exits = append(g.exits, control.Exit{Cause: cause, Count: 1, Last: time.Now()})
		return
	}
	last := &g.exits[maxCauses-1]
	last.Cause, last.Last = "other causes", time.Now()
	last.Count++
}

// maxCauses bounds how many causes are told apart: a panic's text may differ each time.
const maxCauses = 20

// judge notes whether a process died so that its successor will, too.
func (s *Supervisor) judge(g *group, p *process, exit Exit) {
	now := time.Now()
	age := now.Sub(p.readyAt)
	switch {
	case p.readyAt.IsZero(), age < young && exit.Signal != int(syscall.SIGKILL) && p.endReason == "":
		if now.Sub(g.failedAt) > s.options.Ready+maxDelay {
			g.failures = 0 // those were of another day
		}
		g.failures++
		g.failedAt = now
	case age > settled:
		g.failures = 0
	}
}

// fill starts a process for a slot that has none. With s.mu held.
func (s *Supervisor) fill(sl *slot) {
	g := sl.group
	if sl.current() != nil || sl.retired || g.retired || s.state == Stopping || s.state == Starting {
		return
	}
	if g.failures < patience {
		s.refill(sl)
		return
	}
	if g.timer != nil {
		return
	}
	delay := min(firstDelay<<min(g.failures-patience, 16), maxDelay)
	g.retryAt = time.Now().Add(delay)
	s.log.Error("the worker's processes die young: the next start waits", "worker", g.plan.Name, "failures", g.failures, "wait", delay.String())
	g.timer = time.AfterFunc(delay, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		g.timer = nil
		for _, sl := range g.slots {
			if sl.current() == nil && !sl.retired && !g.retired && s.state != Stopping {
				s.refill(sl)
			}
		}
	})
}

// refill starts a process for a slot, and tries again later if that fails.
func (s *Supervisor) refill(sl *slot) {
	p, err := s.spawn(sl, sl.image)
	if err == nil {
		go s.watch(p)
		return
	}
	s.log.Error("cannot start a process", "worker", sl.group.plan.Name, "error", err)
	sl.group.failures++
	time.AfterFunc(time.Second, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fill(sl)
	})
}

// watch ends a process that does not become ready.
func (s *Supervisor) watch(p *process) {
	t := time.NewTimer(s.options.Ready)
	defer t.Stop()
	select {
	case <-p.ready:
		s.log.Info("process started", "worker", p.worker, "id", p.slot.id, "pid", p.pid)
	case <-p.gone:
		if p.failed != "" {
			s.log.Error("a process could not start", "pid", p.pid, "error", p.failed)
		}
	case <-t.C:
		s.mu.Lock()
		s.kill(p, "not ready in time")
		s.mu.Unlock()
	}
}
