package loop

// A stream moves to another process in two steps, so that it is never lost if the other
// side fails: Detach takes it off its loop, with everything that the other process needs
// to go on; then either Release gives it up or Reattach puts it back. In between senders are
// refused as by a closed stream, and nobody touches the socket.

// Detached is what a stream consists of besides its owner.
type Detached struct {
	FD     int      // the socket, still that of the stream
	Input  []byte   // received and not consumed; the stream's until Release or Reattach
	Output [][]byte // sent and not written, in order; the same
	Pauses uint32   // reasons to pause

	BytesIn, BytesOut, Sends uint64
	Idle                     int64 // milliseconds since something was received
}

// Settle does at once what the end of the turn would do: write, tell the owner. It runs on
// the loop, between callbacks.
func (s *Stream) Settle() { s.settle(false) }

// Detachable reports whether Detach would take the stream off its loop now: it is in clear, in the
// native engine, open, and sends no file. On the loop.
func (s *Stream) Detachable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.detachable()
}

func (s *Stream) detachable() bool {
	return s.isOpen() && !s.hasFailed() && s.layers == nil && !s.bursting &&
		(s.out == nil || s.out.file == nil)
}

// Detach takes the stream off its loop; false if it cannot be. It runs on the loop,
// between callbacks, and is followed there by Release or Reattach.
func (s *Stream) Detach() (d Detached, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.detachable() && !s.output.waiting {
		s.flush() // what is written need not travel
	}
	if !s.detachable() {
		return Detached{}, false
	}
	l := s.loop
	s.life.detach()
	l.entries.remove(s.token)
	l.disarm(&s.timer)
	if !s.parked {
		s.sysPark() // the other process shares the socket: closing it here would not do
	}
	d = Detached{
		FD: int(s.fd), Pauses: s.pauses.Load(),
		BytesIn: s.bytesIn, BytesOut: s.bytesOut, Sends: s.sends, Idle: l.now - s.lastActive,
	}
	if s.in != nil {
		d.Input = s.in.b
	}
	if s.out != nil {
		d.Output = s.out.unwritten()
	}
	return d, true
}

// Reattach undoes Detach. The deadline is to be set again. A close that was asked for
// meanwhile follows.
func (s *Stream) Reattach() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = s.loop.entries.add(s)
	s.interest = 0
	s.input.resumed = true
	s.life.reattach()
	switch c := s.closing; {
	case c == nil:
		s.enlist()
	case c.failed:
		s.life.startClosing()
		s.noteFailure(c.err)
	default:
		s.closing = nil // a close was asked for
		s.startClose()
	}
}

// Release gives a detached stream up: it is closed here, and another process has its socket.
// Its owner is not told.
func (s *Stream) Release() {
	s.mu.Lock()
	s.life.release()
	s.dropOutput()
	s.sysClose()
	s.mu.Unlock()
	s.dropInput()
	s.loop.streams.Add(-1)
}
