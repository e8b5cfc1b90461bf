package workerman

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"

	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/websocket"
)

// connOwner is a Conn as its stream sees it: the methods run on the loop.
type connOwner Conn

// Receive cuts messages out of b and delivers them.
func (o *connOwner) Receive(b []byte) (used, want int) {
	c := (*Conn)(o)
	messages := uint64(0)
	defer func() {
		if messages > 0 {
			atomic.StoreUint64(&c.received, c.received+messages)
			c.svc.requests.Add(messages)
		}
		if v := recover(); v != nil {
			c.panicked(v)
			used, want = len(b), 0
		}
	}()
	if stage(c.stage.Load()) == stageProxy {
		if used = c.introduce(b); used == 0 || c.svc.security != nil {
			return used, 0
		}
	}
	for used < len(b) && c.receiving() {
		if d := c.dialog(); d != nil {
			n, want, took := d.receive(c, b[used:])
			used, messages = used+n, messages+uint64(took)
			if d == c.dialog() {
				return used, want
			}
			continue // the rest is for another one
		}
		if bits := c.stream.TakeAttention(); bits != 0 {
			o.Attention(bits) // it may pause before more messages come
			continue
		}
		p := c.Protocol()
		if p == nil {
			messages++
			rest := b[used:]
			used = len(b)
			c.deliver(rest, 0)
			continue
		}
		size, err := c.nextSize(p, b[used:])
		if err != nil {
			c.fault(err)
			return len(b), 0
		}
		if size == 0 || size > len(b)-used {
			return used, size
		}
		frame := b[used : used+size : used+size]
		used += size
		data, err := p.Decode(c, frame)
		switch {
		case err == nil:
			messages++
			c.deliver(data, 0)
		case !errors.Is(err, ErrSkip):
			c.fault(fmt.Errorf("decode: %w", err))
			return len(b), 0
		}
	}
	return used, 0
}

// receiving reports whether messages may be delivered.
func (c *Conn) receiving() bool { return c.stream.Open() && !c.stream.Paused() }

// nextSize asks the protocol for the size of the first message, 0 if it cannot tell yet.
func (c *Conn) nextSize(p Protocol, buf []byte) (size int, err error) {
	limit := c.maxPackage()
	if s, ok := p.(Scanner); ok {
		size, err = s.Scan(c, buf, int(c.scanned))
		c.scanned = 0
		if size == 0 {
			c.scanned = int32(min(len(buf), math.MaxInt32))
		}
	} else {
		size, err = p.Input(c, buf)
	}
	if err != nil {
		return 0, fmt.Errorf("input: %w", err)
	}
	switch {
	case size < 0:
		return 0, fmt.Errorf("input: %T gave the size %d", p, size)
	case size > limit:
		return 0, fmt.Errorf("%w: %d bytes, MaxPackageSize is %d", ErrTooLarge, size, limit)
	case size == 0 && len(buf) >= limit:
		return 0, fmt.Errorf("%w: %d bytes without an end, MaxPackageSize is %d", ErrTooLarge, len(buf), limit)
	}
	return size, nil
}

// deliver passes one message, of a kind if it is a WebSocket's, to OnMessage, the pipe or
// the connection's goroutine.
func (c *Conn) deliver(data []byte, kind websocket.Opcode) {
	if x := c.rare(); x != nil {
		if dst := x.pipe.Load(); dst != nil {
			c.forward(dst, data, kind)
			return
		}
		if x.serial != nil {
			x.serial.message(c, data, kind)
			return
		}
	}
	c.message(data, kind)
}

func (c *Conn) message(data []byte, kind websocket.Opcode) {
	if kind != 0 {
		if w := c.wsConn(); w != nil {
			w.kind = kind
		}
	}
	if fn := c.callbacks().OnMessage; fn != nil {
		fn(c, data)
	}
	if c.svc.poison {
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
	if d := c.dialog(); d != nil {
		return d.endOfInput(c)
	}
	c.run(c.close)
	return true
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
		c.fault(err)
	}
	return next
}

// deadline is the loop's time of the next check, or why the connection must go.
func (c *Conn) deadline(now int64) (next int64, err error) {
	l := &c.svc.limits
	if d := c.dialog(); d != nil {
		next, err = d.deadline(c, now)
		if err == nil && !c.ready() {
			return c.handshakeDeadline(now, next)
		}
		return next, err
	}
	if idle := l.IdleTimeout.Milliseconds(); idle > 0 {
		if next = c.stream.LastActive() + idle; c.stream.Paused() {
			next = now + idle // nobody listens to the peer, so it is not its silence
		}
		if next <= now {
			return 0, fmt.Errorf("%w: nothing received for %v", ErrIdle, l.IdleTimeout)
		}
	}
	if atomic.LoadUint64(&c.received) == 0 {
		return c.handshakeDeadline(now, next)
	}
	return next, nil
}

// fault closes the connection because of what the peer did or did not do: one log line.
func (c *Conn) fault(err error) {
	c.complain(err)
	c.closeFor(err)
}

// complain notes why the connection ends and logs it.
func (c *Conn) complain(err error) {
	c.end(err)
	switch stage(c.stage.Load()) {
	case stageTLS:
		c.svc.unsecured(c, err)
		return
	case stageOpening:
		return // the client tells
	}
	level := slog.LevelWarn
	if errors.Is(err, ErrIdle) {
		level = slog.LevelInfo // an everyday end of a connection
	}
	what := "connection closed"
	if c.datagram {
		what = "datagram refused"
	}
	c.logger().Log(context.Background(), level, what, "peer", c.peer(), "reason", err.Error())
}

// closeFor closes in good order and tells the peer why, if its protocol can.
func (c *Conn) closeFor(err error) {
	if d := c.dialog(); d != nil {
		d.end(c, nil, err)
		return
	}
	c.close()
}

// end notes why the connection ends; the first reason stays.
func (c *Conn) end(err error) {
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
	case stage(c.stage.Load()) == stageProxy:
		return "proxy"
	}
	return "unix"
}

// Closed ends the connection for its worker and makes the last callback.
func (o *connOwner) Closed(err error) {
	c := (*Conn)(o)
	if err != nil {
		c.end(publicError(err))
		if stage(c.stage.Load()) == stageTLS && !errors.Is(err, loop.ErrDestroyed) {
			c.svc.unsecured(c, err)
		}
	}
	if x := c.rare(); x != nil {
		if h := c.httpConn(); h != nil {
			h.gone()
		}
		x.roomMade()
		if x.serial != nil {
			x.serial.push(c, call{fn: c.finish, last: true})
			return
		}
	}
	c.finish()
}

// finish runs OnClose and forgets the connection.
func (c *Conn) finish() {
	defer c.svc.remove(c)
	defer c.recovered()
	c.stopTimers()
	if x := c.rare(); x != nil {
		if h := x.http.Load(); h != nil {
			h.abandon(c)
		}
	}
	c.svc.hub.forget(c)
	c.unpipe()
	if !c.ready() {
		return // its handshake came to nothing
	}
	if cl := c.Client(); cl != nil {
		cl.lost(c)
	}
	if h, ok := c.Protocol().(interface{ OnClose(*Conn) }); ok {
		defer h.OnClose(c) // whatever the user's does
	}
	if fn := c.callbacks().OnClose; fn != nil {
		fn(c)
	}
}
