package workerman

import (
	"fmt"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
)

// decide notes a decision to connect and carries it out on the loop, unless another has
// come by then.
func (cl *Client) decide(act func(l *loop.Loop)) error {
	t, err := cl.agree()
	if err == nil && cl.master.stopping() {
		err = ErrNotRunning
	}
	if err != nil {
		return fmt.Errorf("client %s: %w", cl.address, err)
	}
	cl.mu.Lock()
	cl.terms = t
	plan := cl.decision()
	if cl.phase != phaseUp {
		cl.phase = phaseTrying
	}
	cl.mu.Unlock()
	ok := cl.post(func(l *loop.Loop) {
		if cl.resume(plan) {
			act(l)
		}
	})
	if !ok {
		cl.mu.Lock()
		cl.end()
		cl.mu.Unlock()
		return fmt.Errorf("client %s: %w", cl.address, ErrNotRunning)
	}
	return nil
}

// decision counts one. With cl.mu held.
func (cl *Client) decision() (plan uint32) {
	cl.plan++
	cl.decided = true
	return cl.plan
}

// post runs fn on the client's loop, when the master has started.
func (cl *Client) post(fn func(l *loop.Loop)) bool {
	if l := cl.home; l != nil {
		return l.Post(func() { fn(l) })
	}
	return cl.master.whenRunning(fn)
}

// stands reports whether no decision has followed.
func (cl *Client) stands(plan uint32) bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return cl.plan == plan
}

// resume is stands for a decision to connect. What was connected when it was taken may
// have ended since.
func (cl *Client) resume(plan uint32) bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.plan == plan && cl.phase != phaseUp {
		cl.phase = phaseTrying
	}
	return cl.plan == plan
}

// end makes Send refuse and drops what waits. With cl.mu held.
func (cl *Client) end() {
	cl.phase, cl.queue = phaseEnded, nil
}

// The following runs on the loop.

// cancel ends an attempt, and the wait for one, without a word.
func (cl *Client) cancel() {
	cl.endPause()
	if a := cl.attempt; a != nil {
		a.over()
		if a.conn != nil {
			a.conn.stream.Destroy(loop.ErrDestroyed)
		}
	}
}

func (cl *Client) endPause() {
	if p := cl.pause; p != nil && p.timer != nil {
		p.timer.Stop()
	}
	cl.pause = nil
}

// finish ends everything in good order; err is why, nil if the program wants it so. What
// was decided after plan follows.
func (cl *Client) finish(plan uint32, err error) {
	cl.cancel()
	if cl.current != nil {
		cl.current.closeFor(err)
	} else if cl.stands(plan) {
		cl.master.unregister(cl)
	}
}

// again connects when the connection has closed.
func (cl *Client) again(after time.Duration) {
	cl.pause = &pause{length: after}
	cl.current.close()
}

// schedule makes the next attempt after a pause.
func (cl *Client) schedule(l *loop.Loop, after time.Duration) {
	cl.endPause()
	if cl.master.register(cl) {
		cl.pause = &pause{length: after, timer: l.After(max(after, 0), func() { cl.begin(l) })}
	}
}

// established announces a connection and sends what waits for it.
func (cl *Client) established(c *Conn) {
	cl.failures = 0
	cl.setCurrent(c)
	if !c.datagram {
		c.watchTime()
	}
	c.run(c.greet)
	for c.Connected() {
		cl.mu.Lock()
		batch := cl.queue
		cl.queue = nil
		if batch == nil && cl.phase == phaseTrying {
			cl.phase = phaseUp
		}
		cl.mu.Unlock()
		if batch == nil {
			return
		}
		for _, data := range batch.messages {
			cl.sendQueued(c, data)
		}
	}
}

func (cl *Client) setCurrent(c *Conn) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.current = c
}

// sendQueued sends a message that was accepted before the connection came up.
func (cl *Client) sendQueued(c *Conn, data []byte) {
	err := c.resend(data)
	if err != nil && err != ErrClosed {
		c.logger().Error("queued message not sent", "error", err)
	}
}

// resend is Send with room for everything.
func (c *Conn) resend(data []byte) error {
	if c.datagram {
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

// failed tells that an attempt came to nothing.
func (cl *Client) failed(c *Conn, err error) {
	cl.settle(false)
	if fn := c.callbacks().OnError; fn != nil {
		c.run(func() { fn(c, err) })
	} else {
		c.logger().Warn("cannot connect", "address", cl.address, "reason", err.Error())
	}
	cl.goOn(c.stream.Loop())
}

// lost notes that the connection is gone, before OnClose.
func (cl *Client) lost(c *Conn) {
	if cl.current == c {
		cl.setCurrent(nil)
		cl.settle(c.dismissed())
	}
}

// left follows the last callback of a connection.
func (cl *Client) left(c *Conn) {
	defer c.svc.master.connectionLeft()
	if a := cl.attempt; a != nil && a.conn == c {
		a.broken(c.Err())
		return
	}
	if c.ready() {
		cl.goOn(c.stream.Loop())
	}
}

// settle notes the state of affairs after an end, so that the callback that follows can
// change it. What the program has dismissed does not come back by itself.
func (cl *Client) settle(dismissed bool) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.decided = false
	switch {
	case cl.phase == phaseEnded:
	case cl.pause != nil, cl.terms.options.Backoff.used() && !dismissed && !cl.master.stopping():
		cl.phase = phaseTrying
	default:
		cl.end()
	}
}

// goOn connects again if Reconnect or Backoff says so and the callback did not decide.
func (cl *Client) goOn(l *loop.Loop) {
	cl.mu.Lock()
	undecided := !cl.decided
	trying := undecided && cl.phase == phaseTrying
	backoff := &cl.terms.options.Backoff
	cl.mu.Unlock()
	p := cl.pause
	cl.pause = nil
	switch {
	case trying && p != nil:
		cl.schedule(l, p.length)
	case trying:
		cl.schedule(l, backoff.next(int(cl.failures)))
		cl.failures = min(cl.failures, maxFailures) + 1
	case undecided:
		cl.master.unregister(cl)
	}
}

// maxFailures is more than any Backoff tells apart.
const maxFailures = 1 << 10
