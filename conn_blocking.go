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

// callbackQueue has the calls of a connection in order, with at most one goroutine that runs them.
type callbackQueue struct {
	mu      sync.Mutex
	queue   []queuedCall
	bytes   int
	running bool
	ended   bool // OnClose is queued: nothing may follow
}

// queuedCall is a function, or a message if fn is nil.
type queuedCall struct {
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
		case x.queue != nil:
			x.queue.push(c, queuedCall{fn: fn})
			return
		}
	}
	defer c.recovered()
	fn()
}

// pushMessage queues a copy of a message.
func (q *callbackQueue) pushMessage(c *Conn, data []byte, kind websocket.Opcode) {
	q.push(c, queuedCall{data: append(make([]byte, 0, len(data)), data...), kind: kind})
}

// pushWhileOpen queues a callback that is not called any more if the connection closes before. data
// is what it keeps in memory until then.
func (q *callbackQueue) pushWhileOpen(c *Conn, data []byte, fn func()) {
	q.push(c, queuedCall{data: data, fn: func() {
		if c.Connected() {
			fn()
		}
	}})
}

func (q *callbackQueue) push(c *Conn, item queuedCall) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended || item.fn == nil && q.full() && c.packets() != nil {
		return // datagrams that nobody has time for are lost
	}
	q.ended = item.last
	q.queue = append(q.queue, item)
	q.bytes += len(item.data)
	if q.full() {
		c.stream.Pause(pausedByBacklog)
	}
	if !q.running {
		q.running = true
		go q.work(c)
	}
}

// idle reports whether nothing runs and nothing waits.
func (q *callbackQueue) idle() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.running
}

// full reports whether reading has to pause.
func (q *callbackQueue) full() bool { return len(q.queue) >= maxBacklog || q.bytes >= maxBacklogBytes }

// caughtUp is well below full, so that reading does not stop and go for each message.
func (q *callbackQueue) caughtUp() bool {
	return len(q.queue) <= maxBacklog/4 && q.bytes <= maxBacklogBytes/4
}

func (q *callbackQueue) work(c *Conn) {
	for {
		q.mu.Lock()
		if len(q.queue) == 0 {
			q.running = false
			q.mu.Unlock()
			return
		}
		item := q.queue[0]
		q.queue[0] = queuedCall{}
		q.queue = q.queue[1:]
		q.bytes -= len(item.data)
		if q.caughtUp() {
			c.stream.Resume(pausedByBacklog)
		}
		q.mu.Unlock()
		q.run(c, item)
	}
}

func (q *callbackQueue) run(c *Conn, item queuedCall) {
	defer c.recovered()
	switch {
	case item.fn != nil:
		item.fn()
	case c.Connected(): // a message behind a Close is not delivered
		c.callOnMessage(item.data, item.kind)
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
	c.setErr(err)
	c.settings.reportPanic(c, err)
	c.closeWithReason(err)
}
