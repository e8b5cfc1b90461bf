package workerman

import (
	"bufio"
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// outputPiece is the largest piece of a program's output.
const outputPiece = 32 << 10

// output is what a program writes to one of its streams.
type output struct {
	command *Command
	ours    *os.File
	theirs  *os.File
	fn      func(data []byte)
}

// run delivers the output up to its end. When nobody wants it any more it is thrown away,
// lest the program waits.
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
		o.command.fail(ErrTooLarge)
		return false
	}
	return true
}

// deliver waits while the command is paused.
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

// Pause stops the output, once what is being delivered is. The program waits when the
// system's buffer is full.
func (c *Command) Pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused == nil && !c.reaped {
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

// commandInput is what a program will read. A goroutine writes it as long as there is some.
type commandInput struct {
	pipe io.WriteCloser

	mu      sync.Mutex // guards what follows
	queue   [][]byte
	queued  int // their bytes
	writing bool
	closing bool // nothing may follow
}

func (i *commandInput) send(data []byte) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.closing:
		return ErrClosed
	case i.queued >= DefaultMaxSendBuffer:
		return ErrBufferFull
	}
	i.queue = append(i.queue, append(make([]byte, 0, len(data)), data...))
	i.queued += len(data)
	i.work()
	return nil
}

// close ends the input behind what waits.
func (i *commandInput) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.closing {
		i.closing = true
		i.work()
	}
}

// end ends the input of a program that is gone.
func (i *commandInput) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closing, i.queue, i.queued = true, nil, 0
	i.pipe.Close()
}

// work starts the goroutine, if there is none. It is called with the lock held.
func (i *commandInput) work() {
	if i.writing {
		return
	}
	i.writing = true
	go func() {
		for data := i.next(); data != nil; data = i.next() {
			if _, err := i.pipe.Write(data); err != nil {
				i.end()
			}
		}
	}()
}

// next takes what is to be written; nil ends the goroutine.
func (i *commandInput) next() []byte {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.queue) == 0 {
		i.writing = false
		if i.closing {
			i.pipe.Close()
		}
		return nil
	}
	data := i.queue[0]
	i.queue, i.queued = i.queue[1:], i.queued-len(data)
	return data
}
