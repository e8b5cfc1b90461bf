package master

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// Questions to a process, of control.Ask.
const (
	AskFigures     = "figures"
	AskConnections = "connections"
	AskStack       = "stack"
	AskProfile     = "profile"
)

// answerTime is how long a process may take to answer, or to go on with its answer. It
// answers on a goroutine that waits for no callback, so one that takes longer does not run at
// all.
const answerTime = 500 * time.Millisecond

// ErrNoProcess is returned for a process that does not exist.
var ErrNoProcess = errors.New("no such process")

// ask copies the answer of a process to w. The process may take so long for each piece of it;
// how long w takes is no matter.
func (p *process) ask(ctx context.Context, what string, query any, timeout time.Duration, w io.Writer) error {
	q, err := json.Marshal(query)
	if err != nil {
		return err
	}
	r, end, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	err = p.out.sendFile(control.Message{Kind: control.Ask, What: what, Query: string(q)}, end)
	end.Close()
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { r.Close() })()
	buf := make([]byte, 64<<10)
	for some := false; ; some = true {
		r.SetReadDeadline(time.Now().Add(timeout))
		n, err := r.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("process %d does not answer within %v", p.pid, timeout)
		case err == io.EOF && !some && what != AskConnections:
			return fmt.Errorf("process %d gives no answer", p.pid)
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// all lists the processes. With s.mu held.
func (s *Supervisor) all() (list []*process) {
	for _, g := range s.groups {
		for _, sl := range g.slots {
			list = append(list, sl.processes...)
		}
	}
	return list
}

// find lists the processes of a worker, or the one with a pid; zero values mean any.
func (s *Supervisor) find(worker string, pid int) (list []*process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.all() {
		if (worker == "" || p.slot.group.plan.Name == worker) && (pid == 0 || p.pid == pid) {
			list = append(list, p)
		}
	}
	return list
}

// Status asks all processes for their figures.
func (s *Supervisor) Status(ctx context.Context) control.Status {
	s.mu.Lock()
	list := s.all()
	s.mu.Unlock()
	figures := make(map[*process]*control.Figures, len(list))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, p := range list {
		wg.Go(func() {
			var b bytes.Buffer
			f := new(control.Figures)
			if p.ask(ctx, AskFigures, nil, answerTime, &b) != nil || json.Unmarshal(b.Bytes(), f) != nil {
				return
			}
			mu.Lock()
			figures[p] = f
			mu.Unlock()
		})
	}
	wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	st := control.Status{
		Go: runtime.Version(), Program: s.options.Program, Args: s.options.Args, PID: os.Getpid(), Daemon: s.options.Daemon,
		State: string(s.state), Started: s.started, Now: time.Now(), Load: load(), CPUs: runtime.NumCPU(), Reload: s.reload, Reloads: s.reloads,
	}
	for _, g := range s.groups {
		w := control.Worker{
			Name: g.plan.Name, Listen: g.listen(), Transport: g.plan.Transport, User: g.plan.User, Count: g.plan.Count, Loops: g.plan.Loops,
			Exits: slices.Clone(g.exits), Moved: g.moved,
		}
		if g.timer != nil {
			w.Backoff = max(0, time.Until(g.retryAt)).Round(time.Millisecond).String()
		}
		for _, sl := range g.slots {
			for _, p := range sl.processes {
				c := control.Process{PID: p.pid, Slot: sl.id, State: p.state, Started: p.started}
				if f := figures[p]; f != nil {
					c.Figures = *f
					st.Connected += f.Connections
				} else if p.state == control.Ready {
					c.State = control.Lost
				}
				w.Processes = append(w.Processes, c)
			}
		}
		st.Workers = append(st.Workers, w)
		for _, inner := range g.inside {
			inner.Inside, inner.Count, inner.User = g.plan.Name, g.plan.Count, g.plan.User
			st.Workers = append(st.Workers, inner)
		}
	}
	return st
}

// listen is the address as it is shown, with the port that is really open.
func (g *group) listen() string {
	scheme, _, ok := strings.Cut(g.plan.Listen, "://")
	if g.set == nil || !ok {
		return g.plan.Listen
	}
	return scheme + "://" + g.set.address.String()
}

// load is the load of the machine.
func load() (l [3]float64) {
	b, _ := os.ReadFile("/proc/loadavg")
	for i, f := range strings.Fields(string(b)) {
		if i < len(l) {
			l[i], _ = strconv.ParseFloat(f, 64)
		}
	}
	return l
}

// Connections writes the lines of the connections that f chooses, process after process. The
// error names the processes that do not answer; those of the others are written nevertheless.
func (s *Supervisor) Connections(ctx context.Context, f control.Filter, w io.Writer) error {
	var errs []error
	for _, p := range s.find(f.Worker, f.PID) {
		err := p.ask(ctx, AskConnections, f, 4*answerTime, w)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		select {
		case <-p.gone: // with its connections
		default:
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Stack writes where processes stand.
func (s *Supervisor) Stack(ctx context.Context, worker string, pid int, w io.Writer) error {
	list := s.find(worker, pid)
	if len(list) == 0 {
		return ErrNoProcess
	}
	for _, p := range list {
		fmt.Fprintf(w, "process %d  worker %s  id %d\n", p.pid, p.worker, p.slot.id)
		if err := p.ask(ctx, AskStack, nil, 10*answerTime, w); err != nil {
			fmt.Fprintf(w, "no answer: %v\n", err)
		}
		fmt.Fprintln(w)
	}
	return nil
}

// ProfileRequest is the query of AskProfile.
type ProfileRequest struct {
	Name  string     `json:"name"`
	Query url.Values `json:"query"`
}

// Profile writes a profile of a process.
func (s *Supervisor) Profile(ctx context.Context, pid int, r ProfileRequest, w io.Writer) error {
	list := s.find("", pid)
	if len(list) == 0 {
		return ErrNoProcess
	}
	return list[0].ask(ctx, AskProfile, r, profileTime, w)
}

// profileTime is longer than any profile.
const profileTime = 10 * time.Minute

// Notify sends the new log files to all processes.
func (s *Supervisor) Notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	logs := s.logFiles()
	defer control.CloseAll(logs)
	for _, p := range s.all() {
		p.out.send(control.Message{Kind: control.Logs}, logs...)
	}
}
