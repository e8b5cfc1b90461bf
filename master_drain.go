package workerman

import (
	"cmp"
	"slices"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
)

const (
	// drainSpread is the part of the time of a drain in which its connections are told to go.
	drainSpread = 0.8
	// drainMoment is how long, in milliseconds, a connection without requests must have been
	// silent to be closed: its peer is hardly in the middle of something.
	drainMoment = 200
	// drainLooks is how often a drain looks at its connections, within the bounds behind it.
	drainLooks   = 400
	minDrainLook = 5 * time.Millisecond
	maxDrainLook = 250 * time.Millisecond
)

// drain waits until the connections of the workers have left, for d at most, and sees to it
// that they do: those of HTTP between two requests and after an answer, the others, which
// learn nothing of it until then, one after the other over most of the time, a WebSocket with
// the code 1012. Streams of events, connections of which a handler has taken possession, and
// answers that take so long stay to the end. With graceful set it closes only those of HTTP.
//
// left, which may be nil, is told how many there are, at every look. Listeners have to be
// closed before; what is left afterwards is for shutDown.
func (m *Master) drain(d time.Duration, graceful bool, left func(int)) {
	if left == nil {
		left = func(int) {}
	}
	begin := time.Now()
	look := time.NewTicker(min(max(d/drainLooks, minDrainLook), maxDrainLook))
	defer look.Stop()
	plan := m.planDrain()
	for {
		n := 0
		for _, s := range m.serving() {
			n += int(s.live.Load())
		}
		left(n)
		gone := time.Since(begin)
		if n == 0 || gone >= d {
			return
		}
		due := 0
		switch part := float64(gone) / (float64(d) * drainSpread); {
		case graceful:
		case part < 1:
			due = int(part * float64(len(plan)))
		default:
			plan = m.planDrain() // with those that have become a WebSocket since
			due = len(plan)
		}
		m.drainOnce(plan[:due])
		select {
		case <-look.C:
		case <-time.After(d - gone):
		}
	}
}

// planDrain is the order in which connections are told to go: that of their arrival.
func (m *Master) planDrain() (plan []*Conn) {
	for _, s := range m.serving() {
		for _, c := range s.allAndArriving() {
			if c.drainsInTurn() {
				plan = append(plan, c)
			}
		}
	}
	slices.SortFunc(plan, func(a, b *Conn) int { return cmp.Compare(a.id, b.id) })
	return plan
}

// drainOnce ends what may end now: of HTTP all that rests, of the others those that are due.
func (m *Master) drainOnce(due []*Conn) {
	lists := make(map[*loop.Loop][]*Conn)
	for _, s := range m.serving() {
		for _, c := range s.allAndArriving() {
			if !c.drainsInTurn() {
				lists[c.stream.Loop()] = append(lists[c.stream.Loop()], c)
			}
		}
	}
	for _, c := range due {
		lists[c.stream.Loop()] = append(lists[c.stream.Loop()], c)
	}
	for l, list := range lists {
		l.Post(func() {
			for _, c := range list {
				if c.Connected() && c.mayDrain() {
					c.closeWithReason(errRestarting)
				}
			}
		})
	}
}

// drainsInTurn reports whether a drain ends the connection when its turn has come.
func (c *Conn) drainsInTurn() bool {
	d, ok := c.dialog().(drainedDialog)
	return !ok || d.drainsInTurn()
}

// mayDrain reports whether a drain may close the connection now, on its loop.
func (c *Conn) mayDrain() bool {
	silent := c.stream.Loop().Now() - c.stream.LastActive()
	quiet := c.inputDone() && silent >= drainMoment
	if d, ok := c.dialog().(drainedDialog); ok {
		return d.mayDrain(c, quiet)
	}
	return quiet && c.stream.Queued() == 0
}
