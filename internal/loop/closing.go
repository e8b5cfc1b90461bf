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

// Close starts an orderly close. Any goroutine may call it, any number of times. It
// reports whether this call was the one that started it.
func (s *Stream) Close() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.startClose()
}

// CommitClose ends a transaction and starts an orderly close behind what was sent.
func (s *Stream) CommitClose() {
	s.startClose()
	s.mu.Unlock()
}

func (s *Stream) startClose() bool {
	if !s.isOpen() {
		if s.state.Load() == streamMoving && s.failed == nil {
			s.failed = new(failure)
		}
		return false
	}
	s.state.Store(streamClosing)
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
	switch state := s.state.Load(); {
	case state == streamMoving:
		s.failed = &failure{err} // the output is being copied
	case state == streamClosed || s.failed != nil:
	default:
		s.state.CompareAndSwap(streamOpen, streamClosing)
		s.broke(err)
	}
}

// closeOn moves a close along: empty says that all output is with the engine.
func (s *Stream) closeOn(empty bool) {
	s.dropInput()
	if !empty {
		s.startLinger()
		return
	}
	if s.nothingAtStake() || !s.flags.wrote && s.sysUnread() == 0 {
		s.shut(nil)
		return
	}
	s.mu.Lock()
	s.state.Store(streamEnding)
	s.updateInterest()
	s.mu.Unlock()
	s.sysCloseWrite()
	s.startLinger()
}

// nothingAtStake reports whether the socket may be closed although the peer may not have
// taken everything: it sends no more, so no reset can follow, and the kernel has the rest.
func (s *Stream) nothingAtStake() bool { return s.flags.ended && !s.sysBuffers() }

func (s *Stream) startLinger() {
	s.flags.lingering = true
	left := s.remaining()
	s.mu.Lock()
	s.lastActive, s.backlog = s.loop.now, left
	s.mu.Unlock()
	s.lookAgain(s.loop.now)
}

// lookAgain arms the next look at the peer's progress.
func (s *Stream) lookAgain(now int64) {
	look := int64(lingerLook)
	if s.flags.ended {
		look = endedLook
	}
	s.loop.arm(&s.timer, now+look)
}

// remaining is what the peer has not taken yet.
func (s *Stream) remaining() int32 { return int32(min(s.Queued()+s.sysUnsent(), math.MaxInt32)) }

// checkLinger looks at the peer's progress now and then.
func (s *Stream) checkLinger(now int64) {
	left := s.remaining()
	s.mu.Lock()
	if left < s.backlog {
		s.lastActive = now
	}
	s.backlog = left
	s.mu.Unlock()
	silent := now - s.lastActive
	ending := s.state.Load() == streamEnding
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
			s.flags.ended = true
			s.updateInterest()
			s.mu.Unlock()
			if s.state.Load() == streamEnding {
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
