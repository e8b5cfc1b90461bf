package workerman

import (
	"github.com/workerman-go/workerman/internal/handover"
	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/internal/poll"
)

// incomingConn is a connection that comes from another process, before it is on a loop.
type incomingConn struct {
	conn  *Conn
	state *handover.State
	fd    int
}

var _ handover.Incoming = (*incomingConn)(nil)

// Adopt counts the connection in and puts it on the loop that has the fewest.
func (in *incomingConn) Adopt(fd int) {
	in.fd = fd
	c, s := in.conn, in.conn.settings.server
	index := s.countAdopted(c.countedIP())
	l := s.loops[index]
	if !l.Post(func() { in.adopt(l) }) {
		s.countOut(index, c.countedIP())
		poll.Close(fd)
	}
}

// adopt goes on with the connection on its loop.
func (in *incomingConn) adopt(l *loop.Loop) {
	c, st, s := in.conn, in.state, in.conn.settings.server
	now := l.Now()
	c.opened = int32((now - st.Age) / openedUnit)
	c.dialog().(movingDialog).restoreTimes(st, now)
	l.Adopt(&c.stream, in.detached(), (*connOwner)(c), s.limits.LingerTimeout, pausedByAdopt)
	s.addReady(c)
	for _, group := range st.Groups {
		c.Join(group)
	}
	c.Bind(st.UID)
	in.state = nil // its memory goes with the callback
	c.run(func() { c.adopted(st) })
	c.armDeadline()
	if s.master.stopping() {
		c.closeWithReason(errStopping)
	}
}

// detached is the stream as its loop in the old process has left it.
func (in *incomingConn) detached() loop.Detached {
	st := in.state
	d := loop.Detached{
		FD: in.fd, Input: st.Input, Output: st.Output,
		BytesIn: st.BytesIn, BytesOut: st.BytesOut, Sends: st.Sends, Idle: st.Idle,
	}
	if st.Paused {
		d.Pauses |= pausedByUser
	}
	if st.Full && len(st.Output) > 0 {
		d.Pauses |= pausedByAnswers // until the output is written
	}
	return d
}

// adopted runs OnAdopt, the first callback of the connection, behind which reading goes on.
func (c *Conn) adopted(st *handover.State) {
	if fn := c.settings.server.worker.OnAdopt; fn != nil {
		var data []byte
		if st.Handed {
			data = st.Data
		}
		fn(c, data)
	}
	if st.OwnProtocol && st.Stateful {
		if err := c.restoreProtocol(st.Codec); err != nil {
			c.fail(err)
			return
		}
	}
	c.stream.Continue(pausedByAdopt)
}
