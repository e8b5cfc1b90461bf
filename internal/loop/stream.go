package loop

import (
	"errors"
	"io"
	"math"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workerman-go/workerman/internal/poll"
)

// Owner is told what happens on a stream, on the loop, one call at a time.
type Owner interface {
	// Receive gets all bytes that were not consumed yet, lent until it returns. It
	// returns how many it consumed and, if it knows, the size of the message that the
	// rest begins with. Sends meanwhile leave in one write after the last Receive of
	// the event.
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

// States of a stream. They are written with Stream.mu held and read anywhere.
const (
	streamOpen    = iota
	streamClosing // what was sent is still being written
	streamEnding  // end of stream sent; waiting for the peer to take it
	streamClosed
	streamMoving // off its loop, on the way to another process: see Detach
)

// Stream is a two-way byte stream on a loop. It is embedded in what it serves.
type Stream struct {
	loop  *Loop
	owner Owner
	in    *inBuffer // received and not consumed, nil if nothing
	timer node

	// layers is nil for a descriptor of the native engine in clear. The loop writes it,
	// with mu held.
	layers *layers

	mu        sync.Mutex // guards what follows, for senders on other goroutines
	out       *outQueue  // nil if nothing is queued
	failed    *failure   // why the loop has to close the stream, nil if it has not
	fd        int32
	token     poll.Token
	state     atomic.Uint32
	pauses    atomic.Uint32
	attention atomic.Uint32 // bits for the owner
	interest  uint8         // poll.Events in the engine
	flags     flags

	linger     uint16 // in units of lingerUnit
	backlog    int32  // bytes received and not consumed; while closing: what the peer had not taken at the last look
	lastActive int64  // when something was received; while closing: when the peer last took something
	bytesIn    uint64
	bytesOut   uint64
	sends      uint64
}

// failure holds an error; most streams never have one, so it costs them one word. While a
// stream moves it is what has to follow if it comes back: without an error a close.
type failure struct{ err error }

// flags of a stream, guarded by its lock.
type flags struct {
	burst     bool // served right now: output stays in the cork until the end
	listed    bool // in the loop's collector
	waiting   bool // output waits for the peer; Drained will be called
	resumed   bool // reading was paused and goes on
	parked    bool // the engine does not watch the socket at all
	ended     bool // the peer sent its end of stream
	endTold   bool // EndOfInput was called
	wrote     bool // something was ever sent
	lingering bool // the wait of a close has begun
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

// Abandon makes s a stream that has closed before it was attached: what came to nothing.
// The owner hears nothing.
func (l *Loop) Abandon(s *Stream, owner Owner) {
	s.loop, s.owner = l, owner
	s.state.Store(streamClosed)
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
	if s.flags.burst && s.loop.arrived > 0 {
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

// SetDeadline arms the stream's deadline at the loop's time when; 0 disarms it.
func (s *Stream) SetDeadline(when int64) {
	if when == 0 {
		s.loop.disarm(&s.timer)
	} else {
		s.loop.arm(&s.timer, when)
	}
}

func (s *Stream) expire(now int64) {
	switch s.state.Load() {
	case streamOpen:
		if next := s.owner.Deadline(now); next > 0 && s.isOpen() {
			s.SetDeadline(next)
		}
	case streamClosing, streamEnding:
		if s.flags.lingering { // else the close was asked for in this turn
			s.checkLinger(now)
		}
	}
}

// Open reports whether the stream is neither closing nor closed.
func (s *Stream) Open() bool { return s.isOpen() }

// Closed reports whether Owner.Closed has been or is about to be called.
func (s *Stream) Closed() bool { return s.state.Load() == streamClosed }

func (s *Stream) isOpen() bool { return s.state.Load() == streamOpen }

// onLoop reports whether the stream has its place on the loop.
func (s *Stream) onLoop() bool {
	state := s.state.Load()
	return state != streamClosed && state != streamMoving
}

// Pause stops reading for a reason, one of the lower 31 bits; several reasons add up. Any goroutine may call it; in Receive it takes effect at once.
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
		s.flags.resumed = true
		s.enlist()
	}
}

// Continue is Resume that hands over what was kept in any case, for an owner that left
// input alone without a pause. Any goroutine may call it.
func (s *Stream) Continue(reason uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pauses.And(^reason)
	if s.isOpen() {
		s.flags.resumed = true
		s.enlist()
	}
}

// Bursting reports, in a transaction, whether the loop is serving the stream right now.
func (s *Stream) Bursting() bool { return s.flags.burst }

// Paused reports whether any reason to pause is there.
func (s *Stream) Paused() bool { return s.pauses.Load() != 0 }

// Waiting reports whether output waits for the peer, so that Drained will be called.
func (s *Stream) Waiting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flags.waiting
}

// updateInterest tells the engine what to watch, if that changed. With s.mu held. In
// the middle of a burst it waits for the end, so that pause and resume cost nothing.
func (s *Stream) updateInterest() {
	f := &s.flags
	if f.burst || !s.onLoop() {
		return
	}
	var want poll.Events
	if !f.ended && (!s.Paused() || !s.isOpen()) {
		want |= poll.Readable
	}
	if f.waiting {
		want |= poll.Writable
	}
	if uint8(want) != s.interest || f.parked && want != 0 {
		s.interest = uint8(want)
		s.sysInterest(want)
	}
}

// ready serves one event of the engine.
func (s *Stream) ready(ev poll.Events) {
	if ev&poll.Writable != 0 {
		s.settle(true)
	}
	broken := ev&(poll.Failed|poll.HungUp) != 0
	switch state := s.state.Load(); {
	case state == streamClosed:
	case state != streamOpen:
		if broken && s.flags.ended {
			s.fail(s.sysError())
		} else if ev != poll.Writable {
			s.discard()
		}
	case s.Paused() || s.flags.ended:
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
	if err := s.sysError(); err != nil || s.flags.ended {
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
	s.mu.Lock()
	s.flags.burst = true
	s.mu.Unlock()
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
		s.flags.resumed = true // nothing but this list would bring the loop back
		s.enlist()
		s.mu.Unlock()
	}
}

// endBurst writes what was sent meanwhile.
func (s *Stream) endBurst(ended bool) {
	s.mu.Lock()
	s.flags.burst = false
	s.flags.ended = s.flags.ended || ended
	if s.loop.arrived > 0 && s.isOpen() {
		s.lastActive = s.loop.now
	}
	s.bytesIn += s.loop.arrived
	s.loop.arrived = 0
	if s.isOpen() {
		s.backlog = int32(min(s.Unconsumed(), math.MaxInt32))
	}
	s.settleLocked(false)
	if ended {
		s.tellEnd()
	}
}

// tellEnd passes the end of the input on, once, and not before everything in front of
// it was delivered.
func (s *Stream) tellEnd() {
	if !s.flags.endTold && !s.Paused() && s.isOpen() {
		s.flags.endTold = s.owner.EndOfInput()
	}
}

// goOn hands over what was kept while reading was paused.
func (s *Stream) goOn() {
	if s.in != nil && !s.Paused() && s.isOpen() {
		s.mu.Lock()
		s.flags.burst = true
		s.mu.Unlock()
		s.redeliver()
		s.endBurst(false)
	}
	if t := s.tls(); t != nil && t.pending() && !s.Paused() && s.isOpen() {
		s.loop.dry = true // the engine reports what the socket holds
		s.receive()
	}
	if s.flags.ended {
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
	f := &s.flags
	f.listed = false
	if !s.onLoop() || f.burst {
		s.mu.Unlock()
		return
	}
	drained := false
	if writable || !f.waiting {
		drained = s.flush()
	}
	s.updateInterest()
	state, failed, empty := s.state.Load(), s.failed, s.queued() == 0
	resumed := f.resumed
	f.resumed = false
	s.mu.Unlock()
	switch {
	case failed != nil:
		s.shut(failed.err)
		return
	case drained && state == streamOpen:
		s.owner.Drained()
	}
	if bits := s.TakeAttention(); bits != 0 {
		s.owner.Attention(bits)
	}
	if state == streamClosing {
		s.closeOn(empty)
	} else if resumed {
		s.goOn()
	}
}

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
	if s.state.Load() == streamClosed {
		s.mu.Unlock()
		return
	}
	if port := s.port(); err == nil && port != nil {
		err = port.failure() // a write that failed after the last look
	}
	s.state.Store(streamClosed)
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
