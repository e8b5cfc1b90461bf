package loop

import (
	"math"
	"time"
)

// Adopt puts a stream that Detach has taken off another loop, in this process or another,
// on this one. The stream owns the memory of d from now on. It is paused for the reasons of d
// and for reason, one more, until the owner calls Continue(reason): then it gets the input of d,
// and what follows. It runs on the loop.
func (l *Loop) Adopt(s *Stream, d Detached, owner Owner, linger time.Duration, reason uint32) {
	s.loop, s.owner, s.fd = l, owner, int32(d.FD)
	s.timer.owner = s
	s.linger = lingerUnits(linger)
	s.lastActive = l.now - d.Idle
	s.bytesIn, s.bytesOut, s.sends = d.BytesIn, d.BytesOut, d.Sends
	s.pauses.Store(d.Pauses | reason)
	s.token = l.entries.add(s)
	s.parked = true // the first look at the interest tells the engine
	s.output.sent = d.BytesOut > 0
	s.keep(d.Input, 0)
	for _, p := range d.Output {
		s.queue().share(p)
	}
	s.output.waiting = s.queued() > 0
	l.streams.Add(1)
	s.mu.Lock()
	s.enlist()
	s.mu.Unlock()
}

// lingerUnits is linger in the stream's unit.
func lingerUnits(linger time.Duration) uint16 {
	return uint16(min((linger+lingerUnit-1)/lingerUnit, math.MaxUint16))
}
