package loop

import (
	"syscall"

	"github.com/workerman-go/workerman/internal/poll"
)

// What was sent is drained from the front: records that are encrypted already, what is in a
// pipe of the kernel, then queues and files in turn. Everything here runs with Stream.mu held.

// queue is the output queue to append to: the cork of the loop during a burst, which
// must be empty again at its end. Output that waits for the peer is in an own queue, and so
// is what follows a file.
func (s *Stream) queue() *outQueue {
	if s.out == nil {
		if s.bursting && !s.output.waiting {
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

// queued is the number of bytes that wait; files, records and what is in a pipe count.
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

// mayWrite reports whether submit may be called: nothing waits for the peer or for the end
// of a handshake.
func (s *Stream) mayWrite() bool {
	t := s.tls()
	return !s.output.waiting && !s.hasFailed() && (t == nil || t.hs == nil)
}

// submit makes one call for pieces of size bytes in all and returns how many it took. It
// notes when the peer is slow or gone.
func (s *Stream) submit(pieces [][]byte, size int) (n int) {
	if t := s.tls(); t != nil {
		return t.seal(pieces, size)
	}
	return s.writeVector(pieces, size)
}

// writeVector is submit for what goes out as it is.
func (s *Stream) writeVector(pieces [][]byte, size int) (n int) {
	var err error
	if len(pieces) == 1 {
		n, err = s.sysWrite(pieces[0])
	} else {
		n, err = s.sysWritev(pieces)
	}
	switch {
	case err != nil && err != errAgain:
		s.noteFailure(err)
		return 0
	case n < min(size, poll.MaxRawBytes):
		s.output.waiting = true
	}
	s.noteWritten(n)
	return n
}

// noteWritten notes that the engine took n bytes.
func (s *Stream) noteWritten(n int) {
	if n > 0 {
		s.output.sent = true
		s.bytesOut += uint64(n)
		if s.closing != nil {
			s.closing.progress = s.loop.now
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

// enlist makes the loop settle the stream soon.
func (s *Stream) enlist() {
	if s.bursting || s.listed {
		return
	}
	s.listed = true
	if s.loop.collected.add(s) {
		s.loop.Wake()
	}
}

// flush writes what is queued until it is done or the peer is slow. It reports
// whether output that had to wait is now all written.
func (s *Stream) flush() (drained bool) {
	drained, s.output.waiting = s.output.waiting, false
	t := s.tls()
	if t != nil && (!t.drainRecords() || t.hs != nil) {
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
			s.drainQueue(q)
		case q.file == nil, q.file.left == 0:
			s.dropQueue()
		case budget <= 0:
			s.output.waiting = true // the next turn goes on
		default:
			budget -= s.drainFile(q.file)
		}
		if s.hasFailed() {
			return false
		}
		if s.output.waiting {
			s.uncork()
			return false
		}
	}
	if t != nil && !s.hasFailed() && s.life.state() == stateClosing && !t.farewell() {
		return false
	}
	return drained
}

// drainQueue makes one call for pieces of a queue.
func (s *Stream) drainQueue(q *outQueue) {
	pieces := q.unwritten()
	size := q.size
	if len(pieces) > poll.MaxVector && s.tls() == nil {
		pieces = pieces[:poll.MaxVector]
		size = total(pieces)
	}
	if n := s.submit(pieces, size); !s.hasFailed() {
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

// noteFailure notes that writing failed, or is to end; the loop closes the stream.
func (s *Stream) noteFailure(err error) {
	s.setFailure(err)
	s.dropOutput()
	s.output.waiting = false
	s.enlist()
}

const errReset = syscall.ECONNRESET
