package loop

import (
	"io"
	"math"

	"github.com/workerman-go/workerman/internal/poll"
)

// A burst is the service of one stream's input: its bytes are read and handed over, what the
// owner sends meanwhile is collected in the loop's cork, and leaves at the end. A loop has one
// burst at a time, since it has one cork.

// ready serves one event of the engine.
func (s *Stream) ready(ev poll.Events) {
	if ev&poll.Writable != 0 {
		s.settle(true)
	}
	broken := ev&(poll.Failed|poll.HungUp) != 0
	switch state := s.life.state(); {
	case state == stateClosed:
	case state != stateOpen:
		if broken && s.input.ended {
			s.fail(s.sysError())
		} else if ev != poll.Writable {
			s.discard()
		}
	case s.Paused() || s.input.ended:
		if broken {
			s.hangUp()
		}
	case ev != poll.Writable:
		s.loop.dry = false
		s.receive()
	}
}

// hangUp serves a break of a stream that is not read now. A peer that closed may have
// left messages, which wait for Resume; the event itself cannot be masked, so the
// engine stops watching.
func (s *Stream) hangUp() {
	if err := s.sysError(); err != nil || s.input.ended {
		s.fail(err)
		return
	}
	s.mu.Lock()
	s.sysPark()
	s.mu.Unlock()
}

// maxReads bounds the reads of one event.
const maxReads = 16

// receive reads what is there and hands it to the owner, as one burst.
func (s *Stream) receive() {
	s.beginBurst()
	var failure error
	ended := false
	for range maxReads {
		filled, err := s.fill()
		if err == io.EOF {
			ended = true
		} else if err != nil && err != errAgain {
			failure = err
		}
		if !filled || s.Paused() || !s.isOpen() {
			break
		}
	}
	t := s.tls()
	if t != nil {
		t.keepRecords()
	}
	s.endBurst(ended)
	if failure != nil {
		if t == nil || !t.giveUp(failure) {
			s.fail(failure)
		}
	} else if t != nil && t.pending() && !s.Paused() {
		s.mu.Lock()
		s.deliverSoon() // nothing but the collector's list would bring the loop back
		s.mu.Unlock()
	}
}

// beginBurst lets output collect in the cork.
func (s *Stream) beginBurst() {
	s.mu.Lock()
	s.startBurst()
	s.mu.Unlock()
}

func (s *Stream) startBurst() {
	if checking {
		s.checkBurst()
	}
	s.bursting = true
}

// endBurst writes what was sent meanwhile.
func (s *Stream) endBurst(ended bool) {
	if checking {
		s.loop.serving = nil
	}
	s.mu.Lock()
	s.bursting = false
	s.input.ended = s.input.ended || ended
	if s.loop.arrived > 0 && s.isOpen() {
		s.lastActive = s.loop.now
	}
	s.bytesIn += s.loop.arrived
	s.loop.arrived = 0
	if s.isOpen() {
		s.kept = int32(min(s.Unconsumed(), math.MaxInt32))
	}
	s.settleLocked(false)
	if ended {
		s.tellEnd()
	}
}

// tellEnd passes the end of the input on, once, and not before everything in front of
// it was delivered.
func (s *Stream) tellEnd() {
	if !s.input.endTold && !s.Paused() && s.isOpen() {
		s.input.endTold = s.owner.EndOfInput()
	}
}

// deliverKept hands over what was kept while reading was paused.
func (s *Stream) deliverKept() {
	if s.in != nil && !s.Paused() && s.isOpen() {
		s.beginBurst()
		s.redeliver()
		s.endBurst(false)
	}
	if t := s.tls(); t != nil && t.pending() && !s.Paused() && s.isOpen() {
		s.loop.dry = true // the engine reports what the socket holds
		s.receive()
	}
	if s.input.ended {
		s.tellEnd()
	}
}

// settle does everything that is due on a stream: it writes what was collected,
// watches for room if the peer is slow, moves a close along, and tells the owner.
func (s *Stream) settle(writable bool) {
	s.mu.Lock()
	s.settleLocked(writable)
}

// settleLocked unlocks. writable says that the peer made room.
func (s *Stream) settleLocked(writable bool) {
	s.listed = false
	if !s.life.onLoop() || s.bursting {
		s.mu.Unlock()
		return
	}
	drained := false
	if writable || !s.output.waiting {
		drained = s.flush()
	}
	s.updateInterest()
	if checking {
		s.checkSettles()
	}
	state, failed, empty := s.life.state(), s.hasFailed(), s.queued() == 0
	resumed := s.input.resumed
	s.input.resumed = false
	s.mu.Unlock()
	switch {
	case failed:
		s.shut(s.failure())
		return
	case drained && state == stateOpen:
		s.owner.Drained()
	}
	if bits := s.TakeAttention(); bits != 0 {
		s.owner.Attention(bits)
	}
	if state == stateClosing {
		s.closeOn(empty)
	} else if resumed {
		s.deliverKept()
	}
}

// NeedAttention makes the loop call the owner's Attention soon, with these bits of the
// owner's choice. Any goroutine may call it.
func (s *Stream) NeedAttention(bits uint32) {
	if s.attention.Or(bits) == 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.enlist()
	}
}

// TakeAttention returns and clears the bits: an owner that goes through many messages in
// one Receive looks in between.
func (s *Stream) TakeAttention() (bits uint32) {
	if s.attention.Load() != 0 {
		bits = s.attention.Swap(0)
	}
	return bits
}
