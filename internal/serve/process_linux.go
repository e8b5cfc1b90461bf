package serve

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
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
	program Program
	link    *control.Link
	sockets *Sockets
	log     *serviceLog
	worker  Worker
	ready   chan struct{} // closed when the worker serves
	ending  sync.Once
	stopped atomic.Bool // the stop was asked for, maybe before there was anything to stop
}

// runProcess serves the worker that the master names.
func runProcess(p Program) error {
	link, err := openLink()
	if err != nil {
		return fmt.Errorf("link to the master: %w", err)
	}
	start, fds, err := link.Receive()
	if err != nil || start.Kind != control.Start {
		return fmt.Errorf("link to the master: no order to start: %w", err)
	}
	own := min(start.Sockets, len(fds))
	s := &process{
		program: p, link: link, sockets: newSockets(link, start.Key, fds[:own]),
		log: newLog(start.Daemon), ready: make(chan struct{}),
	}
	s.log.inherit(fds[own:])
	s.worker, err = p.Take(Assignment{
		Key: start.Key, Slot: start.Slot, Base: start.Base, Secret: start.Secret, Sockets: s.sockets,
		Reload: func() error { return link.Send(control.Message{Kind: control.ReloadAll}) },
	})
	if err == nil {
		err = s.run()
	}
	if err != nil {
		link.Send(control.Message{Kind: control.Failed, Error: err.Error()})
	}
	return err
}

// openLink opens the link to the master and greets it. What the runtime writes of a crash goes
// to the master from then on.
func openLink() (*control.Link, error) {
	link, err := control.OpenLink(os.NewFile(master.LinkDescriptor, "link"))
	if err != nil {
		return nil, err
	}
	crash := os.NewFile(master.CrashDescriptor, "crash")
	debug.SetCrashOutput(crash, debug.CrashOptions{})
	crash.Close()
	return link, link.Send(control.Message{Kind: control.Hello, Version: control.Protocol})
}

// run serves until a stop is asked for.
func (p *process) run() error {
	p.log.install(p.worker.Name())
	raiseFiles(p.logger())
	go p.obey()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	go p.onQuit(ctx)
	surviveTerminal(syscall.SIGHUP)
	return p.worker.Serve(ctx, p.serving)
}

func (p *process) logger() *slog.Logger { return p.program.Settings().logger() }

// serving tells the master that the worker serves.
func (p *process) serving(stopping context.Context) {
	close(p.ready)
	if p.stopped.Load() {
		p.worker.Stop()
		return
	}
	p.link.Send(control.Message{Kind: control.Up, Inside: p.worker.Inside()})
	if r := p.worker.Recycle(); r != (Recycle{}) {
		go p.recycle(stopping, r)
	}
}

// onQuit ends the process gracefully after SIGQUIT.
func (p *process) onQuit(ctx context.Context) {
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, syscall.SIGQUIT)
	defer signal.Stop(quit)
	select {
	case <-quit:
		p.drain(true, cmp.Or(p.program.Settings().GracefulTimeout, master.DefaultGraceful))
	case <-ctx.Done():
	}
}

// obey serves the master's messages. Without a master the process ends.
func (p *process) obey() {
	for {
		m, fds, err := p.link.Receive()
		if err != nil {
			p.logger().Error("the master is gone: this process ends with its connections", "error", err)
			p.worker.FreeAddresses()
			p.drain(false, p.program.Settings().DrainTimeout)
			return
		}
		p.serve(m, fds)
	}
}

// serve does what a message asks for. What takes time goes on a goroutine of its own, because
// messages that follow may not wait.
func (p *process) serve(m control.Message, fds []int) {
	file := func() *os.File {
		f := os.NewFile(uintptr(fds[0]), m.Kind)
		fds = fds[1:]
		return f
	}
	switch {
	case m.Kind == control.Listener:
		if p.sockets.answered(m, fds) {
			return
		}
	case m.Kind == control.Ask && len(fds) > 0:
		go p.answer(m, file())
	case m.Kind == control.Give && len(fds) > 0:
		go p.handOver(file(), m.Timeout)
	case m.Kind == control.Give: // this process may open no file more
		p.handedOver(0)
	case m.Kind == control.Take && len(fds) > 0:
		go p.adopt(file())
	case m.Kind == control.Drain:
		go p.drain(m.Graceful, m.Timeout)
	case m.Kind == control.Stop && m.Graceful:
		go p.drain(true, m.Timeout)
	case m.Kind == control.Stop:
		p.stop()
	case m.Kind == control.Notice:
		go p.onReload()
	case m.Kind == control.Logs:
		p.log.inherit(fds)
		return
	case m.Kind == control.Output && len(fds) > 0:
		if err := replaceOutput(fds[0]); err != nil {
			p.logger().Warn("output", "error", err)
		}
	}
	control.CloseAll(fds)
}

// drain gets rid of the connections and stops.
func (p *process) drain(graceful bool, limit time.Duration) {
	p.ending.Do(func() {
		select {
		case <-p.ready:
			p.worker.StopListening()
			p.worker.Drain(limit, graceful, func(left int) {
				p.link.Send(control.Message{Kind: control.Leaving, Left: left})
			})
		default: // it never served
		}
		p.stop()
	})
}

// stop asks for the end of the process. Connections get what was sent to them.
func (p *process) stop() {
	p.stopped.Store(true)
	p.worker.Stop()
}
