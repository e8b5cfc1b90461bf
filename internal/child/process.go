package child

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// ErrOrphan is returned by Start when the context has ended already.
var ErrOrphan = errors.New("nobody is there to run the program for")

// Process is a program that was started. Its methods may be called from every goroutine.
type Process struct {
	cmd *exec.Cmd
	ctx context.Context

	mu     sync.Mutex // guards what follows
	reaped bool       // the process id may be somebody else's
}

// running are the processes that have not been reaped.
var running struct {
	sync.Mutex
	all map[*Process]struct{}
}

// Start starts cmd for as long as ctx lasts; the caller has to watch ctx and to send SIGKILL at
// its end. cmd.SysProcAttr may be set; it is copied and changed so that the program gets a group.
// The error is ErrOrphan or that of exec.Cmd.Start. After a success call Wait, then Reap.
func Start(ctx context.Context, cmd *exec.Cmd) (*Process, error) {
	running.Lock() // so that KillOrphans finds the program, or Start finds the context's end
	defer running.Unlock()
	if ctx.Err() != nil {
		return nil, ErrOrphan
	}
	inOwnGroup(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, ctx: ctx}
	if running.all == nil {
		running.all = make(map[*Process]struct{})
	}
	running.all[p] = struct{}{}
	return p, nil
}

// ID is the process id.
func (p *Process) ID() int { return p.cmd.Process.Pid }

// Wait waits until the program has ended and returns what reaps it. Until reap is called the
// system keeps the process id, so that a signal meets nobody else (on Linux; elsewhere package os
// sees to that). The error of reap is that of exec.Cmd.Wait. Call Wait once, and reap once.
func (p *Process) Wait() (reap func() error) {
	end := awaitExit(p.cmd)
	return func() error {
		p.mu.Lock()
		err := end()
		p.reaped = true
		p.mu.Unlock()
		running.Lock()
		defer running.Unlock()
		delete(running.all, p)
		return err
	}
}

// Signal sends a signal to the program and, on Linux, to those in its group. The error is
// os.ErrProcessDone when the program has ended and was reaped.
func (p *Process) Signal(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return os.ErrProcessDone
	}
	return signalGroup(p.cmd, sig)
}

// KillOrphans kills the processes whose context has ended, with their groups. It does not wait
// for their end. Any goroutine may call it.
func KillOrphans() {
	running.Lock()
	defer running.Unlock()
	for p := range running.all {
		if p.ctx.Err() != nil {
			p.Signal(syscall.SIGKILL)
		}
	}
}
