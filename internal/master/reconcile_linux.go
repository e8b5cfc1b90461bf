package master

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/workerman-go/workerman/internal/control"
)

// reconcile opens what new or changed workers listen on, before anything is touched, and
// makes their slots.
func (r *reload) reconcile(plan Plan) error {
	s := r.s
	var errs []error
	var added []*group
	var changed []func()
	for _, w := range plan.Workers {
		g := s.group(w.Key)
		if g == nil {
			g, err := s.newGroup(w)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			added = append(added, g)
			continue
		}
		change := ""
		switch {
		case w.Socket == nil:
		case w.ReusePort != g.plan.ReusePort:
			change = "a change of ReusePort"
		case w.ReusePort && w.Loops != g.plan.Loops:
			change = "a change of Loops under ReusePort"
		}
		if change != "" {
			errs = append(errs, fmt.Errorf("worker %q (%s): %s needs a restart", w.Name, w.Listen, change))
			continue
		}
		if err := s.openSockets(g, w); err != nil {
			errs = append(errs, err)
			continue
		}
		changed = append(changed, func() {
			g.plan, g.retired = w, false
			g.resize(w.Count)
		})
	}
	if errs != nil {
		s.closeUnused()
		return errors.Join(errs...)
	}
	r.before = slices.Clone(s.groups)
	for _, g := range s.groups {
		r.plans, r.retired = append(r.plans, g.plan), append(r.retired, g.retired)
	}
	for _, fn := range changed {
		fn()
	}
	s.groups = append(s.groups, added...)
	for _, g := range s.groups {
		g.failures = 0 // new code may have mended the crash loop
		if g.timer != nil {
			g.timer.Stop()
			g.timer = nil
		}
		if !plan.has(g.plan.Key) {
			g.retired = true
		}
		for _, sl := range g.slots {
			if sl.image == nil {
				sl.image = r.image
			}
		}
	}
	return nil
}

// undo takes back what reconcile did, except where a new process runs already.
func (r *reload) undo() {
	s := r.s
	idle := func(sl *slot) bool { return len(sl.processes) == 0 }
	for _, g := range s.groups {
		if !slices.Contains(r.before, g) && !slices.ContainsFunc(g.slots, func(sl *slot) bool { return !idle(sl) }) {
			g.retired = true
		}
	}
	for i, g := range r.before {
		g.plan, g.retired = r.plans[i], r.retired[i]
		for len(g.slots) > g.plan.Count && idle(g.slots[len(g.slots)-1]) {
			g.slots[len(g.slots)-1].retired = true // for timers that would fill it
			g.slots = g.slots[:len(g.slots)-1]
		}
		for i, sl := range g.slots {
			sl.retired = i >= g.plan.Count && sl.current() == nil
		}
	}
	s.closeUnused()
	for _, g := range s.groups {
		for _, sl := range g.slots {
			s.fill(sl) // a process may have died while its successor was tried
		}
	}
}

func (p *Plan) has(key string) bool {
	for _, w := range p.Workers {
		if w.Key == key {
			return true
		}
	}
	return false
}

func (s *Supervisor) group(key string) *group {
	for _, g := range s.groups {
		if g.plan.Key == key {
			return g
		}
	}
	return nil
}

// retire ends the processes of slots and workers that are no longer wanted.
func (r *reload) retire() {
	s := r.s
	for _, g := range s.groups {
		if !g.retired && g.set != nil {
			g.trim() // before its processes close it: they let all in who wait there
		}
		for _, sl := range g.slots {
			if !sl.retired && !g.retired {
				continue
			}
			for _, p := range sl.processes {
				if p.state == control.Ready || p.state == control.Starting {
					s.endProcess(p, control.Message{Kind: control.Drain, Graceful: r.graceful, Timeout: s.plan.Drain}, "reload")
				}
			}
		}
		if g.retired {
			continue
		}
		for _, sl := range g.slots {
			sl.image = r.image
		}
	}
	s.closeUnused()
}

// sweep forgets workers that are over. With s.mu held.
func (s *Supervisor) sweep() {
	s.groups = slices.DeleteFunc(s.groups, func(g *group) bool {
		return g.retired && !slices.ContainsFunc(g.slots, func(sl *slot) bool { return len(sl.processes) > 0 })
	})
}

// closeUnused closes sockets that no worker wants.
func (s *Supervisor) closeUnused() {
	wanted := make(map[string]bool)
	for _, g := range s.groups {
		if g.retired {
			continue
		}
		if g.set != nil {
			wanted[socketKey(g.plan.Key, *g.plan.Socket, g.plan.ReusePort)] = true
			g.trim()
		}
		g.extras = g.asked()
		for key := range g.extras {
			wanted[key] = true
		}
	}
	s.sockets.keep(wanted)
}

// trim closes the sockets of slots that are gone: the kernel would go on giving them clients.
func (g *group) trim() {
	if g.plan.sharesSocket() {
		return
	}
	n := 0
	for _, sl := range g.slots {
		if !sl.retired {
			n = (sl.id + 1) * g.plan.sockets()
		}
	}
	g.set.shrink(n)
}

// asked are the sockets that processes have asked for. One that died just now, and is to have
// a successor, counts.
func (g *group) asked() map[string]bool {
	now := make(map[string]bool)
	for _, sl := range g.slots {
		switch p := sl.current(); {
		case p != nil && p.state == control.Ready:
			maps.Copy(now, p.extras)
		case !sl.retired:
			maps.Copy(now, g.extras)
		}
	}
	return now
}
