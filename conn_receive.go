package workerman

import (
	"context"
	"errors"
	"log/slog"

	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/websocket"
)

// connOwner is a Conn as its stream sees it: the methods run on the loop.
type connOwner Conn

var _ loop.Owner = (*connOwner)(nil)

// Receive passes b on to what the connection speaks, and to what it speaks behind that.
func (o *connOwner) Receive(b []byte) (used, want int) {
	c := (*Conn)(o)
	defer func() {
		if v := recover(); v != nil {
			c.panicked(v)
			used, want = len(b), 0
		}
	}()
	for used < len(b) && c.receiving() {
		d := c.dialog()
		n, want := d.receive(c, b[used:])
		used += n
		if d == c.dialog() || c.stage() == stageTLS {
			return used, want // the rest, if there is one, is incomplete or encrypted
		}
	}
	return used, 0
}

// receiving reports whether messages may be delivered.
func (c *Conn) receiving() bool { return c.stream.Open() && !c.stream.Paused() }

// dispatch passes one message, of a kind if it is a WebSocket's, to OnMessage, the pipe or
// the connection's goroutine.
func (c *Conn) dispatch(data []byte, kind websocket.Opcode) {
	if x := c.rare(); x != nil {
		if dst := x.pipe.Load(); dst != nil {
			c.forward(dst, data, kind)
			return
		}
		if x.queue != nil {
			x.queue.pushMessage(c, data, kind)
			return
		}
	}
	c.callOnMessage(data, kind)
}

func (c *Conn) callOnMessage(data []byte, kind websocket.Opcode) {
	if kind != 0 {
		if d, ok := c.dialog().(kindDialog); ok {
			d.setKind(kind)
		}
	}
	if fn := c.callbacks().OnMessage; fn != nil {
		fn(c, data)
	}
	if c.settings.poison {
		poison(data)
	}
}

// poison overwrites what was lent.
func poison(data []byte) {
	for i := range data {
		data[i] = 0xDB
	}
}

// EndOfInput answers the peer's end of stream with an orderly close.
func (o *connOwner) EndOfInput() (done bool) {
	c := (*Conn)(o)
	return c.dialog().endOfInput(c)
}

// Attention calls what other goroutines' sends have caused.
func (o *connOwner) Attention(bits uint32) {
	c := (*Conn)(o)
	if bits&noticeFull != 0 {
		if fn := c.callbacks().OnBufferFull; fn != nil {
			c.run(func() { fn(c) })
		}
	}
	if bits&noticeRefused != 0 {
		if fn := c.callbacks().OnError; fn != nil {
			c.run(func() { fn(c, ErrBufferFull) })
		}
	}
}

// Drained lets a paused pipe go on and tells the user.
func (o *connOwner) Drained() {
	c := (*Conn)(o)
	if x := c.rare(); x != nil {
		if src := x.source.Load(); src != nil {
			src.stream.Resume(pausedByPipe)
		}
		c.stream.Resume(pausedByAnswers)
		x.roomMade()
	}
	if fn := c.callbacks().OnBufferDrain; fn != nil {
		c.run(func() { fn(c) })
	}
}

// Deadline checks HandshakeTimeout and IdleTimeout.
func (o *connOwner) Deadline(now int64) (next int64) {
	c := (*Conn)(o)
	next, err := c.deadline(now)
	if err != nil {
		c.fail(err)
	}
	return next
}

// deadline is the loop's time of the next check, or why the connection must go.
func (c *Conn) deadline(now int64) (next int64, err error) {
	next, err = c.dialog().deadline(c, now)
	if err == nil && !c.ready() {
		return c.handshakeDeadline(now, next)
	}
	return next, err
}

// fail closes the connection because of what the peer did or did not do: one log line.
func (c *Conn) fail(err error) {
	c.logReason(err)
	c.closeWithReason(err)
}

// logReason notes why the connection ends and logs it.
func (c *Conn) logReason(err error) {
	c.setErr(err)
	switch c.stage() {
	case stageTLS:
		c.settings.server.tlsFailed(c, err)
		return
	case stageConnecting:
		return // the client tells
	}
	level := slog.LevelWarn
	if errors.Is(err, ErrIdle) {
		level = slog.LevelInfo // an everyday end of a connection
	}
	what := "connection closed"
	if c.packets() != nil {
		what = "datagram refused"
	}
	c.logger().Log(context.Background(), level, what, "peer", c.peer(), "reason", err.Error())
}

// closeWithReason closes in good order and tells the peer why, if its protocol can.
func (c *Conn) closeWithReason(err error) {
	c.dialog().shutDown(c, nil, err)
}

// setErr notes why the connection ends; the first reason stays.
func (c *Conn) setErr(err error) {
	x := c.ensureRare()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err == nil {
		x.err = err
	}
}

// peer names the other side in logs.
func (c *Conn) peer() string {
	a := c.RemoteAddr()
	switch {
	case a.IsValid():
		return a.String()
	case c.stage() == stageProxyHeader:
		return "proxy"
	}
	return "unix"
}

// Closed ends the connection for its worker and makes the last callback.
func (o *connOwner) Closed(err error) {
	c := (*Conn)(o)
	if err != nil {
		c.setErr(publicError(err))
		if c.stage() == stageTLS && !errors.Is(err, loop.ErrDestroyed) {
			c.settings.server.tlsFailed(c, err)
		}
	}
	if x := c.rare(); x != nil {
		if d, ok := c.dialog().(closedDialog); ok {
			d.closed()
		}
		x.roomMade()
		if x.queue != nil {
			x.queue.push(c, queuedCall{fn: c.callOnClose, last: true})
			return
		}
	}
	c.callOnClose()
}

// callOnClose runs OnClose and forgets the connection.
func (c *Conn) callOnClose() {
	defer c.remove()
	defer c.recovered()
	c.stopTimers()
	if d, ok := c.dialog().(closedDialog); ok {
		d.abandon(c)
	}
	c.settings.hub.forget(c)
	c.unpipe()
	if !c.ready() {
		return // its handshake came to nothing
	}
	if cl := c.Client(); cl != nil {
		cl.lost(c)
	}
	if _, h := protocolHooks(c.Protocol()); h != nil {
		defer h.OnClose(c) // whatever the user's does
	}
	if fn := c.callbacks().OnClose; fn != nil {
		fn(c)
	}
}

// remove lets the worker or the client forget the connection, behind its last callback.
func (c *Conn) remove() {
	if cl := c.Client(); cl != nil {
		cl.afterEnd(c)
		return
	}
	c.settings.server.remove(c)
}

// inputDone reports whether all has been read that has arrived.
func (c *Conn) inputDone() bool { return c.stream.Unconsumed() == 0 && c.stream.Unread() == 0 }
