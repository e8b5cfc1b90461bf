package workerman

import (
	"errors"
	"fmt"
)

// departure is a connection between leaving its loop and the word of the other process that
// it has taken it.
type departure struct {
	held []func() // what would have run meanwhile, in case it comes back
}

func (d *departure) hold(fn func()) { d.held = append(d.held, fn) }

// depart takes the connection off its loop, if it can move, and appends what it is to dst. It
// runs on the loop, between callbacks, and is followed there by moved or comeBack. fd is
// the socket.
func (c *Conn) depart(dst []byte) (out []byte, fd int, v verdict) {
	c.stream.Settle()
	if v = c.movable(); v != movesNow {
		return dst, -1, v
	}
	p := &passenger{handed: c.svc.worker.OnHandover != nil}
	var err error
	if p.handed {
		if p.data, err = c.askHandover(); err != nil {
			c.svc.log.Info("connection stays with its process", "peer", c.peer(), "reason", err.Error())
			return dst, -1, movesNever
		}
	}
	d, ok := c.stream.Detach()
	if !ok {
		return dst, -1, movesLater // OnHandover, or the peer, has changed something
	}
	c.ensureRare().leaving = new(departure)
	p.input, p.paused, p.full = d.Input, d.Pauses&pausedByUser != 0, d.Pauses&pausedByAnswers != 0
	p.bytesIn, p.bytesOut, p.sends, p.idle = d.BytesIn, d.BytesOut, d.Sends, d.Idle
	if err := c.describe(p); err != nil {
		c.svc.log.Warn("connection stays with its process", "peer", c.peer(), "reason", err.Error())
		c.comeBack()
		return dst, -1, movesNever
	}
	return p.append(dst, d.Output), d.FD, movesNow
}

// askHandover calls OnHandover.
func (c *Conn) askHandover() (data []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			c.panicked(v)
			err = errors.New("OnHandover panicked")
		}
	}()
	if data, err = c.svc.worker.OnHandover(c); err != nil {
		err = fmt.Errorf("OnHandover: %w", err)
	}
	return data, err
}

// describe fills in what the stream does not know.
func (c *Conn) describe(p *passenger) (err error) {
	x, now := c.rare(), c.stream.Loop().Now()
	p.key, p.id, p.received = c.svc.handoverKey(), c.id, c.received
	p.remote, p.own = c.socketAddr(), c.ownProtocol()
	p.age = now - int64(c.born)*bornUnit
	p.maxPackage, p.maxSend = x.limits.maxPackage.Load(), x.limits.maxSend.Load()
	if a := x.client.Load(); a != nil {
		p.client = *a
	}
	p.uid, p.groups = c.UID(), c.Groups()
	if w := c.wsConn(); w != nil {
		p.speaks, p.state, p.subprotocol = speaksWebSocket, w.codec.AppendState(nil), w.subprotocol
		p.pinged = max(w.pinged-c.stream.LastActive(), 0)
		return nil
	}
	if h := c.httpConn(); h != nil {
		p.speaks, p.state = speaksHTTP, h.parser.AppendState(nil)
		p.phase, p.since, p.arrived = h.phase, now-h.since, h.arrived
		return nil
	}
	if c.ProtocolState() != nil {
		p.stateful = true
		p.state, err = c.protocolBytes(c.Protocol().(StateMover))
	}
	return err
}

// protocolBytes asks a Protocol for the connection's state.
func (c *Conn) protocolBytes(p StateMover) (state []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			panicked := newPanicError(v)
			c.svc.reportPanic(c, panicked)
			err = panicked
		}
	}()
	if state, err = p.AppendState(c, nil); err != nil {
		err = fmt.Errorf("AppendState: %w", err)
	}
	return state, err
}

// comeBack puts the connection back on its loop, as if it had never left. On the loop.
func (c *Conn) comeBack() {
	x := c.rare()
	held := x.leaving.held
	x.leaving = nil
	c.stream.Reattach()
	c.watchTime()
	for _, fn := range held {
		c.run(fn)
	}
	if c.svc.master.stopping() {
		c.closeFor(errStopping)
	}
}

// moved forgets the connection, which another process has now. On the loop.
func (c *Conn) moved() {
	c.stream.Release()
	c.stopTimers()
	c.rare().roomMade()
	c.svc.hub.forget(c)
	c.svc.remove(c)
}
