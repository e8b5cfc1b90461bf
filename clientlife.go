package workerman

import (
	"fmt"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
)

// decide notes a decision to connect and carries it out on the loop, unless another has
// come by then.
func (cl *Client) decide(act func(l *loop.Loop)) error {
	s, r, err := cl.prepare()
	if err == nil && cl.master.stopping() {
		err = ErrNotRunning
	}
	if err != nil {
		return fmt.Errorf("client %s: %w", cl.address, err)
	}
	cl.mu.Lock()
	cl.svc, cl.route = s, r
	cl.plan++
	plan := cl.plan
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

// post runs fn on the client's loop, when the master has started.
func (cl *Client) post(fn func(l *loop.Loop)) bool {
	if l := cl.home; l != nil {
		return l.Post(func() { fn(l) })
	}
	return cl.master.whenRunning(fn)
}

// stands reports whether no decision has followed.
func (cl *Client) stands(plan uint64) bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return cl.plan == plan
}

// resume is stands for a decision to connect. What was connected when it was taken may
// have ended since.
func (cl *Client) resume(plan uint64) bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.plan == plan && cl.phase != phaseUp {
		cl.phase = phaseTrying
	}
	return cl.plan == plan
}

// end makes Send refuse and drops what waits. With cl.mu held.
func (cl *Client) end() {
	cl.phase, cl.conn = phaseEnded, nil
	cl.queue, cl.queued = nil, 0
}

// The following runs on the loop.

// cancel ends an attempt, and the wait for one, without a word.
func (cl *Client) cancel() {
	cl.stopTimer()
	cl.after = nil
	if a := cl.attempt; a != nil {
		a.over()
		if a.conn != nil {
			a.conn.stream.Destroy(loop.ErrDestroyed)
		}
	}
}

func (cl *Client) stopTimer() {
	if cl.timer != nil {
		cl.timer.Stop()
		cl.timer = nil
	}
}

// finish ends everything in good order; err is why, nil if the program wants it so. What
// was decided after plan follows.
func (cl *Client) finish(plan uint64, err error) {
	cl.cancel()
	if cl.current != nil {
		cl.current.closeFor(err)
	} else if cl.stands(plan) {
		cl.master.unregister(cl)
	}
}

// again connects when the connection has closed.
func (cl *Client) again(after time.Duration) {
	cl.after = &after
	cl.current.Close()
}

// schedule makes the next attempt after a pause.
func (cl *Client) schedule(l *loop.Loop, after time.Duration) {
	cl.loop = l
	cl.stopTimer()
	if cl.master.register(cl) {
		cl.timer = l.After(max(after, 0), func() { cl.begin(l) })
	}
}

// established announces a connection that came by r, and sends what waits for it.
func (cl *Client) established(c *Conn, r *route) {
	cl.current, cl.failures = c, 0
	cl.mu.Lock()
	if cl.phase == phaseTrying {
		cl.conn = c
	}
	cl.mu.Unlock()
	c.watchTime()
	c.run(c.greet)
	for c.Connected() {
		cl.mu.Lock()
		batch := cl.queue
		cl.queue, cl.queued = nil, 0
		if len(batch) == 0 && cl.phase == phaseTrying {
			cl.phase, cl.conn = phaseUp, c
			if cl.route == r && !r.backoff.used() {
				cl.route = nil // the next decision brings its own
			}
		}
		cl.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for _, data := range batch {
			cl.sendQueued(c, data)
		}
	}
}

// sendQueued sends a message that was accepted before the connection came up.
func (cl *Client) sendQueued(c *Conn, data []byte) {
	if _, ok := c.stream.Begin(); !ok {
		return
	}
	if err := c.enqueuePiped(data, 0); err != nil {
		c.stream.Abort()
		c.svc.logger().Error("queued message not sent", "error", err)
		return
	}
	c.commit(c.maxSend())
}

// failed tells that an attempt came to nothing.
func (cl *Client) failed(c *Conn, err error) {
	cl.settle()
	if fn := c.callbacks().OnError; fn != nil {
		c.run(func() { fn(c, err) })
	} else {
		c.svc.logger().Warn("cannot connect", "address", cl.address, "reason", err.Error())
	}
	cl.goOn(c.svc)
}

// lost notes that the connection is gone, before OnClose.
func (cl *Client) lost(c *Conn) {
	if cl.current == c {
		cl.current = nil
		cl.settle()
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
		cl.goOn(c.svc)
	}
}

// settle notes the state of affairs after an end, so that the callback that follows can
// change it.
func (cl *Client) settle() {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.settled = cl.plan
	cl.conn = nil
	switch {
	case cl.phase == phaseEnded:
	case cl.after != nil || cl.backoff().used() && !cl.master.stopping():
		cl.phase = phaseTrying
	default:
		cl.end()
	}
}

// backoff is that of the decision to connect. With cl.mu held.
func (cl *Client) backoff() *Backoff {
	if cl.route == nil {
		return new(Backoff)
	}
	return &cl.route.backoff
}

// goOn connects again if Reconnect or Backoff says so and the callback did not decide.
func (cl *Client) goOn(s *service) {
	cl.mu.Lock()
	undecided := cl.settled == cl.plan
	trying := undecided && cl.phase == phaseTrying
	backoff := cl.backoff()
	cl.mu.Unlock()
	after := cl.after
	cl.after = nil
	switch {
	case trying && after != nil:
		cl.schedule(cl.loop, *after)
	case trying:
		cl.schedule(cl.loop, backoff.next(cl.failures))
		cl.failures++
	case undecided:
		s.master.unregister(cl)
	}
}
