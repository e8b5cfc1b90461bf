package loop

import "math/bits"

// wheel is a hierarchical timing wheel: five levels of 64 slots, one millisecond a
// tick, so adding and removing cost the same for ten timers or ten million. A node of
// a higher level moves down when its slot comes up.
type wheel struct {
	tick     int64 // everything due up to here has been taken out
	count    int
	occupied [wheelLevels]uint64
	slots    [wheelLevels][wheelSlots]node // list heads
	due      node                          // expired, not yet run
}

const (
	wheelLevels = 5
	wheelBits   = 6
	wheelSlots  = 1 << wheelBits
	wheelSpan   = 1 << (wheelBits * wheelLevels) // 12 days; later deadlines are re-armed on the way
)

// node is a deadline in a wheel; it sits inside what it belongs to.
type node struct {
	next, prev *node
	when       int64 // tick
	owner      expirer
}

// expirer is told, on the loop, that its deadline has passed.
type expirer interface{ expire(now int64) }

func (n *node) linked() bool { return n.next != nil }

func (n *node) unlink() {
	n.prev.next, n.next.prev = n.next, n.prev
	n.next, n.prev = nil, nil
}

// push appends n to the list whose head is h.
func (h *node) push(n *node) {
	if h.next == nil {
		h.next, h.prev = h, h
	}
	n.prev, n.next = h.prev, h
	h.prev.next, h.prev = n, n
}

func (h *node) empty() bool { return h.next == nil || h.next == h }

// add arms n for the tick when; a time that has passed means the next tick.
func (w *wheel) add(n *node, when int64) {
	n.when = max(when, w.tick+1)
	w.place(n)
	w.count++
}

func (w *wheel) place(n *node) {
	delta := min(n.when-w.tick, wheelSpan-1)
	level := 0
	if delta > 0 {
		level = (bits.Len64(uint64(delta)) - 1) / wheelBits
	}
	slot := (w.tick + delta) >> (level * wheelBits) & (wheelSlots - 1)
	w.slots[level][slot].push(n)
	w.occupied[level] |= 1 << slot
}

// remove disarms n; false if it was not armed.
func (w *wheel) remove(n *node) bool {
	if !n.linked() {
		return false
	}
	n.unlink() // an emptied slot keeps its bit until the wheel passes it
	w.count--
	return true
}

// next is the tick at which the wheel has something to do, false if it is empty.
func (w *wheel) next() (int64, bool) {
	if !w.due.empty() {
		return w.tick, true
	}
	return w.nextSlot()
}

// nextSlot is the first tick after the current one whose slot is in use.
func (w *wheel) nextSlot() (best int64, found bool) {
	for level, mask := range w.occupied {
		if mask == 0 {
			continue
		}
		position := w.tick>>(level*wheelBits) + 1
		// Rotated so that bit 0 is the slot after the current one.
		rotated := bits.RotateLeft64(mask, -int(position&(wheelSlots-1)))
		at := (position + int64(bits.TrailingZeros64(rotated))) << (level * wheelBits)
		if !found || at < best {
			found, best = true, at
		}
	}
	return best, found
}

// advance moves the wheel to now and puts what expired into due, in order of time.
func (w *wheel) advance(now int64) {
	for w.tick < now {
		next, ok := w.nextSlot()
		if !ok || next > now {
			w.tick = now
			return
		}
		w.tick = next
		for level := wheelLevels - 1; level >= 1; level-- {
			if w.tick&(1<<(level*wheelBits)-1) == 0 {
				w.empty(level, w.place)
			}
		}
		w.empty(0, w.due.push)
	}
}

// empty hands every node of the current slot of a level to take.
func (w *wheel) empty(level int, take func(*node)) {
	slot := w.tick >> (level * wheelBits) & (wheelSlots - 1)
	head := &w.slots[level][slot]
	w.occupied[level] &^= 1 << slot
	var moved node
	if head.empty() {
		return
	}
	// Detach the list first: a node may be placed into the slot it comes from.
	moved.next, moved.prev = head.next, head.prev
	moved.next.prev, moved.prev.next = &moved, &moved
	head.next, head.prev = nil, nil
	for !moved.empty() {
		n := moved.next
		n.unlink()
		take(n)
	}
}

// pop takes one expired node out, nil if there is none.
func (w *wheel) pop() *node {
	if w.due.empty() {
		return nil
	}
	n := w.due.next
	n.unlink()
	w.count--
	return n
}
