package workerman

import (
	"fmt"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
)

// This file feeds the state machine of a Client and does what it says.

// feed gives an event to the state machine. With cl.mu held. The connection and the messages
// that wait go with the state, so that nobody sees one without the other.
func (cl *Client) feed(ev clientEvent) (actions []clientAction) {
	cl.state, actions = cl.state.transition(ev)
	if cl.state.sends == sendsRefused {
		cl.queue = nil
	}
	if cl.current != nil && !cl.state.connected() {
		cl.current = nil
	}
	return actions
}

// decide notes a decision to connect; how is the event that carries it out.
func (cl *Client) decide(how clientEvent) error {
	config, err := cl.loadConfig()
	if err != nil {
		return err
	}
	cl.mu.Lock()
	cl.config = config
	cl.feed(clientEvent{kind: eventDecideConnect})
	how.generation = cl.state.generation
	cl.mu.Unlock()
	if cl.post(func(l *loop.Loop) { cl.handle(l, how, nil) }) {
		return nil
	}
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.feed(clientEvent{kind: eventNoLoop})
	return fmt.Errorf("client %s: %w", cl.address, ErrNotRunning)
}

// end notes a decision to end everything in good order; reason is why, nil if the program
// wants it so.
func (cl *Client) end(reason error) {
	cl.mu.Lock()
	actions := cl.feed(clientEvent{kind: eventDecideClose})
	how := clientEvent{kind: eventClose, generation: cl.state.generation}
	cl.mu.Unlock()
	if len(actions) > 0 {
		cl.post(func(l *loop.Loop) { cl.handle(l, how, reason) })
	}
}

// post runs fn on the client's loop, when the master has started.
func (cl *Client) post(fn func(l *loop.Loop)) bool {
	if l := cl.home; l != nil {
		return l.Post(func() { fn(l) })
	}
	return cl.owner().whenRunning(fn)
}

// The following runs on the loop.

// handle gives an event to the state machine and does what it says. reason is why a
// connection is closed, nil if the program wants it so.
func (cl *Client) handle(l *loop.Loop, ev clientEvent, reason error) {
	cl.mu.Lock()
	if c := cl.current; ev.kind == eventConnect && c != nil {
		ev.closing = !c.Connected()
	}
	actions, config := cl.feed(ev), cl.config
	cl.mu.Unlock()
	for _, action := range actions {
		switch action.kind {
		case actionAbort:
			cl.attempt.cancel()
		case actionDial:
			cl.dial(l, config)
		case actionWait:
			cl.wait(l, action.after)
		case actionBackoff:
			cl.wait(l, config.options.Backoff.next(action.failures))
		case actionClose:
			cl.current.closeWithReason(reason)
		case actionForget:
			cl.owner().unregister(cl)
		}
	}
}

// dial begins an attempt, unless the master stops.
func (cl *Client) dial(l *loop.Loop, config *clientConfig) {
	if !cl.owner().register(cl) {
		cl.handle(l, clientEvent{kind: eventMasterStops}, nil)
		return
	}
	cl.attempt = &attempt{client: cl, config: config, loop: l}
	cl.attempt.start()
}

// wait begins a pause before an attempt, unless the master stops.
func (cl *Client) wait(l *loop.Loop, pause time.Duration) {
	if !cl.owner().register(cl) {
		cl.handle(l, clientEvent{kind: eventMasterStops}, nil)
		return
	}
	cl.attempt = &attempt{client: cl, timer: l.After(pause, func() {
		cl.attempt = nil
		cl.handle(l, clientEvent{kind: eventPauseOver}, nil)
	})}
}

// opened makes a connection the client's, announces it and sends what waits for it.
func (cl *Client) opened(c *Conn) {
	cl.mu.Lock()
	cl.current = c
	cl.feed(clientEvent{kind: eventEstablished})
	cl.mu.Unlock()
	c.armDeadline()
	c.run(c.callOnConnect)
	for c.Connected() {
		waiting := cl.takeQueue()
		if waiting == nil {
			return
		}
		for _, data := range waiting.messages {
			if err := c.sendQueued(data); err != nil && err != ErrClosed {
				c.logger().Error("queued message not sent", "error", err)
			}
		}
	}
}

// takeQueue returns the messages that wait. If there are none, messages go to the connection
// from now on.
func (cl *Client) takeQueue() *backlog {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	waiting := cl.queue
	cl.queue = nil
	if waiting == nil {
		cl.feed(clientEvent{kind: eventFlushed})
	}
	return waiting
}

// sendQueued is Send for a message that was accepted before the connection was ready: it has
// room, whatever the limit of the send buffer.
func (c *Conn) sendQueued(data []byte) error {
	if c.packets() != nil {
		return c.Send(data)
	}
	tx, err := c.beginAlways()
	if err != nil {
		return err
	}
	if err := tx.enqueuePiped(data, 0); err != nil {
		tx.Abort()
		return err
	}
	tx.Commit()
	return nil
}

// failed tells that an attempt has failed, and does what follows.
func (cl *Client) failed(c *Conn, err error) {
	l := c.stream.Loop()
	cl.handle(l, clientEvent{kind: eventFailed, comesBack: cl.comesBack()}, nil)
	if fn := c.callbacks().OnError; fn != nil {
		c.run(func() { fn(c, err) })
	} else {
		c.logger().Warn("cannot connect", "address", cl.address, "reason", err.Error())
	}
	cl.handle(l, clientEvent{kind: eventAfterEnd}, nil)
}

// lost notes that the connection is gone, before OnClose. One that the program has dismissed
// does not come back by itself.
func (cl *Client) lost(c *Conn) {
	if cl.current == c {
		cl.handle(c.stream.Loop(), clientEvent{kind: eventLost, comesBack: !c.closedByProgram() && cl.comesBack()}, nil)
	}
}

// comesBack reports whether Backoff is to connect again.
func (cl *Client) comesBack() bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return cl.config.options.Backoff.used() && !cl.owner().stopping()
}

// afterEnd does what follows the last callback of a connection of the client, which may have
// been one of an attempt.
func (cl *Client) afterEnd(c *Conn) {
	defer c.settings.master.connectionLeft()
	if a := cl.attempt; a != nil && a.conn == c {
		a.connClosed(c.Err())
		return
	}
	if c.ready() {
		cl.handle(c.stream.Loop(), clientEvent{kind: eventAfterEnd}, nil)
	}
}
