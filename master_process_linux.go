package workerman

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	serving "github.com/workerman-go/workerman/internal/serve"
	"github.com/workerman-go/workerman/internal/socket"
)

// workerProcess is what this process serves for a master.
type workerProcess struct {
	m      *Master
	worker *Worker   // nil if there are clients and timers only
	all    []*Worker // with those inside of it
}

var _ serving.Worker = (*workerProcess)(nil)

// Take finds the worker of a key, and those inside of it: the program on the disk may have
// changed since the master read the plan.
func (p masterProgram) Take(a serving.Assignment) (serving.Worker, error) {
	m := p.m
	m.slot, m.inherited, m.reload = a.Slot, masterSockets{m, a.Sockets}, a.Reload
	m.nextID.Store(a.Base)
	m.tickets.Set(a.Secret)
	workers := m.workersNow()
	for i, key := range workerKeys(workers) {
		if key == a.Key {
			w := workers[i]
			return &workerProcess{m, w, withInside(w, workers)}, nil
		}
	}
	if a.Key == "" && len(workers) == 0 {
		return &workerProcess{m: m}, nil
	}
	return nil, fmt.Errorf("this version of the program has no worker %s", a.Key)
}

func (p *workerProcess) Name() string {
	if p.worker == nil {
		return "none"
	}
	return p.worker.name()
}

func (p *workerProcess) Recycle() serving.Recycle {
	if p.worker == nil {
		return serving.Recycle{}
	}
	return serving.Recycle(p.worker.Recycle)
}

func (p *workerProcess) Serve(ctx context.Context, ready func(stopping context.Context)) error {
	return p.m.serve(ctx, p.all, ready)
}

func (p *workerProcess) Stop() { p.m.StopAll() }

func (p *workerProcess) Inside() (list []control.Worker) {
	for _, s := range p.m.serving() {
		if w := s.worker; w != p.worker {
			list = append(list, control.Worker{Name: w.name(), Listen: w.listenText(), Transport: s.transport(), Loops: s.wanted()})
		}
	}
	return list
}

func (p *workerProcess) Connections() (n int) {
	for _, s := range p.m.serving() {
		n += int(s.live.Load())
	}
	return n
}

func (p *workerProcess) Figures() control.Figures { return p.m.figures() }

func (p *workerProcess) WriteConnections(w io.Writer, f control.Filter) error {
	return p.m.writeConnections(w, f)
}

func (p *workerProcess) WriteStack(w io.Writer) error { return p.m.writeStack(w) }

func (p *workerProcess) OnReload() <-chan struct{} {
	if p.worker == nil || p.worker.OnWorkerReload == nil {
		return nil
	}
	done := make(chan struct{})
	if !p.worker.Post(func() { defer close(done); p.worker.OnWorkerReload(p.worker) }) {
		return nil
	}
	return done
}

func (p *workerProcess) StopListening() {
	for _, s := range p.m.serving() {
		s.unlisten()
	}
	p.m.settled()
	p.m.settled() // what one loop has accepted may have been on its way to another
}

func (p *workerProcess) FreeAddresses() {
	for _, s := range p.m.serving() {
		s.freeAddress()
	}
}

func (p *workerProcess) Drain(limit time.Duration, graceful bool, left func(int)) {
	p.m.drain(limit, graceful, left)
}

func (p *workerProcess) HandOver(link *net.UnixConn, deadline time.Time, progress func(moved, left int)) error {
	return p.m.handOver(link, deadline, progress)
}

func (p *workerProcess) Adopt(link *net.UnixConn) error { return p.m.adopt(link) }

// masterSockets are those that the master opens for workers.
type masterSockets struct {
	m *Master
	*serving.Sockets
}

var _ socketSource = masterSockets{}

// ours says that the master removes the files of Unix sockets.
func (masterSockets) ours() bool { return false }

func (s masterSockets) listen(w *Worker, a socket.Address, n int) ([]net.Listener, error) {
	return s.Listen(s.m.keyOf(w), a, n, w.ReusePort)
}

func (s masterSockets) listenPackets(w *Worker, a socket.Address, n int) ([]*net.UDPConn, error) {
	return s.ListenPackets(s.m.keyOf(w), a, n, w.ReusePort)
}
