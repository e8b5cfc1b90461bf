package handover

import (
	"net"
	"sync/atomic"
	"time"
)

const (
	// LoopPatience is how long a hand-over waits for a loop. One that takes longer is held by a
	// callback, and its connections stay.
	LoopPatience = 2 * time.Second
	// answerPatience is how long the other side may take for a batch.
	answerPatience = 10 * time.Second
	// busyPatience is how long connections that are in the middle of something are asked again.
	// Streams of events always are, and a reload should not wait for them.
	busyPatience = time.Second

	// These are the pauses between the rounds in which busy connections are asked again.
	firstRoundPause = 2 * time.Millisecond
	maxRoundPause   = 50 * time.Millisecond
)

// sender hands the connections of a process over to its successor.
type sender struct {
	from           Source
	link           *net.UnixConn
	deadline       time.Time
	progress       func(moved, left int)
	loopPatience   time.Duration
	answerPatience time.Duration

	staying map[Conn]struct{} // these cannot move at all
	moved   int
	later   int // these cannot move yet, in this round
	left    int // this round has not come to these
}

// Send moves the connections of a process over link to a process that runs Receive on its other
// end. Connections that cannot move yet are asked again for a second, and not beyond the deadline.
// progress, which may be nil, is told how many have moved and how many may still do so. An error
// is of the link: what has not moved is served on, as if nothing had happened. Send closes link.
func Send(link *net.UnixConn, from Source, deadline time.Time, progress func(moved, left int)) error {
	return newSender(link, from, deadline, progress).run()
}

func newSender(link *net.UnixConn, from Source, deadline time.Time, progress func(moved, left int)) *sender {
	if progress == nil {
		progress = func(int, int) {}
	}
	return &sender{
		from: from, link: link, deadline: deadline, progress: progress,
		loopPatience: LoopPatience, answerPatience: answerPatience, staying: make(map[Conn]struct{}),
	}
}

func (s *sender) run() error {
	defer s.link.Close()
	pause := firstRoundPause
	for first := true; ; first = false {
		if err := s.round(); err != nil {
			return err
		}
		if limit := time.Now().Add(busyPatience); first && limit.Before(s.deadline) {
			s.deadline = limit
		}
		left := time.Until(s.deadline)
		if s.later == 0 || s.from.Stopping() || left <= 0 {
			break
		}
		time.Sleep(min(pause, left))
		pause = min(2*pause, maxRoundPause)
	}
	s.from.Settle()
	return writeEnd(s.link)
}

// round tries once to move each connection.
func (s *sender) round() error {
	s.later, s.left = 0, 0
	lists := s.from.Connections()
	for l, list := range lists {
		lists[l] = s.withoutStaying(list)
		s.left += len(lists[l])
	}
	for l, list := range lists {
		for len(list) > 0 {
			n, err := s.batch(l, list)
			if err != nil {
				return err
			}
			list = list[n:]
		}
	}
	return nil
}

// withoutStaying takes those out of a list that cannot move at all.
func (s *sender) withoutStaying(list []Conn) []Conn {
	rest := list[:0]
	for _, c := range list {
		if _, stays := s.staying[c]; !stays {
			rest = append(rest, c)
		}
	}
	return rest
}

// batch tries to move some connections from the front of a list, and returns how many.
func (s *sender) batch(l Loop, list []Conn) (n int, err error) {
	var o offer
	var detached []Conn
	ok := s.on(l, func() { n, detached = s.detach(list, &o) })
	if !ok { // a callback holds the loop: these drain
		for _, c := range list {
			s.staying[c] = struct{}{}
		}
		s.left -= len(list)
		return len(list), nil
	}
	s.left -= n
	if len(detached) == 0 {
		return n, nil
	}
	answers, err := o.send(s.link, s.answerPatience)
	hasMoved := func(i int) bool { return answers != nil && answers[i] == taken }
	for i, c := range detached {
		if hasMoved(i) {
			s.moved++
		} else {
			s.staying[c] = struct{}{}
		}
	}
	l.Post(func() {
		for i, c := range detached {
			if hasMoved(i) {
				c.Release()
			} else {
				c.Reattach()
			}
		}
	})
	s.progress(s.moved, s.left+s.later)
	return n, err
}

// detach fills an offer with connections from the front of a list, on their loop. It returns those
// that are in it, and how many it has looked at.
func (s *sender) detach(list []Conn, o *offer) (n int, detached []Conn) {
	var state []byte
	for n < len(list) && !o.full() {
		c := list[n]
		n++
		out, fd, v := c.Detach(state[:0])
		state = out
		switch v {
		case MovesNow:
			o.add(fd, out)
			detached = append(detached, c)
		case MovesLater:
			s.later++
		case MovesNever:
			s.staying[c] = struct{}{}
		}
	}
	return n, detached
}

// on runs fn on a loop and waits for it; false if fn does not run, because the loop has ended or
// a callback holds it.
func (s *sender) on(l Loop, fn func()) bool {
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
	late := time.NewTimer(s.loopPatience)
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
