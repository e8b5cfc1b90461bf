package loop

import (
	"os"
	"syscall"

	"github.com/workerman-go/workerman/internal/poll"
	"github.com/workerman-go/workerman/internal/socket"
)

// systemDial is how a socket is being connected: by the kernel, which makes it writable
// when the result is known, or by package net.
type systemDial struct {
	fd       int
	token    poll.Token
	watched  bool
	portable func() // cancels
}

// begin connects with the native engine.
func (c *Connecting) begin() {
	d, t := &c.dial, c.target
	var pending bool
	var err error
	if t.Path != "" {
		d.fd, pending, err = socket.DialUnix(t.Path)
	} else {
		d.fd, pending, err = socket.Dial(t.Addr, t.Local)
	}
	if err == nil && pending {
		d.token = c.loop.entries.add(c)
		d.watched = true
		err = c.loop.epoll().Add(d.fd, d.token, poll.Writable, false)
	}
	if err != nil || !pending {
		c.loop.Post(func() { c.known(err) })
	}
}

// ready is told that the result is there.
func (c *Connecting) ready(poll.Events) {
	c.known(os.NewSyscallError("connect", poll.SocketError(c.dial.fd)))
}

// toItself reports whether the system chose, of all ports of this side, the one that the
// socket connects to: TCP then connects it to itself, although nobody listens there.
func (c *Connecting) toItself() bool {
	to := c.target.Addr
	return to.IsValid() && to.Addr().IsLoopback() && socket.LocalAddr(c.dial.fd) == to
}

// known hands the socket over, or closes it after an error.
func (c *Connecting) known(err error) {
	if c.over {
		return
	}
	d := &c.dial
	fd := d.fd
	c.unwatch()
	if err == nil && c.toItself() {
		err = os.NewSyscallError("connect", syscall.ECONNREFUSED)
	}
	if err != nil {
		c.abandon()
		c.finish(Incoming{}, c.target.fails(err))
		return
	}
	d.fd = -1
	c.finish(Incoming{Remote: c.target.Addr, Unix: c.target.Path != "", fd: int32(fd)}, nil)
}

func (c *Connecting) unwatch() {
	d := &c.dial
	if d.watched {
		d.watched = false
		c.loop.epoll().Remove(d.fd)
		c.loop.entries.remove(d.token)
	}
}

// abandon closes the socket.
func (c *Connecting) abandon() {
	c.unwatch()
	if c.dial.fd >= 0 {
		poll.Close(c.dial.fd)
		c.dial.fd = -1
	}
}
