package workerman

import (
	"errors"
	"fmt"
	"slices"

	"github.com/workerman-go/workerman/internal/handover"
)

// What a connection is, for a process that goes on with it: a handover.State is filled in here, and
// a Conn is made of it.

// detach takes the connection off its loop, if it can move, and appends the binary form of its
// state to dst. It runs on the loop, between callbacks, and is followed there by release or
// reattach. fd is the socket.
func (c *Conn) detach(dst []byte) (state []byte, fd int, v handover.Verdict) {
	c.stream.Settle()
	if v = c.movable(); v != handover.MovesNow {
		return dst, -1, v
	}
	st := &handover.State{Handed: c.settings.server.worker.OnHandover != nil}
	var err error
	if st.Handed {
		if st.Data, err = c.callOnHandover(); err != nil {
			c.settings.log.Info("connection stays with its process", "peer", c.peer(), "reason", err.Error())
			return dst, -1, handover.MovesNever
		}
	}
	d, ok := c.stream.Detach()
	if !ok {
		return dst, -1, handover.MovesLater // OnHandover, or the peer, has changed something
	}
	c.ensureRare().detached = new(detachedConn)
	st.Input, st.Output = d.Input, d.Output
	st.Paused, st.Full = d.Pauses&pausedByUser != 0, d.Pauses&pausedByAnswers != 0
	st.BytesIn, st.BytesOut, st.Sends, st.Idle = d.BytesIn, d.BytesOut, d.Sends, d.Idle
	if err := c.describe(st); err != nil {
		c.settings.log.Warn("connection stays with its process", "peer", c.peer(), "reason", err.Error())
		c.reattach()
		return dst, -1, handover.MovesNever
	}
	return st.Append(dst), d.FD, handover.MovesNow
}

// callOnHandover asks the program what its new process is to know. A panic closes the connection,
// as one of every other callback does.
func (c *Conn) callOnHandover() (data []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			c.panicked(v)
			err = errors.New("OnHandover panicked")
		}
	}()
	if data, err = c.settings.server.worker.OnHandover(c); err != nil {
		err = fmt.Errorf("OnHandover: %w", err)
	}
	return data, err
}

// describe fills in what the stream does not know.
func (c *Conn) describe(st *handover.State) error {
	x, now := c.rare(), c.stream.Loop().Now()
	st.Key, st.ID, st.Received = c.settings.server.handoverKey(), c.id, c.received
	st.Remote, st.OwnProtocol = c.socketAddr(), c.ownProtocol()
	st.Age = now - int64(c.opened)*openedUnit
	st.MaxPackage, st.MaxSend = x.limits.maxPackage.Load(), x.limits.maxSend.Load()
	if a := x.client.Load(); a != nil {
		st.Client = *a
	}
	st.UID, st.Groups = c.UID(), c.Groups()
	return c.dialog().(movingDialog).save(c, st)
}

// reattach puts the connection back on its loop, as if it had never been off. On the loop.
func (c *Conn) reattach() {
	x := c.rare()
	held := x.detached.held
	x.detached = nil
	c.stream.Reattach()
	c.armDeadline()
	for _, fn := range held {
		c.run(fn)
	}
	if c.settings.master.stopping() {
		c.closeWithReason(errStopping)
	}
}

// release forgets the connection, which another process has now. On the loop.
func (c *Conn) release() {
	c.stream.Release()
	c.stopTimers()
	c.rare().roomMade()
	c.settings.hub.forget(c)
	c.remove()
}

// restore makes the Conn of a state, which is on no loop yet, or says why it cannot.
func (m *Master) restore(st *handover.State) (handover.Incoming, error) {
	s := m.handoverServer(st.Key)
	switch {
	case s == nil:
		return nil, fmt.Errorf("no worker for %q", st.Key)
	case s.security != nil:
		return nil, fmt.Errorf("worker %q has TLS now", s.worker.name())
	case m.stopping():
		return nil, errStopping
	case s.find(st.ID) != nil:
		return nil, fmt.Errorf("another connection has the id %d", st.ID)
	}
	c := &Conn{settings: &s.connSettings, id: st.ID, received: st.Received}
	c.setRemote(st.Remote)
	c.enter(stageReady)
	x := c.ensureRare()
	x.limits.maxPackage.Store(st.MaxPackage)
	x.limits.maxSend.Store(st.MaxSend)
	if st.Client.IsValid() {
		x.client.Store(&st.Client)
	}
	if s.blocking {
		x.queue = new(callbackQueue)
	}
	if err := c.restoreDialog(st); err != nil {
		return nil, err
	}
	return &incomingConn{conn: c, state: st}, nil
}

// restoreDialog makes the dialog that a connection had in its old process.
func (c *Conn) restoreDialog(st *handover.State) error {
	speaks := slices.Contains(dialogTypes[c.settings.kind].languages, st.Language)
	if own := st.OwnProtocol && st.Language == handover.Protocol; !speaks && !own {
		return fmt.Errorf("worker %q speaks another protocol now", c.Worker().name())
	}
	i := slices.IndexFunc(dialogTypes[:], func(t dialogType) bool { return t.language == st.Language })
	d, err := dialogTypes[i].restore(c, st)
	c.speak(d)
	return err
}

// movable says whether the connection can move to another process. It is asked on the connection's
// loop, between callbacks.
func (c *Conn) movable() handover.Verdict {
	s, x := c.settings.server, c.rare()
	d, moves := c.dialog().(movingDialog)
	switch {
	case s == nil, s.security != nil, !c.Connected(), !c.forgettable():
		return handover.MovesNever
	case !c.ready(), !c.stream.Detachable(), c.stream.PausedBy(^uint32(pausedByUser | pausedByAnswers)):
		return handover.MovesLater
	case !moves:
		return handover.MovesNever
	case x == nil:
		return handover.MovesNow
	case x.pipe.Load() != nil, x.source.Load() != nil:
		return handover.MovesNever
	case x.pending.Load() > 0, x.queue != nil && !x.queue.idle(), !d.resting():
		return handover.MovesLater
	}
	return handover.MovesNow
}

// forgettable reports whether Worker.Handover lets the connection move: a new process will
// know what the program remembers about it.
func (c *Conn) forgettable() bool {
	w := c.settings.server.worker
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
	return cb == &c.settings.callbacks && cb.OnConnect == nil && cb.OnClose == nil &&
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
