package loop

import "runtime"

// Glance is a stream as others see it.
type Glance struct {
	Open       bool // neither closing nor closed
	Closed     bool
	Paused     bool
	Secure     bool // over TLS, or in its handshake
	Queued     int  // bytes sent and not written, files included
	Unconsumed int  // bytes received and kept, as of the last input
	In, Out    uint64
	// LastActive is the loop's time of the last input, or of the last progress of a close, in
	// milliseconds.
	LastActive int64
}

// glances is how often Glance yields to who holds the lock.
const glances = 64

// Glance looks at the stream from any goroutine, taking its lock once. A callback that blocks
// while it holds the lock, which only an encoder can, makes it give up: ok is false then, and
// g has only what can be told without the lock.
func (s *Stream) Glance() (g Glance, ok bool) {
	for try := 0; !ok && try < glances; try++ {
		if ok = s.mu.TryLock(); !ok {
			runtime.Gosched()
		}
	}
	state := s.life.state()
	g.Open, g.Closed, g.Paused = state == stateOpen, state == stateClosed, s.Paused()
	if !ok {
		return g, false
	}
	defer s.mu.Unlock()
	g.Secure = s.tls() != nil
	g.Queued, g.In, g.Out, g.LastActive = s.queued(), s.bytesIn, s.bytesOut, s.lastActive
	if s.closing != nil {
		g.LastActive = max(g.LastActive, s.closing.progress)
	}
	if g.Open {
		g.Unconsumed = int(s.kept)
	}
	return g, true
}
