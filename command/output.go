package command

import (
	"bufio"
	"errors"
	"io"
	"os"
	"time"

	"github.com/workerman-go/workerman"
)

// outputPiece is the largest piece of a program's output.
const outputPiece = 32 << 10

// output is what a program writes to one of its streams.
type output struct {
	command *Command
	ours    *os.File // the end that is read here
	theirs  *os.File // the end that the program writes to
	fn      func(data []byte)
}

// run delivers the output up to its end. When nobody wants it any more it is thrown away, so
// that the program need not wait.
func (o *output) run() {
	defer o.ours.Close()
	var wanted bool
	if o.command.options.Lines {
		wanted = o.lines()
	} else {
		wanted = o.pieces()
	}
	if !wanted {
		io.Copy(io.Discard, readerOnly{o})
	}
}

// readerOnly hides that a file can do more than read.
type readerOnly struct{ io.Reader }

// pieces delivers the output as it comes; wanted is false if nobody wants the rest.
func (o *output) pieces() (wanted bool) {
	buf := make([]byte, outputPiece)
	for {
		n, err := o.Read(buf)
		if n > 0 && !o.deliver(buf[:n]) {
			return false
		}
		if err != nil {
			return true
		}
	}
}

// lines delivers the output line by line; wanted is false if nobody wants the rest, also
// because a line was too long.
func (o *output) lines() (wanted bool) {
	limit := o.command.options.MaxLine
	in := bufio.NewScanner(readerOnly{o})
	in.Buffer(nil, limit+len("\r\n"))
	for in.Scan() && len(in.Bytes()) <= limit {
		if !o.deliver(in.Bytes()) {
			return false
		}
	}
	if len(in.Bytes()) > limit || in.Err() == bufio.ErrTooLong {
		o.command.fail(workerman.ErrTooLarge)
		return false
	}
	return true
}

// deliver runs the callback, after the pause if the command is paused.
func (o *output) deliver(data []byte) bool {
	c := o.command
	for {
		c.mu.Lock()
		paused := c.paused
		c.mu.Unlock()
		if paused == nil {
			return c.deliver(func() { o.fn(data) })
		}
		select {
		case <-paused:
		case <-c.ctx.Done():
			return false
		}
	}
}

// Read is that of the pipe. Once the program has exited, silence is an end too.
func (o *output) Read(b []byte) (int, error) {
	if o.command.exited.Load() {
		o.ours.SetReadDeadline(time.Now().Add(afterExit))
	}
	n, err := o.ours.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = io.EOF
	}
	return n, err
}
