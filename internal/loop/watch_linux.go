package loop

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/internal/poll"
)

// watch is a user's descriptor on the loop.
type watch struct {
	loop           *Loop
	fd             int
	token          poll.Token
	readable       func()
	writable       func()
	inEngine       bool
	portableCancel func()
}

// Watch calls readable and writable, on the loop, whenever fd is ready for it, again and
// again until the input is read or the output full. nil stops either; both nil forget
// fd, which must happen before it is closed. On the loop.
func (l *Loop) Watch(fd int, readable, writable func()) error {
	w := l.watches[fd]
	if w == nil {
		if readable == nil && writable == nil {
			return nil
		}
		w = &watch{loop: l, fd: fd}
		w.token = l.entries.add(w)
	}
	w.readable, w.writable = readable, writable
	var want poll.Events
	if readable != nil {
		want |= poll.Readable
	}
	if writable != nil {
		want |= poll.Writable
	}
	err := w.set(want)
	if want == 0 || err != nil {
		delete(l.watches, fd)
		l.entries.remove(w.token)
		return err
	}
	if l.watches == nil {
		l.watches = make(map[int]*watch)
	}
	l.watches[fd] = w
	return nil
}

// Watched returns the functions that Watch set for fd.
func (l *Loop) Watched(fd int) (readable, writable func()) {
	if w := l.watches[fd]; w != nil {
		return w.readable, w.writable
	}
	return nil, nil
}

func (w *watch) set(want poll.Events) (err error) {
	l := w.loop
	switch {
	case !l.native:
		err = w.setPortable(want)
	case want == 0 && w.inEngine:
		w.inEngine = false
		l.epoll().Remove(w.fd) // fails if the user closed it already, which is as good
	case want == 0:
	case w.inEngine:
		err = l.epoll().Modify(w.fd, w.token, want)
	default:
		err = l.epoll().Add(w.fd, w.token, want, false)
		w.inEngine = err == nil
	}
	if errors.Is(err, unix.EPERM) {
		err = fmt.Errorf("descriptor %d cannot be watched: a regular file is always ready", w.fd)
	}
	return err
}

func (w *watch) ready(ev poll.Events) {
	broken := ev&(poll.Failed|poll.HungUp) != 0
	if fn := w.readable; fn != nil && (ev&poll.Readable != 0 || broken) {
		fn()
	}
	if fn := w.writable; fn != nil && (ev&poll.Writable != 0 || broken) {
		fn()
	}
}

// portablePoll is how long the portable engine's goroutine waits before it looks
// whether it is still wanted, in milliseconds.
const portablePoll = 50

// setPortable waits with poll(2) on a goroutine, which asks again once the loop has
// served the event.
func (w *watch) setPortable(want poll.Events) error {
	if w.portableCancel != nil {
		w.portableCancel()
		w.portableCancel = nil
	}
	if want == 0 {
		return nil
	}
	if _, err := unix.FcntlInt(uintptr(w.fd), unix.F_GETFD, 0); err != nil {
		return fmt.Errorf("descriptor %d cannot be watched: %w", w.fd, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(w.fd, &st); err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG {
		return unix.EPERM // as epoll says
	}
	stop := make(chan struct{})
	w.portableCancel = func() { close(stop) }
	go w.pollLoop(want, stop)
	return nil
}

func (w *watch) pollLoop(want poll.Events, stop chan struct{}) {
	served := make(chan struct{}, 1)
	for {
		select {
		case <-stop:
			return
		case <-w.loop.done:
			return
		default:
		}
		fds := []unix.PollFd{{Fd: int32(w.fd), Events: int16(want)}}
		if n, _ := unix.Poll(fds, portablePoll); n <= 0 {
			continue
		}
		ok := w.loop.Post(func() {
			select {
			case <-stop:
			default:
				w.ready(poll.Events(uint16(fds[0].Revents)))
			}
			served <- struct{}{}
		})
		if !ok {
			return
		}
		select {
		case <-served:
		case <-w.loop.done:
			return
		}
	}
}
