package master

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// handoverTime bounds the hand-over of a process's connections. What has not moved by then
// drains.
const handoverTime = 30 * time.Second

// giverPatience is how long a process may take to show that it runs, before it is asked to hand
// its connections over.
const giverPatience = 2 * time.Second

// Reload replaces all processes by such of the program that is on the disk now, one slot
// after the other: the successor serves before the old one stops. Whatever does not start
// leaves the old processes as they are, and the error says why. Reloads that come while one
// goes on wait for it. progress, if any, is told how far it is.
func (s *Supervisor) Reload(graceful bool, progress func(control.Reload)) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	s.mu.Lock()
	if s.state != Running {
		s.mu.Unlock()
		return fmt.Errorf("no reload while %s", s.state)
	}
	r := &reload{s: s, graceful: graceful, report: control.Reload{Began: time.Now()}, progress: progress}
	s.setState(Reloading, "")
	s.reloads++
	s.living.Add(1) // a stop waits until this has come to its end, too
	defer s.living.Done()
	s.mu.Unlock()
	s.log.Info("reloading", "graceful", graceful)
	s.renewOutput()
	err := r.run()
	s.mu.Lock()
	defer s.mu.Unlock()
	r.report.Took = time.Since(r.report.Began).Seconds()
	r.report.Done = true
	if err != nil {
		r.report.Error = err.Error()
		s.log.Error("reload failed", "error", err, "replaced", r.report.Replaced, "of", r.report.Total)
	} else {
		s.log.Info("reloaded", "processes", r.report.Replaced, "moved", r.report.Moved, "draining", r.report.Draining,
			"took", time.Since(r.report.Began).Round(time.Millisecond).String())
	}
	r.tell()
	if s.state == Reloading {
		s.setState(Running, "")
	}
	return err
}

// renewOutput begins a new output file if the operator has moved the old one away.
func (s *Supervisor) renewOutput() {
	if s.options.OnReload == nil {
		return
	}
	fd := s.options.OnReload()
	if fd < 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.all() {
		p.out.send(control.Message{Kind: control.Output}, fd)
	}
}

// reload is a reload that goes on.
type reload struct {
	s        *Supervisor
	graceful bool
	image    *image
	report   control.Reload // guarded by s.mu
	progress func(control.Reload)
	before   []*group // as they were
	plans    []Worker // what the groups were to run before the reload
	retired  []bool   // which groups were retired before the reload
}

// tell reports progress. With s.mu held.
func (r *reload) tell() {
	report := r.report
	r.s.reload = &report
	if r.progress != nil {
		r.progress(report)
	}
}

func (r *reload) run() error {
	s := r.s
	img, plan, err := s.examine()
	if err != nil {
		return err
	}
	r.image = img
	s.mu.Lock()
	err = r.reconcile(plan)
	var list []*slot
	if err == nil {
		list = r.toReplace()
		r.report.Total = len(list)
		r.tell()
	}
	s.mu.Unlock()
	if err != nil {
		img.close()
		return err
	}
	for _, sl := range list {
		if err = r.replace(sl); err != nil {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.plan = plan
		s.image = img
		r.retire()
	} else {
		r.undo()
	}
	s.sweep()
	s.closeImages(img)
	for _, g := range s.groups { // those whose start was waiting, or who died meanwhile
		for _, sl := range g.slots {
			s.fill(sl)
		}
	}
	return err
}

// toReplace lists the slots that get a new process, and tells the others.
func (r *reload) toReplace() (list []*slot) {
	for _, g := range r.s.groups {
		for _, sl := range g.slots {
			if g.retired || sl.retired {
				continue
			}
			if p := sl.current(); p != nil && !g.plan.Reloadable {
				p.out.send(control.Message{Kind: control.Notice})
				continue
			}
			list = append(list, sl)
		}
	}
	// At the sockets of slots without a process clients may be waiting already.
	slices.SortStableFunc(list, func(a, b *slot) int { return min(len(a.processes), 1) - min(len(b.processes), 1) })
	return list
}

// replace gives a slot a new process.
func (r *reload) replace(sl *slot) error {
	s := r.s
	moved, left, err := s.succeed(sl, r.image, r.graceful, func(moved, left int64) {
		s.mu.Lock()
		defer s.mu.Unlock()
		now := r.report
		r.report.Moved += moved
		r.report.Draining += left
		r.tell()
		r.report = now
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		return err
	}
	r.report.Replaced++
	r.report.Moved += moved
	r.report.Draining += left
	r.tell()
	return nil
}

// succeed starts a successor of a slot's process, waits until it serves, has the
// connections handed over and lets the old process drain. After an error the caller fills the
// slot: the old process may have died meanwhile.
func (s *Supervisor) succeed(sl *slot, img *image, graceful bool, progress func(moved, left int64)) (moved, left int64, err error) {
	s.mu.Lock()
	if s.state == Stopping {
		s.mu.Unlock()
		return 0, 0, errStopped
	}
	old := sl.current()
	p, err := s.spawn(sl, img)
	if err == nil {
		p.awaited = true
	}
	s.mu.Unlock()
	if err == nil {
		err = s.await(context.Background(), p, time.After(s.options.Ready))
	}
	if err != nil {
		return 0, 0, err
	}
	s.mu.Lock()
	sl.image = img
	if old == nil {
		s.mu.Unlock()
		return 0, 0, nil
	}
	if old.state == control.Starting || old.state == control.Ready {
		old.state = control.Draining
	}
	old.endReason = "reload"
	s.mu.Unlock()
	if s.pass(old, p, graceful, progress) {
		moved, left = old.moved.Load(), old.left.Load()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sl.group.moved += uint64(moved)
	if old.state == control.Draining {
		s.endProcess(old, control.Message{Kind: control.Drain, Graceful: graceful, Timeout: s.plan.Drain}, "reload")
	}
	return moved, left, nil
}

// pass has connections handed over from old to p; false if none moved.
func (s *Supervisor) pass(old, p *process, graceful bool, progress func(moved, left int64)) bool {
	if old.ask(context.Background(), AskFigures, nil, giverPatience, io.Discard) != nil {
		s.log.Warn("no hand-over: the process does not run", "pid", old.pid)
		return false
	}
	a, b, err := control.StreamPair()
	if err != nil {
		s.log.Error("no hand-over", "error", err)
		return false
	}
	defer a.Close()
	defer b.Close()
	if p.out.sendFile(control.Message{Kind: control.Take}, b) != nil {
		return false
	}
	if old.out.sendFile(control.Message{Kind: control.Give, Graceful: graceful, Timeout: handoverTime}, a) != nil {
		return false
	}
	a.Close() // the processes have theirs, and notice when the other is gone
	b.Close()
	limit := time.NewTimer(handoverTime + killAfter)
	defer limit.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-old.given:
			return true
		case <-old.gone:
			return true
		case <-limit.C:
			s.log.Warn("the hand-over takes too long", "pid", old.pid)
			return true
		case <-tick.C:
			if progress != nil {
				progress(old.moved.Load(), old.left.Load())
			}
		}
	}
}

// replaceFor starts the successor of a process that has served long enough.
func (s *Supervisor) replaceFor(p *process, reason string) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	s.mu.Lock()
	sl := p.slot
	current := sl.current() == p && s.state == Running
	img := sl.image
	s.mu.Unlock()
	if !current {
		return
	}
	s.log.Info("recycling a process", "worker", p.worker, "id", sl.id, "pid", p.pid, "reason", reason)
	_, _, err := s.succeed(sl, img, false, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.log.Error("recycling failed: the old process goes on", "pid", p.pid, "error", err)
		p.replace = false
		s.fill(sl)
		return
	}
	sl.group.count("recycled: " + reason)
}

// closeImages closes what no slot would start any more.
func (s *Supervisor) closeImages(newest *image) {
	used := map[*image]bool{s.image: true}
	for _, g := range s.groups {
		for _, sl := range g.slots {
			if !g.retired && !sl.retired {
				used[sl.image] = true
			}
		}
	}
	for _, img := range append(s.images, newest) {
		if !used[img] {
			img.close()
		}
	}
	s.images = s.images[:0]
	for img := range used {
		if img != nil {
			s.images = append(s.images, img)
		}
	}
}
