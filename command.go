package workerman

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// CommandOptions are what StartCommand does with a program. The callbacks run one at a time
// on the loop that StartCommand was given; each may be nil.
type CommandOptions struct {
	// OnOutput and OnErrorOutput get what the program writes to its standard output and its
	// standard error: pieces of at most 32 KiB, or lines. data is lent until they return. The
	// program has to wait while they run, and while the command is paused. Output that nobody
	// listens to is thrown away.
	OnOutput      func(data []byte)
	OnErrorOutput func(data []byte)
	// OnExit is called once, when the program has ended and its output was delivered: with
	// nil, an *exec.ExitError, or ErrTooLarge if it was killed for a line that was too long.
	OnExit func(err error)
	// Lines cuts the output into lines, which come without their end, "\n" or "\r\n".
	Lines bool
	// MaxLine is the largest line in bytes. Default 64 KiB.
	MaxLine int
	// Input is whether Send gives the program input; without it the input is empty.
	Input bool
}

// DefaultMaxLine is the default of CommandOptions.MaxLine.
const DefaultMaxLine = 64 << 10

// afterExit is how long output is still waited for when the program has ended: what it
// leaves behind may hold its output open.
const afterExit = time.Second

// Command is a program that runs beside the loop. Its methods may be called from every
// goroutine.
type Command struct {
	cmd     *exec.Cmd
	on      Poster
	ctx     context.Context // on's
	options CommandOptions
	input   *commandInput // nil without Input
	outputs []*output

	exited atomic.Bool   // what output there is may still come
	over   chan struct{} // closed when it has all come

	mu     sync.Mutex // guards what follows
	reaped bool       // its process id may be somebody else's
	fault  error      // why it was killed
	paused chan struct{}
}

// StartCommand runs a program. Stdin, Stdout, Stderr, Cancel and WaitDelay of cmd have to be
// unset; its other fields are used as they are. The program is killed, on Linux with those
// that it has started in its group, when on's context ends, which is when the connection
// closes or the process stops; then no callback comes any more.
//
// The error is that of exec.Cmd.Start, or ErrNotRunning.
//
//	workerman.StartCommand(c, exec.Command("ffprobe", path), workerman.CommandOptions{
//		Lines:    true,
//		OnOutput: func(line []byte) { c.Send(line) },
//		OnExit:   func(err error) { c.Close() },
//	})
func StartCommand(on Poster, cmd *exec.Cmd, options CommandOptions) (*Command, error) {
	setDefault(&options.MaxLine, DefaultMaxLine)
	c := &Command{cmd: cmd, on: on, ctx: on.Context(), options: options, over: make(chan struct{})}
	if err := c.start(); err != nil {
		return nil, fmt.Errorf("command %s: %w", cmd.Path, err)
	}
	return c, nil
}

// start starts the program with its pipes and goroutines.
func (c *Command) start() (err error) {
	cmd := c.cmd
	if cmd.Stdin != nil || cmd.Stdout != nil || cmd.Stderr != nil || cmd.Cancel != nil || cmd.WaitDelay != 0 {
		return fmt.Errorf("Stdin, Stdout, Stderr, Cancel and WaitDelay of the exec.Cmd have to be unset")
	}
	defer func() {
		for _, o := range c.outputs {
			o.theirs.Close()
			if err != nil {
				o.ours.Close()
			}
		}
	}()
	for _, o := range []struct {
		stream *io.Writer
		fn     func([]byte)
	}{{&cmd.Stdout, c.options.OnOutput}, {&cmd.Stderr, c.options.OnErrorOutput}} {
		if o.fn == nil {
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		*o.stream = w
		c.outputs = append(c.outputs, &output{c, r, w, o.fn})
	}
	if c.options.Input {
		pipe, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		c.input = &commandInput{pipe: pipe}
	}
	if err := running.start(c); err != nil {
		if c.input != nil {
			c.input.end()
		}
		return err
	}
	var readers sync.WaitGroup
	for _, o := range c.outputs {
		readers.Go(o.run)
	}
	go c.watch()
	go c.wait(&readers)
	return nil
}

// watch kills the program when there is nobody to run it for.
func (c *Command) watch() {
	select {
	case <-c.ctx.Done():
		c.Kill()
	case <-c.over:
	}
}

// wait waits for the end of the program, then for that of its output. Until then the system
// keeps its process id, so that Kill meets nobody else.
func (c *Command) wait(readers *sync.WaitGroup) {
	reap := awaitExit(c.cmd)
	c.exited.Store(true)
	for _, o := range c.outputs {
		o.ours.SetReadDeadline(time.Now().Add(afterExit))
	}
	readers.Wait()
	c.mu.Lock()
	err := reap()
	c.reaped = true
	if c.fault != nil {
		err = c.fault
	}
	c.mu.Unlock()
	if c.input != nil {
		c.input.end()
	}
	running.remove(c)
	close(c.over)
	if fn := c.options.OnExit; fn != nil {
		c.deliver(func() { fn(err) })
	}
}

// deliver runs fn on the loop and waits for its end; false if there is nobody any more to
// run it for.
func (c *Command) deliver(fn func()) bool {
	done := make(chan struct{})
	if !c.on.Post(func() {
		defer close(done)
		if c.ctx.Err() == nil {
			fn()
		}
	}) {
		return false
	}
	select {
	case <-done:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// Pid is the program's process id.
func (c *Command) Pid() int { return c.cmd.Process.Pid }

// Signal sends a signal to the program and, on Linux, to those that it has started in its
// group. The error is os.ErrProcessDone when it has ended.
func (c *Command) Signal(sig syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reaped {
		return os.ErrProcessDone
	}
	return signalGroup(c.cmd, sig)
}

// Kill ends the program, and on Linux those that it has started in its group, at once.
// OnExit is called.
func (c *Command) Kill() {
	c.Signal(syscall.SIGKILL)
	c.Resume()
}

// fail kills the program for a reason that OnExit tells.
func (c *Command) fail(err error) {
	c.mu.Lock()
	if c.fault == nil {
		c.fault = err
	}
	c.mu.Unlock()
	c.Kill()
}

// Send gives data to the program as input, in the order of the calls. Like Conn.Send it does
// not wait: ErrBufferFull if 1 MiB waits already for the program to read it. ErrClosed when
// the input or the program has ended, or without CommandOptions.Input.
func (c *Command) Send(data []byte) error {
	if c.input == nil {
		return ErrClosed
	}
	return c.input.send(data)
}

// CloseInput ends the program's input behind what was sent.
func (c *Command) CloseInput() {
	if c.input != nil {
		c.input.close()
	}
}

// running are the programs that have not ended.
var running programs

type programs struct {
	mu  sync.Mutex
	all map[*Command]struct{}
}

// start starts a program unless there is nobody to run it for.
func (p *programs) start(c *Command) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.ctx.Err() != nil {
		return ErrNotRunning
	}
	inOwnGroup(c.cmd)
	if err := c.cmd.Start(); err != nil {
		return err
	}
	if p.all == nil {
		p.all = make(map[*Command]struct{})
	}
	p.all[c] = struct{}{}
	return nil
}

func (p *programs) remove(c *Command) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, c)
}

// killOrphans kills those whose loop or connection has ended. A process that is about to
// exit leaves their goroutines no time to do so.
func (p *programs) killOrphans() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.all {
		if c.ctx.Err() != nil {
			c.Kill()
		}
	}
}
