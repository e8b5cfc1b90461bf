package workerman

import (
	"io"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/dialer"
	"github.com/workerman-go/workerman/internal/loop"
)

// This file shows the inside of the package to its tests in package workerman_test, which may
// import what stands above it: see package workertest.

// TextProtocol is the protocol of the scheme text, for protocols that differ a little from it.
type TextProtocol = textProtocol

// Registered lists the clients that the master knows because something is under way for them.
func (m *Master) Registered() []*Client { return m.registered() }

// Outgoing is the number of open sockets of clients.
func (m *Master) Outgoing() int64 { return m.outgoing.Load() }

// Resolver is what looks the names of clients up.
func (m *Master) Resolver() *dialer.Resolver { return &m.resolver }

// Master is the one that has made the worker.
func (w *Worker) Master() *Master { return w.master }

// Counters count what the first loop of a running worker asks of the system.
func (w *Worker) Counters() *loop.Counters { return w.runningServer().loops[0].Counters() }

// Config is the same for clients that share what was made of their options.
func (c *Client) Config() any { return c.config }

// Configured reports whether conn has what was made of the client's options.
func (c *Client) Configured(conn *Conn) bool { return conn.settings == &c.config.settings }

// CallbackNames tells the watchdog which callback a function calls.
var CallbackNames = callbackNames

// Figures are what the process tells about itself.
func (m *Master) Figures() control.Figures { return m.figures() }

// WriteStack writes where the process stands.
func (m *Master) WriteStack(out io.Writer) error { return m.writeStack(out) }

// WriteConnections lists the connections that a filter chooses.
func (m *Master) WriteConnections(out io.Writer, f control.Filter) error {
	return m.writeConnections(out, f)
}

// Unlisten closes the listeners of all workers, and Drain gets rid of their connections.
func (m *Master) Unlisten() {
	for _, s := range m.serving() {
		s.unlisten()
	}
}

func (m *Master) Drain(d time.Duration, graceful bool, left func(int)) { m.drain(d, graceful, left) }

// SetClock is for what depends on the time of day. It is to be called before Run.
func (m *Master) SetClock(now func() time.Time) { m.clock = now }

// StartedRows are what the banner tells about workers that run.
var StartedRows = startedRows

// Timers is the number of timers of a running worker's first loop.
func (w *Worker) Timers() int { return w.runningServer().loops[0].Timers() }

// LoopSlack is by how many connections the loops of a worker may differ.
const LoopSlack = loopSlack

// Assigned is the number of connections of each loop of a running worker.
func (w *Worker) Assigned() (list []int64) {
	assigned := w.runningServer().assigned
	for i := range assigned {
		list = append(list, assigned[i].Load())
	}
	return list
}

// Paused reports whether the connection reads nothing.
func (c *Conn) Paused() bool { return c.stream.Paused() }

// BytesIn is what was taken in from the peer.
func (c *Conn) BytesIn() uint64 {
	in, _, _ := c.stream.Counts()
	return in
}

// Unconsumed is how much of that is a part of a message. It is to be called on the loop.
func (c *Conn) Unconsumed() int { return c.stream.Unconsumed() }

// OutputWaits reports whether output waits for the peer.
func (c *Conn) OutputWaits() bool { return c.stream.Waiting() }

// ForgetPipe has the callbacks get again what comes.
func (c *Conn) ForgetPipe() { c.rare().pipe.Store(nil) }

// MaxBacklog is how many calls may wait for the goroutine of a Blocking worker's connection.
const MaxBacklog = maxBacklog

// Backlog is how many calls of callbacks wait for the connection of a Blocking worker.
func (c *Conn) Backlog() int {
	q := c.rare().queue
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.queue)
}

// CallbacksRun reports whether a goroutine runs the callbacks of a Blocking worker's connection.
func (c *Conn) CallbacksRun() bool {
	q := c.rare().queue
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.running
}

// MaxPipelined is how many bytes of later requests may wait while one is handled.
const MaxPipelined = maxPipelined

// Asked reports whether the request of that number is there and has no answer yet.
func (c *Conn) Asked(number uint64) bool {
	state := c.httpConn().state.load()
	return state.pending() && state.is(number)
}

// HoldsRequest reports whether a request of net/http is kept for the connection.
func (c *Conn) HoldsRequest() bool { return c.httpConn().handling.Load() != nil }

// OpenedUnit is the unit, in milliseconds, in which a connection keeps when it was accepted.
const OpenedUnit = openedUnit

// InTLSHandshake is a connection of a running worker that was accepted when the clock of the loop
// began, and EndTLSHandshake makes it ready.
func (w *Worker) InTLSHandshake() *Conn {
	c := &Conn{settings: &w.runningServer().connSettings}
	c.enter(stageTLS)
	return c
}

func (c *Conn) EndTLSHandshake() { c.enter(stageReady) }

// Deadline is when the connection has to be looked at again, and the error why it has to end now.
// It is in milliseconds of the loop's clock.
func (c *Conn) Deadline(now int64) (next int64, err error) { return c.deadline(now) }
