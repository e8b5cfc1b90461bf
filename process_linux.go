package workerman

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/master"
)

// process is this process when it serves a worker for a master.
type process struct {
	m      *Master
	link   *control.Link
	worker *Worker // nil if there are clients or timers only
	log    *serviceLog
	ready  chan struct{}
	ending sync.Once
	over   atomic.Bool // the end was asked for, maybe before there was anything to end

	mu    sync.Mutex // guards what follows
	first []int      // descriptors of the worker's own sockets, until it takes them
	asked uint64
	reply map[uint64]chan reply
}

// reply is the master's answer to control.Listen.
type reply struct {
	fds []int
	err error
}

// runProcess serves the worker that the master names.
func (m *Master) runProcess() error {
	link, err := control.OpenLink(os.NewFile(master.LinkDescriptor, "link"))
	if err != nil {
		return fmt.Errorf("link to the master: %w", err)
	}
	crash := os.NewFile(master.CrashDescriptor, "crash")
	debug.SetCrashOutput(crash, debug.CrashOptions{})
	crash.Close()
	p := &process{m: m, link: link, ready: make(chan struct{}), reply: make(map[uint64]chan reply)}
	if err := link.Send(control.Message{Kind: control.Hello, Version: control.Protocol}); err != nil {
		return fmt.Errorf("link to the master: %w", err)
	}
	start, fds, err := link.Receive()
	if err != nil || start.Kind != control.Start {
		return fmt.Errorf("link to the master: no order to start: %w", err)
	}
	own := min(start.Sockets, len(fds))
	p.first = fds[:own]
	p.log = newLog(start.Daemon)
	p.log.inherit(fds[own:])
	m.slot, m.inherited = start.Slot, p
	m.nextID.Store(start.Base)
	m.tickets.Set(start.Secret)
	workers, err := m.pick(start.Key)
	if err == nil {
		name := "none"
		if len(workers) > 0 {
			p.worker = workers[0]
			name = p.worker.name()
		}
		p.log.install(name)
		m.raiseFiles()
		go p.obey()
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		go p.onQuit(ctx)
		surviveTerminal(syscall.SIGHUP)
		err = m.run(ctx, workers, p.serving)
	}
	if err != nil {
		link.Send(control.Message{Kind: control.Failed, Error: err.Error()})
	}
	return err
}

// Reload asks the master for a reload, as the command reload does, from any goroutine of a
// process that RunAll has started. It returns at once. ErrNotRunning means that there is no
// master, as under Run.
func Reload() error {
	p, ok := defaultMaster.inherited.(*process)
	if !ok {
		return ErrNotRunning
	}
	return p.link.Send(control.Message{Kind: control.Reloads})
}

// pick finds the worker of a key, and those inside of it: the program on the disk may have
// changed.
func (m *Master) pick(key string) ([]*Worker, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	keys := workerKeys(m.workers)
	for i, w := range m.workers {
		if keys[i] == key {
			return household(w, m.workers), nil
		}
	}
	if key == "" && len(m.workers) == 0 {
		return nil, nil
	}
	return nil, fmt.Errorf("this version of the program has no worker %s", key)
}

// serving tells the master that the worker serves.
func (p *process) serving() {
	close(p.ready)
	if p.over.Load() {
		p.m.StopAll()
		return
	}
	p.link.Send(control.Message{Kind: control.Up, Inside: p.inside()})
	if p.worker != nil && p.worker.Recycle != (Recycle{}) {
		go p.recycle(p.worker.Recycle)
	}
}

// inside lists what the process serves besides its worker.
func (p *process) inside() (list []control.Worker) {
	for _, s := range p.m.serving() {
		if w := s.worker; w != p.worker {
			list = append(list, control.Worker{Name: w.name(), Listen: w.listenText(), Transport: s.transport(), Loops: s.wanted()})
		}
	}
	return list
}

// onQuit ends the process gracefully after SIGQUIT.
func (p *process) onQuit(ctx context.Context) {
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, syscall.SIGQUIT)
	defer signal.Stop(quit)
	select {
	case <-quit:
		p.leave(true, p.m.gracefulTimeout())
	case <-ctx.Done():
	}
}

// obey serves the master's messages. Without a master the process ends.
func (p *process) obey() {
	for {
		m, fds, err := p.link.Receive()
		if err != nil {
			p.m.logger().Error("the master is gone: this process ends with its connections", "error", err)
			for _, s := range p.m.serving() {
				s.refuse()
			}
			p.leave(false, p.m.drainTimeout())
			return
		}
		p.serve(m, fds)
	}
}

func (p *process) serve(m control.Message, fds []int) {
	file := func() *os.File {
		f := os.NewFile(uintptr(fds[0]), m.Kind)
		fds = fds[1:]
		return f
	}
	switch {
	case m.Kind == control.Listener:
		r := reply{fds: fds}
		if m.Error != "" {
			r.err = errors.New(m.Error)
		}
		p.mu.Lock()
		ch := p.reply[m.ID]
		delete(p.reply, m.ID)
		p.mu.Unlock()
		if ch != nil {
			ch <- r
			return
		}
	case m.Kind == control.Ask && len(fds) > 0:
		go p.answer(m, file())
	case m.Kind == control.Give && len(fds) > 0:
		go p.give(file(), m.Timeout)
	case m.Kind == control.Give: // this process may open no file more
		p.given(0)
	case m.Kind == control.Take && len(fds) > 0:
		go p.take(file())
	case m.Kind == control.Drain:
		go p.leave(m.Graceful, m.Timeout)
	case m.Kind == control.Stop && m.Graceful:
		go p.leave(true, m.Timeout)
	case m.Kind == control.Stop:
		p.stop()
	case m.Kind == control.Notice:
		go p.reloadCallback()
	case m.Kind == control.Logs:
		p.log.inherit(fds)
		return
	case m.Kind == control.Output && len(fds) > 0:
		if err := replaceOutput(fds[0]); err != nil {
			p.m.logger().Warn("output", "error", err)
		}
	}
	control.CloseAll(fds)
}

// answer writes the answer to a question of the master.
func (p *process) answer(m control.Message, w *os.File) {
	defer w.Close()
	var err error
	switch m.What {
	case master.AskFigures:
		err = json.NewEncoder(w).Encode(p.m.figures())
	case master.AskConnections:
		var f control.Filter
		if err = json.Unmarshal([]byte(m.Query), &f); err == nil {
			err = p.m.writeConnections(w, f)
		}
	case master.AskStack:
		err = p.m.writeStack(w)
	case master.AskProfile:
		err = p.profile(m.Query, w)
	}
	if err != nil && !errors.Is(err, syscall.EPIPE) {
		p.m.logger().Debug("question of the master", "what", m.What, "error", err)
	}
}

// leave drains the connections and stops.
func (p *process) leave(graceful bool, timeout time.Duration) {
	p.ending.Do(func() {
		select {
		case <-p.ready:
			p.unlisten()
			p.m.drain(timeout, graceful, func(left int) {
				p.link.Send(control.Message{Kind: control.Leaving, Left: left})
			})
		default: // it never served
		}
		p.stop()
	})
}

// stop ends the process in good order.
func (p *process) stop() {
	p.over.Store(true)
	p.m.StopAll()
}

// unlisten stops accepting on all workers of the process, and returns when all connections
// that were accepted are known: none of them may be overlooked.
func (p *process) unlisten() {
	for _, s := range p.m.serving() {
		s.unlisten()
	}
	p.m.settled()
	p.m.settled() // what one loop has accepted may have been on its way to another
}

// give hands connections over to the process at the other end of f.
func (p *process) give(f *os.File, timeout time.Duration) {
	<-p.ready
	p.unlisten()
	p.reloadCallback()
	moved := 0
	link, err := control.UnixConn(f)
	if err == nil {
		err = p.m.handOver(link, time.Now().Add(timeout), func(n, left int) {
			moved = n
			p.link.Send(control.Message{Kind: control.Moving, Moved: n, Left: left})
		})
	}
	if err != nil {
		p.m.logger().Warn("hand-over of connections", "error", err)
	}
	p.given(moved)
}

// given tells the master that the hand-over is over.
func (p *process) given(moved int) {
	left := 0
	for _, s := range p.m.serving() {
		left += int(s.live.Load())
	}
	p.link.Send(control.Message{Kind: control.Given, Moved: moved, Left: left})
}

// take takes connections over from the process at the other end of f.
func (p *process) take(f *os.File) {
	<-p.ready
	link, err := control.UnixConn(f)
	if err == nil {
		err = p.m.adopt(link)
	}
	if err != nil {
		p.m.logger().Warn("taking over connections", "error", err)
	}
}

// stuckPatience is how long a reload waits for a loop that a callback holds.
const stuckPatience = 2 * time.Second

// reloadCallback runs OnWorkerReload. It does not wait long: the callback before it may have
// no end.
func (p *process) reloadCallback() {
	if p.worker == nil || p.worker.OnWorkerReload == nil {
		return
	}
	done := make(chan struct{})
	if p.worker.Post(func() { defer close(done); p.worker.OnWorkerReload(p.worker) }) {
		select {
		case <-done:
		case <-time.After(stuckPatience):
			p.m.logger().Warn("OnWorkerReload takes its time, the reload goes on")
		}
	}
}

// recycle asks for a successor when the process has served long enough.
func (p *process) recycle(r Recycle) {
	age := r.Age + time.Duration(rand.Int64N(int64(r.Age)/10+1))
	born := time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-p.m.stop:
			return
		}
		reason := "" // names the limit rather than what was met, so that exits are counted together
		f := p.m.figures()
		switch {
		case r.Requests > 0 && f.Requests >= r.Requests:
			reason = fmt.Sprintf("%d requests", r.Requests)
		case r.Memory > 0 && f.Memory >= r.Memory:
			reason = fmt.Sprintf("%d MiB of memory", r.Memory>>20)
		case r.Age > 0 && time.Since(born) >= age:
			reason = "age " + r.Age.String()
		}
		if reason != "" {
			p.link.Send(control.Message{Kind: control.Replace, Reason: reason})
		}
	}
}
