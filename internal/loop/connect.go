package loop

import (
	"context"
	"net"
	"net/netip"

	"github.com/workerman-go/workerman/internal/socket"
)

// Target is what Connect connects to: an IP address with a port, or the path of a Unix
// socket, which begins with @ in Linux' abstract namespace.
type Target struct {
	Addr  netip.AddrPort
	Path  string
	Local netip.AddrPort // this side; the zero value leaves it to the system
}

// Connecting is a socket that is being connected. It belongs to its loop.
type Connecting struct {
	loop   *Loop
	target Target
	done   func(Incoming, error)
	over   bool
	dial   systemDial
}

// Connect connects a socket without blocking. done is called once, on the loop and not
// before Connect has returned, unless Cancel is called; the error is a *net.OpError. It
// runs on the loop.
func (l *Loop) Connect(t Target, done func(Incoming, error)) *Connecting {
	c := &Connecting{loop: l, target: t, done: done}
	if l.native {
		c.begin()
	} else {
		c.dial.portable = l.dialPortable(t, c.finish)
	}
	return c
}

// Cancel gives up. It runs on the loop.
func (c *Connecting) Cancel() {
	if c.over {
		return
	}
	c.over = true
	if c.dial.portable != nil {
		c.dial.portable()
	} else {
		c.abandon()
	}
}

// finish passes the result on.
func (c *Connecting) finish(in Incoming, err error) {
	switch {
	case !c.over:
		c.over = true
		c.done(in, err)
	case err == nil:
		in.Discard()
	}
}

// fails is the error of a system call with the address that it was for.
func (t Target) fails(err error) error {
	op := &net.OpError{Op: "dial", Net: "tcp", Err: err}
	if t.Path != "" {
		op.Net, op.Addr = "unix", &net.UnixAddr{Name: t.Path, Net: "unix"}
		return op
	}
	op.Addr = net.TCPAddrFromAddrPort(t.Addr)
	if t.Local.IsValid() {
		op.Source = net.TCPAddrFromAddrPort(t.Local)
	}
	return op
}

// dialPortable connects on a goroutine, which ends with the attempt.
func (l *Loop) dialPortable(t Target, done func(Incoming, error)) (cancel func()) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		network, addr := "tcp", t.Addr.String()
		d := net.Dialer{KeepAliveConfig: socket.KeepAliveConfig}
		if t.Path != "" {
			network, addr = "unix", t.Path
		} else if t.Local.IsValid() {
			d.LocalAddr = net.TCPAddrFromAddrPort(t.Local)
		}
		conn, err := d.DialContext(ctx, network, addr)
		var in Incoming
		if err == nil {
			in = Incoming{Remote: t.Addr, Unix: t.Path != "", port: newPortConn(conn)}
		}
		if !l.Post(func() { done(in, err) }) && err == nil {
			conn.Close()
		}
	}()
	return cancel
}
