package master

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/internal/control"
)

// outbox keeps the messages to a process until it reads them: one that does not run must not
// hold up whoever has something to tell it, and the lock that this one may have.
type outbox struct {
	link   *control.Link
	failed func(control.Message, error) // is told what could not be sent to a process that lives

	mu      sync.Mutex
	waiting []queuedMessage
	sending bool
	closed  bool
}

// queuedMessage is one that waits, with descriptors of its own.
type queuedMessage struct {
	control.Message
	fds []int
}

// errEnded is the error of messages to a process that is gone.
var errEnded = errors.New("the process has ended")

// maxQuestions is how many messages may wait for a process before questions to it are refused:
// it does not run.
const maxQuestions = 32

// send sends m with copies of descriptors, after what was sent before. It does not wait. Nil
// does not mean that the process has the message.
func (o *outbox) send(m control.Message, fds ...int) error {
	l := queuedMessage{Message: m}
	for _, fd := range fds {
		copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			control.CloseAll(l.fds)
			return fmt.Errorf("descriptor for a process: %w", err)
		}
		l.fds = append(l.fds, copied)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
		control.CloseAll(l.fds)
		return errEnded
	case m.Kind == control.Ask && len(o.waiting) >= maxQuestions:
		control.CloseAll(l.fds)
		return errors.New("the process does not run")
	case m.Kind == control.Logs, m.Kind == control.Output:
		o.waiting = slices.DeleteFunc(o.waiting, func(old queuedMessage) bool { // only the last one counts
			if old.Kind == m.Kind {
				control.CloseAll(old.fds)
			}
			return old.Kind == m.Kind
		})
	}
	o.waiting = append(o.waiting, l)
	if !o.sending {
		o.sending = true
		go o.run()
	}
	return nil
}

// sendFile sends m with a copy of f's descriptor.
func (o *outbox) sendFile(m control.Message, f *os.File) error {
	raw, err := f.SyscallConn() // File.Fd would make it blocking, for all who share it
	if err != nil {
		return err
	}
	if err := raw.Control(func(fd uintptr) { err = o.send(m, int(fd)) }); err != nil {
		return err
	}
	return err
}

// run sends what waits.
func (o *outbox) run() {
	for {
		o.mu.Lock()
		if len(o.waiting) == 0 {
			o.sending = false
			o.mu.Unlock()
			return
		}
		l := o.waiting[0]
		o.waiting = o.waiting[1:]
		o.mu.Unlock()
		err := o.link.Send(l.Message, l.fds...)
		for errors.Is(err, os.ErrDeadlineExceeded) && l.Kind != control.Ask { // nobody waits for that answer any more
			err = o.link.Send(l.Message, l.fds...)
		}
		control.CloseAll(l.fds)
		if err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
			o.failed(l.Message, err)
		}
	}
}

// close drops what waits. The link's end makes run return.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	for _, l := range o.waiting {
		control.CloseAll(l.fds)
	}
	o.waiting = nil
}
