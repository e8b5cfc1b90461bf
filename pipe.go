package workerman

import "github.com/workerman-go/workerman/websocket"

// Pipe passes every message that c receives on to dst, which takes the place of
// OnMessage, and closes dst when c closes. While dst's send buffer is full c is not read,
// so nothing is refused and nothing grows. It works in one direction: a proxy pipes both
// ways. The other callbacks of both connections go on. Call it in a callback of c; dst
// may live on another loop. If dst is closed already, c is closed.
//
// On Linux bulk data between plain connections of one loop without protocols does not come
// into the process at all (splice).
func (c *Conn) Pipe(dst *Conn) {
	if c.datagram {
		return // datagrams have no stream to pipe
	}
	dst.more().source.Store(c)
	c.more().pipe.Store(dst)
	if !dst.Connected() {
		c.Close()
	}
}

// forward sends one message along the pipe.
func (c *Conn) forward(dst *Conn, data []byte, kind websocket.Opcode) {
	if dst.datagram {
		dst.Send(data)
		return
	}
	c.watchBulk(dst, len(data))
	s := &dst.stream
	if _, ok := s.Begin(); !ok {
		c.Close()
		return
	}
	if err := dst.enqueuePiped(data, kind); err != nil {
		s.Abort()
		c.fault(err)
		return
	}
	if !s.Commit(dst.maxSend()) {
		return
	}
	s.NeedAttention(noticeFull)
	c.stream.Pause(pausedByPipe)
	if !s.Waiting() {
		c.stream.Resume(pausedByPipe) // it drained in between, and nobody will say so again
	}
}

// enqueuePiped is enqueue for any kind of connection.
func (c *Conn) enqueuePiped(data []byte, kind websocket.Opcode) error {
	w := c.wsConn()
	if w == nil {
		return c.enqueue(c.Protocol(), data)
	}
	if kind == 0 {
		kind = c.svc.messageKind
	}
	return w.enqueue(c, kind, data)
}

// unpipe closes what hangs on a connection that is gone.
func (c *Conn) unpipe() {
	x := c.extra.Load()
	if x == nil {
		return
	}
	if dst := x.pipe.Load(); dst != nil {
		dst.Close()
	}
	if src := x.source.Load(); src != nil {
		src.stream.Resume(pausedByPipe)
		src.Close()
	}
}

// PauseRecv stops reading from the peer, whose data then waits in the network; messages
// that arrived already wait too. A peer that closes is not noticed meanwhile.
func (c *Conn) PauseRecv() {
	if !c.datagram {
		c.stream.Pause(pausedByUser)
	}
}

// ResumeRecv undoes PauseRecv; messages that wait are delivered at once.
func (c *Conn) ResumeRecv() {
	if !c.datagram {
		c.stream.Resume(pausedByUser)
	}
}
