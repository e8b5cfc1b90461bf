package workerman

import (
	"sync"

	"github.com/workerman-go/workerman/websocket"
)

// A Blocking worker runs the callbacks of each connection on a goroutine, in order. The
// goroutine exists while there is something to run.

const (
	maxBacklog      = 16        // messages that wait for the goroutine before reading pauses
	maxBacklogBytes = 256 << 10 // or their bytes
)

// Reasons to pause reading, as bits.
const (
	pausedByUser = 1 << iota
	pausedByPipe
	pausedByBacklog
	pausedByRequest // HTTP: later requests fill the memory for them
	pausedByAnswers // HTTP: answers fill the send buffer
	pausedByReader  // a handler of net/http reads more slowly than the client sends
	pausedByFault   // what follows a mistake in a body is of no use
	pausedByAdopt   // OnAdopt comes first
)

// serial is a queue of calls with at most one goroutine that runs them.
type serial struct {
	mu      sync.Mutex
	queue   []call
	bytes   int
	running bool
	ended   bool // OnClose is queued: nothing may follow
}

// call is a function, or a message if fn is nil.
type call struct {
	fn   func()
	data []byte
	kind websocket.Opcode
	last bool // OnClose
}

// run calls fn now, on the loop, or in its turn on the connection's goroutine.
func (c *Conn) run(fn func()) {
	if x := c.rare(); x != nil {
		switch {
		case x.detached != nil:
			x.detached.hold(fn)
			return
		case x.serial != nil:
			x.serial.push(c, call{fn: fn})
			return
		}
	}
	defer c.recovered()
	fn()
}

func (q *serial) message(c *Conn, data []byte, kind websocket.Opcode) {
	q.push(c, call{data: append(make([]byte, 0, len(data)), data...), kind: kind})
}

func (q *serial) push(c *Conn, item call) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended || item.fn == nil && q.behind() && c.packets() != nil {
		return // datagrams that nobody has time for are lost
	}
	q.ended = item.last
	q.queue = append(q.queue, item)
	q.bytes += len(item.data)
	if q.behind() {
		c.stream.Pause(pausedByBacklog)
	}
	if !q.running {
		q.running = true
		go q.work(c)
	}
}

// idle reports whether nothing runs and nothing waits.
func (q *serial) idle() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.running
}

func (q *serial) behind() bool { return len(q.queue) >= maxBacklog || q.bytes >= maxBacklogBytes }

// caughtUp is well below behind, so that reading does not stop and go for each message.
func (q *serial) caughtUp() bool {
	return len(q.queue) <= maxBacklog/4 && q.bytes <= maxBacklogBytes/4
}

func (q *serial) work(c *Conn) {
	for {
		q.mu.Lock()
		if len(q.queue) == 0 {
			q.running = false
			q.mu.Unlock()
			return
		}
		item := q.queue[0]
		q.queue[0] = call{}
		q.queue = q.queue[1:]
		q.bytes -= len(item.data)
		if q.caughtUp() {
			c.stream.Resume(pausedByBacklog)
		}
		q.mu.Unlock()
		q.call(c, item)
	}
}

func (q *serial) call(c *Conn, item call) {
	defer c.recovered()
	switch {
	case item.fn != nil:
		item.fn()
	case c.Connected(): // a message behind a Close is not delivered
		c.message(item.data, item.kind)
	}
}

// recovered is deferred around callbacks: a panic closes the connection.
func (c *Conn) recovered() {
	if v := recover(); v != nil {
		c.panicked(v)
	}
}

func (c *Conn) panicked(v any) {
	err := newPanicError(v)
	c.end(err)
	c.settings.reportPanic(c, err)
	c.closeFor(err)
}
