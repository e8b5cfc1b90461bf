package loop

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workerman-go/workerman/internal/poll"
)

// Owner is told what happens on a stream, on the loop, one call at a time. It may call every
// method of its own stream meanwhile. On other streams it sends, pauses or closes, which takes
// effect later; it does not make them call their owners.
type Owner interface {
	// Receive gets all bytes that were not consumed yet, lent until it returns. used is how
	// many it has consumed: what is left is kept and handed over again, in front of what
	// follows. want is the size of the message that the rest begins with, which is more than
	// the rest, or 0 if it is not known: a message of known size is not handed over before it
	// is complete if much of it is missing. Sends meanwhile leave in one write after the last
	// Receive of the event.
	Receive(b []byte) (used, want int)
	// EndOfInput says that the peer will send no more. The owner closes when it is ready. If
	// it returns false, it is told again after Continue.
	EndOfInput() (done bool)
	// Attention is the answer to NeedAttention, with the bits that were asked for.
	Attention(bits uint32)
	// Drained says that output which had to wait for the peer has all been written.
	Drained()
	// Deadline is called when the deadline passes; it returns the next one, 0 for none.
	Deadline(now int64) int64
	// Secured ends the handshake that StartTLS began. An error closes the stream, after
	// the alert that goes with it; it is not called if the stream closes before.
	Secured(err error)
	// Closed is the last call. err is nil after an orderly close.
	Closed(err error)
}

// Errors that Closed may report besides those of the system.
var (
	ErrDestroyed = errors.New("destroyed")
	ErrLinger    = errors.New("peer did not take what was sent before the close in time")
)

// Stream is a two-way byte stream on a loop. It is embedded in what it serves.
type Stream struct {
	loop  *Loop
	owner Owner
	in    *inBuffer // received and not consumed, nil if nothing
	timer node      // the owner's deadline while the stream is open, then the clock of its close

	// layers is nil for a descriptor of the native engine in clear. The loop writes it,
	// with mu held.
	layers *layers

	mu        sync.Mutex // guards what follows, for senders on other goroutines
	out       *outQueue  // nil if nothing is queued
	closing   *closing   // what only a stream that ends knows; nil for the others
	fd        int32
	token     poll.Token
	life      life
	pauses    atomic.Uint32
	attention atomic.Uint32 // bits for the owner
	interest  uint8         // poll.Events in the engine
	bursting  bool          // the loop serves it right now: output stays in the cork until the end
	sending   bool          // a transaction is open; noted only for checks in tests
	listed    bool          // in the loop's collector
	parked    bool          // the engine does not watch the socket at all
	input     inputFlags
	output    outputFlags

	linger     uint16 // in units of lingerUnit
	kept       int32  // bytes received and not consumed at the end of the last burst
	lastActive int64  // the loop's time of the last input
	bytesIn    uint64
	bytesOut   uint64
	sends      uint64
}

// inputFlags of a stream, guarded by its lock.
type inputFlags struct {
	resumed bool // what was kept is to be handed over
	ended   bool // the peer sent its end of stream
	endTold bool // EndOfInput was called, and is done
}

// outputFlags of a stream, guarded by its lock.
type outputFlags struct {
	waiting bool // for the peer; Drained will be called
	sent    bool // something was ever sent
}

// Incoming is an accepted or connected socket that is not on a loop yet.
type Incoming struct {
	Remote netip.AddrPort // zero for a Unix socket
	Unix   bool
	fd     int32
	port   *portConn
}

// Attach puts an accepted socket on the loop, with reading on. It runs on the loop.
func (l *Loop) Attach(s *Stream, in Incoming, owner Owner, linger time.Duration) error {
	s.loop, s.owner, s.fd = l, owner, in.fd
	if in.port != nil {
		s.layers = &layers{port: in.port}
	}
	s.timer.owner = s
	s.linger = lingerUnits(linger)
	s.lastActive = l.now
	s.token = l.entries.add(s)
	s.interest = uint8(poll.Readable)
	if err := s.sysOpen(); err != nil {
		l.entries.remove(s.token)
		in.Discard()
		return err
	}
	l.streams.Add(1)
	return nil
}

// Abandon makes s, which was not attached, a stream that has closed: that of a connection that
// could not be made. The owner is told nothing.
func (l *Loop) Abandon(s *Stream, owner Owner) {
	s.loop, s.owner = l, owner
	s.life.shut()
}

// Loop is the loop that the stream is on.
func (s *Stream) Loop() *Loop { return s.loop }

// Owner is whom the stream tells; nil before it was attached.
func (s *Stream) Owner() Owner { return s.owner }

// Counts are the bytes received and written and the messages sent so far.
func (s *Stream) Counts() (in, out, sends uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytesIn, s.bytesOut, s.sends
}

// LastActive is the loop's time of the last input, in milliseconds. On the loop only.
func (s *Stream) LastActive() int64 {
	if s.bursting && s.loop.arrived > 0 {
		return s.loop.now // to be noted at the end of the burst
	}
	return s.lastActive
}

// Queued is the number of bytes that were sent but not written yet, files included.
func (s *Stream) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queued()
}

// Unconsumed is the number of bytes received and kept. On the loop only.
func (s *Stream) Unconsumed() int {
	if s.in == nil {
		return 0
	}
	return len(s.in.b)
}

// SetDeadline arms the deadline of an open stream at the loop's time when; 0 disarms it. On
// the loop.
func (s *Stream) SetDeadline(when int64) {
	if checking {
		s.checkDeadline()
	}
	if when == 0 {
		s.loop.disarm(&s.timer)
	} else {
		s.loop.arm(&s.timer, when)
	}
}

func (s *Stream) expire(now int64) {
	switch s.life.state() {
	case stateOpen:
		if next := s.owner.Deadline(now); next > 0 && s.isOpen() {
			s.SetDeadline(next)
		}
	case stateClosing, stateEnding:
		s.checkLinger(now)
	}
}

// Open reports whether the stream is neither closing nor closed.
func (s *Stream) Open() bool { return s.isOpen() }

// Closed reports whether Owner.Closed has been or is about to be called.
func (s *Stream) Closed() bool { return s.life.state() == stateClosed }

func (s *Stream) isOpen() bool { return s.life.state() == stateOpen }

// Waiting reports whether output waits for the peer, so that Drained will be called.
func (s *Stream) Waiting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.output.waiting
}
