package workerman

import "sync/atomic"

// bulkPipe is a pipe between two connections without protocols, which the kernel can serve
// by itself. It does so when much has arrived several times in a row, because for small
// messages that costs more.
type bulkPipe struct{ from, to *Conn }

const (
	bulkRead  = 32 << 10 // bytes of a read that are much
	bulkReads = 4        // how often in a row
)

// watchBulk looks at the size of what goes into the pipe to dst.
func (c *Conn) watchBulk(dst *Conn, size int) {
	x := c.extra.Load()
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
	return p.from.extra.Load().pipe.Load() == p.to && p.from.plain() && p.to.plain()
}

// Moved counts as if the bytes had been a message.
func (p bulkPipe) Moved(int) {
	c := p.from
	atomic.StoreUint64(&c.received, c.received+1)
	c.svc.requests.Add(1)
}

// plain reports whether the connection's messages are bytes as they come.
func (c *Conn) plain() bool { return c.Protocol() == nil && c.dialog() == nil }
