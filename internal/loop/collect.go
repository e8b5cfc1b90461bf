package loop

import "sync"

// collector lists the streams that have something to settle at the end of the turn:
// output that was collected, a close that was asked for. While a turn is open every
// goroutine may add; outside a turn the caller writes by itself or wakes the loop.
type collector struct {
	mu     sync.Mutex
	opened bool
	list   []*Stream
	spare  []*Stream
}

func (c *collector) open() {
	c.mu.Lock()
	c.opened = true
	c.mu.Unlock()
}

// close ends the turn and returns what was listed, until the next close.
func (c *collector) close() []*Stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened = false
	list := c.list
	clear(c.spare)
	c.list, c.spare = c.spare[:0], list
	return list
}

// tryAdd lists s if a turn is open.
func (c *collector) tryAdd(s *Stream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opened {
		c.list = append(c.list, s)
	}
	return c.opened
}

// add lists s in any case and reports whether the loop must be woken for it.
func (c *collector) add(s *Stream) (wake bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, s)
	return !c.opened
}

func (c *collector) any() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.list) > 0
}
