package loop

import (
	"io"
	"math"
	"time"
)

// A close never loses what was sent. Closing writes the rest of the output, then sends
// the end of the stream and stays until the peer has taken everything; meanwhile its
// input is read and thrown away, because a socket that is closed with unread input
// sends a reset, which destroys what is still on its way. The linger limit ends the
// wait when the peer takes nothing for that long.

const (
	lingerUnit = 100 * time.Millisecond
	lingerLook = 200 // milliseconds between two looks at the peer's progress
	endedLook  = 10  // the same if it sends no more, and the engine alone holds the close up
	// endWait is how long the peer may take, once it has everything, to close its side.
	endWait = int64(time.Second / time.Millisecond)
)

// closing is what a stream knows about its end.
type closing struct {
	failed    bool  // the loop has to close it at once
	err       error // because of this
	asked     bool  // while it is detached: a close follows if it comes back
	lingering bool  // the wait for the peer has begun
	untaken   int32 // what the peer had not taken at the last look
	progress  int64 // the loop's time when the peer last took something
}

// ensureClosing returns what the stream knows about its end, made if need be. With s.mu held.
func (s *Stream) ensureClosing() *closing {
	if s.closing == nil {
		s.closing = new(closing)
	}
	return s.closing
}

// hasFailed reports whether the loop has to close the stream. With s.mu held.
func (s *Stream) hasFailed() bool { return s.closing != nil && s.closing.failed }

// setFailure notes that the loop has to close the stream because of err. With s.mu held.
func (s *Stream) setFailure(err error) {
	c := s.ensureClosing()
	c.failed, c.err = true, err
}

// failure is why the loop has to close the stream, if it has to.
func (s *Stream) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing.err
}

// Close starts an orderly close. Any goroutine may call it, any number of times. It
// reports whether this call was the one that started it.
func (s *Stream) Close() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.startClose()
}

func (s *Stream) startClose() bool {
	if !s.life.startClosing() {
		if s.life.state() == stateDetached && !s.hasFailed() {
			s.ensureClosing().asked = true
		}
		return false
	}
	if t := s.tls(); t != nil {
		t.abort()
	}
	s.enlist()
	return true
}

// Destroy closes at once and drops what was not written. Any goroutine may call it;
// the socket closes at the end of the loop's burst or turn.
func (s *Stream) Destroy(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state := s.life.state(); {
	case state == stateDetached:
		s.setFailure(err) // the output is being copied
	case state == stateClosed || s.hasFailed():
	default:
		s.life.startClosing()
		s.noteFailure(err)
	}
}

// closeOn moves a close along: empty says that all output is with the engine.
func (s *Stream) closeOn(empty bool) {
	s.dropInput()
	if !empty {
		s.startLinger()
		return
	}
	if s.nothingAtStake() || !s.output.sent && s.sysUnread() == 0 {
		s.shut(nil)
		return
	}
	s.mu.Lock()
	s.life.startEnding()
	s.updateInterest()
	s.mu.Unlock()
	s.sysCloseWrite()
	s.startLinger()
}

// nothingAtStake reports whether the socket may be closed although the peer may not have
// taken everything: it sends no more, so no reset can follow, and the kernel has the rest.
func (s *Stream) nothingAtStake() bool { return s.input.ended && !s.sysBuffers() }

func (s *Stream) startLinger() {
	left := s.remaining()
	s.mu.Lock()
	c := s.ensureClosing()
	c.lingering, c.progress, c.untaken = true, s.loop.now, left
	s.mu.Unlock()
	s.lookAgain(s.loop.now)
}

// lookAgain arms the next look at the peer's progress.
func (s *Stream) lookAgain(now int64) {
	look := int64(lingerLook)
	if s.input.ended {
		look = endedLook
	}
	s.loop.arm(&s.timer, now+look)
}

// remaining is what the peer has not taken yet.
func (s *Stream) remaining() int32 { return int32(min(s.Queued()+s.sysUnsent(), math.MaxInt32)) }

// checkLinger looks at the peer's progress now and then. A close that was asked for in this
// turn has not begun to wait.
func (s *Stream) checkLinger(now int64) {
	left := s.remaining()
	s.mu.Lock()
	c := s.closing
	if c == nil || !c.lingering {
		s.mu.Unlock()
		return
	}
	if left < c.untaken {
		c.progress = now
	}
	c.untaken = left
	silent := now - c.progress
	s.mu.Unlock()
	ending := s.life.state() == stateEnding
	switch {
	case ending && s.nothingAtStake(), ending && left == 0 && silent >= endWait:
		s.shut(nil)
	case left > 0 && silent >= (time.Duration(s.linger)*lingerUnit).Milliseconds():
		s.shut(ErrLinger)
	default:
		s.lookAgain(now)
	}
}

// discard reads and drops input of a closing stream.
func (s *Stream) discard() {
	for range maxReads {
		n, err := s.sysRead(s.loop.read)
		switch {
		case err == errAgain:
			return
		case err == io.EOF:
			s.mu.Lock()
			s.input.ended = true
			s.updateInterest()
			s.mu.Unlock()
			if s.life.state() == stateEnding {
				s.checkLinger(s.loop.now)
			}
			return
		case err != nil:
			s.fail(err)
			return
		case n < len(s.loop.read):
			return
		}
	}
}

// Unread is the number of bytes that have arrived and were not read. On the loop, of an open
// stream.
func (s *Stream) Unread() int { return s.sysUnread() }

// fail closes the stream at once because of err.
func (s *Stream) fail(err error) {
	if err == nil {
		err = errReset
	}
	s.shut(err)
}

// shut releases the socket and makes the last call to the owner.
func (s *Stream) shut(err error) {
	l := s.loop
	s.mu.Lock()
	if !s.life.shut() {
		s.mu.Unlock()
		return
	}
	if port := s.port(); err == nil && port != nil {
		err = port.failure() // a write that failed after the last look
	}
	if t := s.tls(); t != nil {
		t.abort()
		t.in = nil
		if err == nil {
			err = t.err
		}
	}
	s.dropOutput()
	s.sysClose()
	s.mu.Unlock()
	s.unsplice()
	s.dropInput()
	l.entries.remove(s.token)
	l.disarm(&s.timer)
	l.streams.Add(-1)
	s.owner.Closed(err)
}

// dropOutput forgets what is queued. With s.mu held.
func (s *Stream) dropOutput() {
	for s.out != nil {
		s.dropQueue()
	}
	s.dropPiped()
	if t := s.tls(); t != nil {
		t.dropRecords()
	}
}
