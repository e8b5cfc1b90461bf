package loop

import (
	"syscall"

	"github.com/workerman-go/workerman/internal/poll"
)

// Sending is a transaction on the stream's lock, for every goroutine: Begin, then any
// of Reserve, Append, Share, Write and SendFile, then Commit or Abort.

// earlyFlush is how much output collects in a burst before it is written in between.
const earlyFlush = 48 << 10

// Begin locks the stream and returns the bytes queued so far; false if it is closing
// or closed, and then nothing is locked.
func (s *Stream) Begin() (queued int, ok bool) {
	s.mu.Lock()
	if !s.isOpen() || s.failed != nil {
		s.mu.Unlock()
		return 0, false
	}
	return s.queued(), true
}

// queue is the output queue to append to: the cork of the loop during a burst, which
// must be empty again at its end. Output that waits for the peer is in an own queue, and so
// is what follows a file.
func (s *Stream) queue() *outQueue {
	if s.out == nil {
		if s.flags.burst && !s.flags.waiting {
			s.out = &s.loop.corkQ
		} else {
			s.out = outQueues.Get().(*outQueue)
		}
	}
	if s.out.file != nil {
		return s.out.behindFiles()
	}
	return s.out
}

// queued is the number of bytes that wait, files, records and those in a pipe included. With s.mu held.
func (s *Stream) queued() (n int) {
	switch {
	case s.out == nil:
	case s.out.file != nil:
		n = s.out.sizeWithFiles()
	default:
		n = s.out.size
	}
	if s.layers != nil {
		n += s.piped()
	}
	if t := s.tls(); t != nil {
		n += t.sealed()
	}
	return n
}

// Reserve returns an empty slice with room for n bytes; what is written behind it
// belongs to the stream once Append takes it.
func (s *Stream) Reserve(n int) []byte { return s.queue().reserve(n) }

// Append queues p, copied unless it lies in the slice from Reserve.
func (s *Stream) Append(p []byte) { s.queue().append(p) }

// Share queues p by reference; it must never change again.
func (s *Stream) Share(p []byte) { s.queue().share(p) }

// Write sends head, body and tail as one message and copies only what cannot be
// written now: for bodies that are worth a call of their own.
func (s *Stream) Write(head, body, tail []byte) {
	if !s.flags.waiting && s.failed == nil {
		s.flush()
	}
	all := [3][]byte{head, body, tail}
	pieces := all[:]
	if len(head)+len(tail) == 0 {
		pieces = all[1:2]
	}
	for s.mayWrite() {
		rest := total(pieces)
		if rest == 0 {
			return
		}
		advance(pieces, s.write(pieces, rest))
	}
	for _, p := range pieces {
		s.Append(p)
	}
}

// mayWrite reports whether write may be called: nothing waits for the peer or for the end
// of a handshake.
func (s *Stream) mayWrite() bool {
	t := s.tls()
	return !s.flags.waiting && s.failed == nil && (t == nil || t.hs == nil)
}

// write makes one call for pieces of size bytes in all and returns how many it took. It
// notes when the peer is slow or gone.
func (s *Stream) write(pieces [][]byte, size int) (n int) {
	if t := s.tls(); t != nil {
		return t.write(pieces, size)
	}
	return s.writeOut(pieces, size)
}

// writeOut is write for what goes out as it is.
func (s *Stream) writeOut(pieces [][]byte, size int) (n int) {
	var err error
	if len(pieces) == 1 {
		n, err = s.sysWrite(pieces[0])
	} else {
		n, err = s.sysWritev(pieces)
	}
	switch {
	case err != nil && err != errAgain:
		s.broke(err)
		return 0
	case n < min(size, poll.MaxRawBytes):
		s.flags.waiting = true
	}
	s.wrote(n)
	return n
}

// wrote notes that the engine took n bytes.
func (s *Stream) wrote(n int) {
	if n > 0 {
		s.flags.wrote = true
		s.bytesOut += uint64(n)
		if !s.isOpen() {
			s.lastActive = s.loop.now
		}
	}
}

func total(pieces [][]byte) (n int) {
	for _, p := range pieces {
		n += len(p)
	}
	return n
}

// advance drops n bytes from the front of the pieces.
func advance(pieces [][]byte, n int) {
	for i := range pieces {
		k := min(n, len(pieces[i]))
		pieces[i] = pieces[i][k:]
		n -= k
	}
}

// Abort ends the transaction without sending more.
func (s *Stream) Abort() {
	if s.out != nil && s.queued() == 0 && !s.flags.burst {
		s.dropOutput()
	}
	s.mu.Unlock()
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

// Commit ends the transaction: the output leaves at the end of the burst or turn, or
// now if the loop is not at work. It reports whether limit bytes or more wait for the
// peer now.
func (s *Stream) Commit(limit int) (full bool) {
	f := &s.flags
	switch {
	case s.out == nil || f.waiting:
	case s.queued() >= min(earlyFlush, limit):
		s.flush()
	case f.burst || f.listed:
	case s.loop.collected.tryAdd(s):
		f.listed = true
	default:
		s.flush()
	}
	return s.endSending(limit)
}

func (s *Stream) endSending(limit int) (full bool) {
	full = s.queued() >= limit
	s.sends++
	s.updateInterest()
	s.mu.Unlock()
	return full
}

// CommitLater is Commit that leaves the writing to the loop. wake says that the loop
// must be woken, which a sender to many streams does once.
func (s *Stream) CommitLater(limit int) (wake, full bool) {
	f := &s.flags
	switch {
	case s.out == nil || f.waiting:
	case s.queued() >= limit:
		s.flush()
	case !f.burst && !f.listed:
		f.listed = true
		wake = s.loop.collected.add(s)
	}
	return wake, s.endSending(limit)
}

// Flush writes what is queued, in a transaction, and returns what is left.
func (s *Stream) Flush() (queued int) {
	if !s.flags.waiting {
		s.flush()
	}
	return s.queued()
}

// enlist makes the loop settle the stream soon. With s.mu held.
func (s *Stream) enlist() {
	if s.flags.burst || s.flags.listed {
		return
	}
	s.flags.listed = true
	if s.loop.collected.add(s) {
		s.loop.Wake()
	}
}

// flush writes what is queued until it is done or the peer is slow. It reports
// whether output that had to wait is now all written. With s.mu held.
func (s *Stream) flush() (drained bool) {
	drained, s.flags.waiting = s.flags.waiting, false
	t := s.tls()
	if t != nil && (!t.writeRecords() || t.hs != nil) {
		s.uncork()
		return false
	}
	if s.layers != nil && !s.drainPipe() {
		s.uncork()
		return false
	}
	budget := fileBudget
	for s.out != nil {
		switch q := s.out; {
		case q.size > 0:
			s.writeQueue(q)
		case q.file == nil, q.file.left == 0:
			s.dropQueue()
		case budget <= 0:
			s.flags.waiting = true // the next turn goes on
		default:
			budget -= s.writeFile(q.file)
		}
		if s.failed != nil {
			return false
		}
		if s.flags.waiting {
			s.uncork()
			return false
		}
	}
	if t != nil && s.failed == nil && s.state.Load() == streamClosing && !t.farewell() {
		return false
	}
	return drained
}

// writeQueue makes one call for pieces of a queue.
func (s *Stream) writeQueue(q *outQueue) {
	pieces := q.unwritten()
	size := q.size
	if len(pieces) > poll.MaxVector && s.tls() == nil {
		pieces = pieces[:poll.MaxVector]
		size = total(pieces)
	}
	if n := s.write(pieces, size); s.failed == nil {
		q.consume(n)
	}
}

// uncork moves what is left in the loop's cork to a queue of the stream's own.
func (s *Stream) uncork() {
	if s.out == nil || s.out.cork == nil {
		return
	}
	if s.queued() == 0 {
		s.dropQueue()
		return
	}
	own := outQueues.Get().(*outQueue)
	s.out.moveTo(own)
	s.out = own
}

// broke notes that writing failed; the loop closes the stream.
func (s *Stream) broke(err error) {
	s.failed = &failure{err}
	s.dropOutput()
	s.flags.waiting = false
	s.enlist()
}

const errReset = syscall.ECONNRESET
