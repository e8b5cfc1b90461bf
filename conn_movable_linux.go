package workerman

import "github.com/workerman-go/workerman/internal/handover"

// movable says whether the connection can move to another process. It is asked on the connection's
// loop, between callbacks.
func (c *Conn) movable() handover.Verdict {
	s, x := c.svc, c.rare()
	switch {
	case s.worker == nil, s.security != nil, !c.Connected(), !c.forgettable():
		return handover.MovesNever
	case !c.ready(), !c.stream.Detachable(), c.stream.PausedBy(^uint32(pausedByUser | pausedByAnswers)):
		return handover.MovesLater
	case x == nil:
		return handover.MovesNow
	case x.pipe.Load() != nil, x.source.Load() != nil:
		return handover.MovesNever
	case x.pending.Load() > 0, x.serial != nil && !x.serial.idle():
		return handover.MovesLater
	}
	if h := c.httpConn(); h != nil && !h.resting() {
		return handover.MovesLater
	}
	return handover.MovesNow
}

// resting reports whether no request is being handled and none arrives in pieces that were
// handed out. On the loop.
func (h *httpConn) resting() bool {
	return !h.busy() && !h.body && !h.form && !h.held && h.handling.Load() == nil && !h.state.load().last()
}

// forgettable reports whether Worker.Handover lets the connection move: a new process will
// know what the program remembers about it.
func (c *Conn) forgettable() bool {
	w := c.svc.worker
	protocol, own := c.Protocol(), c.ownProtocol()
	if c.ProtocolState() != nil {
		if _, ok := protocol.(StateMover); !ok {
			return false
		}
	}
	switch {
	case w.Handover == HandoverNever:
		return false
	case w.OnAdopt != nil:
		return true
	case own:
		return false // nobody would set it again
	case w.Handover == HandoverAlways:
		return true
	}
	cb := c.callbacks()
	return cb == &c.svc.callbacks && cb.OnConnect == nil && cb.OnClose == nil &&
		c.Data == nil && !c.hasTimers() && !hasHooks(protocol)
}

func (c *Conn) hasTimers() bool {
	x := c.rare()
	if x == nil {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.timers) > 0
}

// hasHooks reports whether p does something at the beginning or the end of a connection.
func hasHooks(p Protocol) bool {
	if _, ok := p.(StateMover); ok {
		return false // it takes care of what it does
	}
	connect, closed := protocolHooks(p)
	return connect != nil || closed != nil
}
