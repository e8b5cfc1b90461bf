package workerman

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
)

// giver hands the connections of a process over to its successor.
type giver struct {
	master   *Master
	link     *net.UnixConn
	deadline time.Time
	progress func(moved, left int)
	staying  map[*Conn]struct{} // that cannot move at all
	moved    int
	later    int // that cannot move yet, in this round
	left     int // that this round has not come to
}

// Pauses between the rounds in which connections are asked that were busy before.
const (
	firstRoundPause = 2 * time.Millisecond
	maxRoundPause   = 50 * time.Millisecond
	// busyPatience is how long connections that are in the middle of something are asked again.
	// Streams of events always are, and a reload should not wait for them.
	busyPatience = time.Second
)

// handOver moves the connections of all workers over link, a stream socket, to a process that
// runs adopt on its other end. Connections that cannot move yet are asked again for a second,
// and not beyond the deadline. progress, which may be nil, is told how many have moved and
// how many may still do so. An error is of the link: what has not moved is served on, as if
// nothing had happened. handOver closes link.
//
// A connection that has moved is closed for this process, but without OnClose: OnHandover
// was its last callback. Its timers are stopped, it has left its groups, and Send on it is
// ErrClosed.
func (m *Master) handOver(link *net.UnixConn, deadline time.Time, progress func(moved, left int)) error {
	defer link.Close()
	if progress == nil {
		progress = func(int, int) {}
	}
	g := &giver{master: m, link: link, deadline: deadline, progress: progress, staying: make(map[*Conn]struct{})}
	if m.engine() == loop.Native {
		pause := firstRoundPause
		for first := true; ; first = false {
			if err := g.round(); err != nil {
				return err
			}
			if limit := time.Now().Add(busyPatience); first && limit.Before(deadline) {
				deadline, g.deadline = limit, limit
			}
			if g.later == 0 || m.stopping() || time.Until(deadline) <= 0 {
				break
			}
			time.Sleep(min(pause, time.Until(deadline)))
			pause = min(2*pause, maxRoundPause)
		}
		m.settled()
	}
	return writeHead(link, linkEnd, nil, 0)
}

// round tries once to move each connection.
func (g *giver) round() error {
	g.later, g.left = 0, 0
	lists := make(map[*loop.Loop][]*Conn)
	for _, s := range g.master.serving() {
		for _, c := range s.everyone() {
			if _, stays := g.staying[c]; !stays {
				l := c.stream.Loop()
				lists[l] = append(lists[l], c)
				g.left++
			}
		}
	}
	for l, list := range lists {
		for len(list) > 0 {
			n, err := g.batch(l, list)
			if err != nil {
				return err
			}
			list = list[n:]
		}
	}
	return nil
}

// batch tries to move some connections from the front of a list, and returns how many.
func (g *giver) batch(l *loop.Loop, list []*Conn) (n int, err error) {
	var o offer
	var leaving []*Conn
	ok := g.on(l, func() {
		var state []byte
		for n < len(list) && len(leaving) < maxOffer && len(o.states) < offerBytes {
			c := list[n]
			n++
			out, fd, v := c.depart(state[:0])
			state = out
			switch v {
			case movesNow:
				o.add(fd, out)
				leaving = append(leaving, c)
			case movesLater:
				g.later++
			case movesNever:
				g.staying[c] = struct{}{}
			}
		}
	})
	if !ok { // a callback holds the loop: these drain
		for _, c := range list {
			g.staying[c] = struct{}{}
		}
		g.left -= len(list)
		return len(list), nil
	}
	g.left -= n
	if len(leaving) == 0 {
		return n, nil
	}
	answers, err := o.give(g.link, linkTimeout)
	for i, c := range leaving {
		if answers == nil || answers[i] != passengerTaken {
			g.staying[c] = struct{}{}
			continue
		}
		g.moved++
	}
	l.Post(func() {
		for i, c := range leaving {
			if answers == nil || answers[i] != passengerTaken {
				c.comeBack()
			} else {
				c.moved()
			}
		}
	})
	g.progress(g.moved, g.left+g.later)
	return n, err
}

// on runs fn on a loop and waits for it, not beyond the deadline; false if it does not run.
func (g *giver) on(l *loop.Loop, fn func()) bool {
	var decided atomic.Bool
	done := make(chan struct{})
	posted := l.Post(func() {
		if decided.CompareAndSwap(false, true) {
			fn()
			close(done)
		}
	})
	if !posted {
		return false
	}
	late := time.NewTimer(min(max(time.Until(g.deadline), linkTimeout), stuckPatience))
	defer late.Stop()
	select {
	case <-done:
		return true
	case <-l.Done():
	case <-late.C:
	}
	if decided.CompareAndSwap(false, true) {
		return false
	}
	<-done
	return true
}

// settled waits until the loops have done what was posted to them, but not for one that a
// callback holds.
func (m *Master) settled() {
	late := time.NewTimer(stuckPatience)
	defer late.Stop()
	for _, e := range m.runningLoops() {
		done := make(chan struct{})
		if !e.loop.Post(func() { close(done) }) {
			continue
		}
		select {
		case <-done:
		case <-e.loop.Done():
		case <-late.C:
			return // a callback blocks the loop
		}
	}
}
