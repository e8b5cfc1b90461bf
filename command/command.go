package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/child"
)

// Options are what Start does with a program. The callbacks run one at a time on the loop that
// Start was given; each may be nil.
type Options struct {
	// OnOutput and OnErrorOutput get what the program writes to its standard output and its
	// standard error: pieces of at most 32 KiB, or lines. data is lent until they return. The
	// program has to wait while they run, and while the command is paused. Output that nobody
	// listens to is thrown away.
	OnOutput      func(data []byte)
	OnErrorOutput func(data []byte)
	// OnExit is called once, when the program has ended and its output was delivered: with
	// nil, an *exec.ExitError, or workerman.ErrTooLarge if it was killed for a line that was
	// too long.
	OnExit func(err error)
	// Lines cuts the output into lines, which come without their end, "\n" or "\r\n".
	Lines bool
	// MaxLine is the largest line in bytes. Default 64 KiB.
	MaxLine int
	// Input is whether Send gives the program input; without it the input is empty.
	Input bool
}

// defaultMaxLine is the default of Options.MaxLine.
const defaultMaxLine = 64 << 10

// afterExit is how long output is still waited for when the program has ended. What the program
// leaves behind may hold its output open.
const afterExit = time.Second

// Command is a program that runs beside the loop. Its methods may be called from every
// goroutine.
type Command struct {
	cmd     *exec.Cmd
	process *child.Process
	on      workerman.Poster
	ctx     context.Context // on's
	options Options
	input   *input // nil without Input
	outputs []*output

	exited atomic.Bool   // what output there is may still come
	over   chan struct{} // closed when it has all come

	mu     sync.Mutex    // guards what follows
	fault  error         // why the program was killed
	paused chan struct{} // closed by Resume; nil while output is delivered
}

// Start runs a program. Stdin, Stdout, Stderr, Cancel and WaitDelay of cmd have to be unset; its
// other fields are used as they are. The program is killed, on Linux with those that it has
// started in its group, when on's context ends, which is when the connection closes or the
// process stops; then no callback comes any more. It may be called from every goroutine.
//
// The error is that of exec.Cmd.Start, or workerman.ErrNotRunning.
func Start(on workerman.Poster, cmd *exec.Cmd, options Options) (*Command, error) {
	if options.MaxLine == 0 {
		options.MaxLine = defaultMaxLine
	}
	c := &Command{cmd: cmd, on: on, ctx: on.Context(), options: options, over: make(chan struct{})}
	if err := c.start(); err != nil {
		return nil, fmt.Errorf("command %s: %w", cmd.Path, err)
	}
	return c, nil
}

// start starts the program with its pipes and goroutines.
func (c *Command) start() (err error) {
	defer func() {
		for _, o := range c.outputs {
			o.theirs.Close()
			if err != nil {
				o.ours.Close()
			}
		}
	}()
	if err := c.openPipes(); err != nil {
		return err
	}
	if c.process, err = child.Start(c.ctx, c.cmd); err != nil {
		if c.input != nil {
			c.input.end()
		}
		if errors.Is(err, child.ErrOrphan) {
			return workerman.ErrNotRunning
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

// openPipes gives the program a pipe for each stream that somebody wants.
func (c *Command) openPipes() error {
	cmd := c.cmd
	if cmd.Stdin != nil || cmd.Stdout != nil || cmd.Stderr != nil || cmd.Cancel != nil || cmd.WaitDelay != 0 {
		return errors.New("Stdin, Stdout, Stderr, Cancel and WaitDelay of the exec.Cmd have to be unset")
	}
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
		c.input = &input{pipe: pipe}
	}
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
	reap := c.process.Wait()
	c.exited.Store(true)
	for _, o := range c.outputs {
		o.ours.SetReadDeadline(time.Now().Add(afterExit))
	}
	readers.Wait()
	err := reap()
	c.mu.Lock()
	if c.fault != nil {
		err = c.fault
	}
	c.mu.Unlock()
	if c.input != nil {
		c.input.end()
	}
	close(c.over)
	if fn := c.options.OnExit; fn != nil {
		c.deliver(func() { fn(err) })
	}
}

// deliver runs fn on the loop and waits for its end. It returns false when on's context has
// ended, because then nobody wants to know.
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
func (c *Command) Pid() int { return c.process.ID() }

// Signal sends a signal to the program and, on Linux, to those that it has started in its
// group. The error is os.ErrProcessDone when it has ended.
func (c *Command) Signal(sig syscall.Signal) error { return c.process.Signal(sig) }

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

// Pause stops the output once the callback that runs has returned. The program has to wait when
// the system's buffer is full.
func (c *Command) Pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused == nil {
		c.paused = make(chan struct{})
	}
}

// Resume undoes Pause.
func (c *Command) Resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused != nil {
		close(c.paused)
		c.paused = nil
	}
}

// Send gives data to the program as input, in the order of the calls. Like Conn.Send it does
// not wait: workerman.ErrBufferFull if 1 MiB waits already for the program to read it.
// workerman.ErrClosed when the input or the program has ended, or without Options.Input. data is
// copied.
func (c *Command) Send(data []byte) error {
	if c.input == nil {
		return workerman.ErrClosed
	}
	return c.input.send(data)
}

// CloseInput ends the program's input behind what was sent.
func (c *Command) CloseInput() {
	if c.input != nil {
		c.input.close()
	}
}
