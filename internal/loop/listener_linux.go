package loop

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/internal/poll"
	"github.com/workerman-go/workerman/internal/socket"
)

// Bound is a listening socket that loops accept from. Any goroutine may use it.
type Bound struct {
	fd   int
	unix bool
	ln   net.Listener // with the portable engine
}

// Bind takes ln over for loops of engine e.
func Bind(ln net.Listener, e Engine) (*Bound, error) {
	if e != Native {
		return &Bound{ln: ln}, nil
	}
	// The descriptor leaves package net, whose poller would wake up for it too.
	fd, err := socket.Descriptor(ln.(syscall.Conn))
	if err != nil {
		return nil, err
	}
	ln.Close()
	return &Bound{fd: fd, unix: ln.Addr().Network() == "unix"}, nil
}

// Close closes the socket, after the listeners on it.
func (b *Bound) Close() {
	if b.ln != nil {
		b.ln.Close()
		return
	}
	poll.Close(b.fd)
}

// Refuse makes the socket itself, which other processes may share, stop listening: the address
// is free at once, whatever still holds the socket. New clients are refused, with those that
// wait to be accepted.
func (b *Bound) Refuse() {
	if b.ln == nil {
		unix.Shutdown(b.fd, unix.SHUT_RD)
	}
}

// Listener accepts connections on a loop. Its methods run on the loop.
type Listener struct {
	loop      *Loop
	acceptor  Acceptor
	bound     *Bound
	port      *portListener
	token     poll.Token
	accepting bool // Resume was called, Pause was not
	watched   bool // in epoll; not so for a while after a failure
	closed    bool
}

// Listen makes a listener on b, which other loops may share, not accepting yet.
func (l *Loop) Listen(b *Bound, a Acceptor) *Listener {
	lis := &Listener{loop: l, acceptor: a, bound: b}
	if b.ln != nil {
		lis.port = startPortListener(l, b.ln, a)
	} else {
		lis.token = l.entries.add(lis)
	}
	return lis
}

// Pause stops accepting; the kernel goes on queueing.
func (lis *Listener) Pause() {
	lis.accepting = false
	if lis.port != nil {
		lis.port.pause(true)
		return
	}
	lis.unwatch()
}

// Resume starts accepting.
func (lis *Listener) Resume() error {
	if lis.closed {
		return nil
	}
	lis.accepting = true
	if lis.port != nil {
		lis.port.pause(false)
		return nil
	}
	return lis.watch()
}

func (lis *Listener) watch() error {
	if lis.watched || !lis.accepting {
		return nil
	}
	lis.watched = true
	return lis.loop.epoll().Add(lis.bound.fd, lis.token, poll.Readable, true)
}

func (lis *Listener) unwatch() {
	if lis.watched {
		lis.watched = false
		lis.loop.epoll().Remove(lis.bound.fd)
	}
}

// Close stops accepting for good.
func (lis *Listener) Close() {
	if lis.closed {
		return
	}
	lis.Pause()
	lis.closed = true
	if lis.port != nil {
		lis.port.close()
		return
	}
	lis.loop.entries.remove(lis.token)
}

// AcceptWaiting accepts all clients that wait, because the socket is about to be closed with
// them.
func (lis *Listener) AcceptWaiting() {
	for lis.port == nil && lis.accept() {
	}
}

func (lis *Listener) ready(poll.Events) { lis.accept() }

// accept accepts some clients; false if no more wait.
func (lis *Listener) accept() bool {
	var sa unix.RawSockaddrAny
	for n := 0; n < maxAccepts && lis.watched; n++ { // a callback may pause or close it
		fd, err := poll.Accept(lis.bound.fd, &sa)
		switch {
		case err == errAgain:
			return false
		case err == unix.EINVAL: // it does not listen any more: see Refuse
			lis.unwatch()
			return false
		case err == nil:
			lis.acceptor.Accepted(Incoming{Remote: socket.FromRaw(&sa), Unix: lis.bound.unix, fd: int32(fd)})
		case !temporary(err):
			lis.acceptor.AcceptFailed(err)
			lis.unwatch()
			lis.loop.After(acceptRetry, lis.retry)
			return false
		}
	}
	return lis.watched
}

// retry accepts again after a failure of the system.
func (lis *Listener) retry() {
	if !lis.closed {
		lis.watch()
	}
}
