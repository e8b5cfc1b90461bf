package workerman

import (
	"sync/atomic"

	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/websocket"
)

// Pipe passes every message that c receives on to dst, which takes the place of
// OnMessage, and closes dst when c closes. While dst's send buffer is full c is not read,
// so nothing is refused and nothing grows. It works in one direction: a proxy pipes both
// ways. The other callbacks of both connections go on. Call it in a callback of c; dst
// may live on another loop. If dst is closed already, c is closed.
//
// On Linux bulk data between plain connections of one loop without protocols does not come
// into the process at all (splice).
func (c *Conn) Pipe(dst *Conn) {
	if c.packets() != nil {
		return // datagrams have no stream to pipe
	}
	dst.ensureRare().source.Store(c)
	c.ensureRare().pipe.Store(dst)
	if !dst.Connected() {
		c.Close()
	}
}

// forward sends one message along the pipe.
func (c *Conn) forward(dst *Conn, data []byte, kind websocket.Opcode) {
	if dst.packets() != nil {
		dst.Send(data)
		return
	}
	c.watchBulk(dst, len(data))
	tx, err := dst.beginAlways()
	if err != nil {
		c.Close()
		return
	}
	if err := tx.enqueuePiped(data, kind); err != nil {
		tx.Abort()
		c.fail(err)
		return
	}
	if !tx.Commit() {
		return
	}
	c.stream.Pause(pausedByPipe)
	if !dst.stream.Waiting() {
		c.stream.Resume(pausedByPipe) // it drained in between, and nobody will say so again
	}
}

// enqueuePiped is enqueue for any kind of connection; where messages have kinds, 0 is the
// usual one.
func (t sending) enqueuePiped(data []byte, kind websocket.Opcode) error {
	if d, ok := t.conn.dialog().(kindDialog); ok {
		return d.enqueue(t, kind, data)
	}
	return t.enqueue(t.conn.Protocol(), data)
}

// unpipe closes what hangs on a connection that is gone.
func (c *Conn) unpipe() {
	x := c.rare()
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
func (c *Conn) PauseRecv() { c.stream.Pause(pausedByUser) }

// ResumeRecv undoes PauseRecv; messages that wait are delivered at once.
func (c *Conn) ResumeRecv() { c.stream.Resume(pausedByUser) }

// bulkPipe is a pipe between two connections without protocols, which the kernel can serve
// by itself. It does so when much has arrived several times in a row, because for small
// messages that costs more.
type bulkPipe struct{ from, to *Conn }

var _ loop.SpliceOwner = bulkPipe{}

const (
	bulkRead  = 32 << 10 // bytes of a read that are much
	bulkReads = 4        // how often in a row
)

// watchBulk looks at the size of what goes into the pipe to dst.
func (c *Conn) watchBulk(dst *Conn, size int) {
	x := c.rare()
	if x.bulk++; size < bulkRead {
		x.bulk = 0
	}
	if x.bulk < bulkReads {
		return
	}
	x.bulk = 0
	if p := (bulkPipe{c, dst}); p.MayMove() {
		c.stream.SpliceTo(&dst.stream, p, pausedByPipe)
	}
}

// MayMove reports whether bytes go from one connection to the other as they are.
func (p bulkPipe) MayMove() bool {
	return p.from.rare().pipe.Load() == p.to && p.from.plain() && p.to.plain()
}

// Moved counts as if the bytes had been a message.
func (p bulkPipe) Moved(int) {
	c := p.from
	atomic.StoreUint64(&c.received, c.received+1)
	c.settings.requests.Add(1)
}

// plain reports whether the connection's messages are bytes as they come.
func (c *Conn) plain() bool { return c.Protocol() == nil && c.dialog() == messages{} }
