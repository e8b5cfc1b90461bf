package loop

import "github.com/workerman-go/workerman/internal/poll"

// Reading pauses for as long as there is a reason to. A reason is a bit that its user has
// chosen, so that nobody takes back what somebody else has asked for.

// Pause stops reading for a reason, one of the lower 31 bits; several reasons add up. Any
// goroutine may call it; in Receive it takes effect at once.
func (s *Stream) Pause(reason uint32) {
	s.mu.Lock()
	s.pauses.Or(reason)
	s.updateInterest()
	s.mu.Unlock()
}

// Resume takes a reason back. When none is left the loop hands over what was kept and
// reads on. Any goroutine may call it.
func (s *Stream) Resume(reason uint32) {
	s.mu.Lock()
	s.resume(reason)
	s.mu.Unlock()
}

func (s *Stream) resume(reason uint32) {
	if before := s.pauses.And(^reason); before != 0 && before&^reason == 0 && s.isOpen() {
		s.deliverSoon()
	}
}

// Continue is Resume that hands over what was kept in any case, for an owner that left
// input alone without a pause. Any goroutine may call it.
func (s *Stream) Continue(reason uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pauses.And(^reason)
	if s.isOpen() {
		s.deliverSoon()
	}
}

// deliverSoon makes the loop hand over what was kept. With s.mu held.
func (s *Stream) deliverSoon() {
	s.input.resumed = true
	s.enlist()
}

// Paused reports whether any reason to pause is there.
func (s *Stream) Paused() bool { return s.pauses.Load() != 0 }

// PausedBy reports whether one of these reasons to pause is there.
func (s *Stream) PausedBy(reasons uint32) bool { return s.pauses.Load()&reasons != 0 }

// updateInterest tells the engine what to watch, if that changed. With s.mu held. In
// the middle of a burst it waits for the end, so that pause and resume cost nothing.
func (s *Stream) updateInterest() {
	if s.bursting || !s.life.onLoop() {
		return
	}
	var want poll.Events
	if !s.input.ended && (!s.Paused() || !s.isOpen()) {
		want |= poll.Readable
	}
	if s.output.waiting {
		want |= poll.Writable
	}
	if uint8(want) != s.interest || s.parked && want != 0 {
		s.interest = uint8(want)
		s.sysInterest(want)
	}
}
