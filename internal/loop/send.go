package loop

// Tx is a message on its way into a stream's output. It holds the lock of the stream, so that
// messages of several goroutines are never mixed and each is accepted as a whole or not at
// all: Begin, then any of Reserve, Append, Share, Write and SendFile, then exactly one of
// Commit, CommitLater, CommitClose and Abort, on the same goroutine and soon. After that it is
// of no use. It is a value without memory of its own.
type Tx struct{ s *Stream }

// earlyFlush is how much output collects in a burst before it is written in between.
const earlyFlush = 48 << 10

// Begin locks the stream for a message; false if it is closing or closed, and then nothing
// is locked. Any goroutine may call it.
func (s *Stream) Begin() (tx Tx, ok bool) {
	s.mu.Lock()
	if !s.isOpen() || s.hasFailed() {
		s.mu.Unlock()
		return Tx{}, false
	}
	if checking {
		s.sending = true
	}
	return Tx{s}, true
}

// Stream is the stream that the message is for.
func (t Tx) Stream() *Stream { return t.s }

// Queued is the number of bytes that were sent but not written yet, files included.
func (t Tx) Queued() int {
	if checking {
		t.check()
	}
	return t.s.queued()
}

// Bursting reports whether the loop is serving the stream right now.
func (t Tx) Bursting() bool {
	if checking {
		t.check()
	}
	return t.s.bursting
}

// Reserve returns an empty slice with room for n bytes; what is written behind it
// belongs to the stream once Append takes it.
func (t Tx) Reserve(n int) []byte {
	if checking {
		t.check()
	}
	return t.s.queue().reserve(n)
}

// Append queues p, copied unless it lies in the slice from Reserve.
func (t Tx) Append(p []byte) {
	if checking {
		t.check()
	}
	t.s.queue().append(p)
}

// Share queues p by reference; it must never change again.
func (t Tx) Share(p []byte) {
	if checking {
		t.check()
	}
	t.s.queue().share(p)
}

// Write sends head, body and tail as one message and copies only what cannot be
// written now: for bodies that are worth a call of their own.
func (t Tx) Write(head, body, tail []byte) {
	if checking {
		t.check()
	}
	s := t.s
	if !s.output.waiting && !s.hasFailed() {
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
		advance(pieces, s.submit(pieces, rest))
	}
	for _, p := range pieces {
		t.Append(p)
	}
}

// Flush writes what is queued, as far as the peer takes it, and returns what is left.
func (t Tx) Flush() (queued int) {
	if checking {
		t.check()
	}
	if !t.s.output.waiting {
		t.s.flush()
	}
	return t.s.queued()
}

func (t Tx) flush() (queued int) {
	t.s.flush()
	return t.s.queued()
}

// Abort ends the transaction without sending more.
func (t Tx) Abort() {
	if checking {
		t.checkEnd()
	}
	s := t.s
	if s.out != nil && s.queued() == 0 && !s.bursting {
		s.dropOutput()
	}
	if checking {
		s.checkSettles()
	}
	s.mu.Unlock()
}

// Commit ends the transaction: the output leaves at the end of the burst or turn, or
// now if the loop is not at work. It reports whether limit bytes or more wait for the
// peer now.
func (t Tx) Commit(limit int) (full bool) {
	if checking {
		t.checkEnd()
	}
	s := t.s
	queued := s.queued()
	switch {
	case s.out == nil || s.output.waiting:
	case queued >= min(earlyFlush, limit):
		queued = t.flush()
	case s.bursting || s.listed:
	case s.loop.collected.tryAdd(s):
		s.listed = true
	default:
		queued = t.flush()
	}
	t.end()
	return queued >= limit
}

// CommitLater is Commit that leaves the writing to the loop. wake says that the loop
// must be woken, which a sender to many streams does once.
func (t Tx) CommitLater(limit int) (wake, full bool) {
	if checking {
		t.checkEnd()
	}
	s := t.s
	queued := s.queued()
	switch {
	case s.out == nil || s.output.waiting:
	case queued >= limit:
		queued = t.flush()
	case !s.bursting && !s.listed:
		s.listed = true
		wake = s.loop.collected.add(s)
	}
	t.end()
	return wake, queued >= limit
}

// CommitClose ends the transaction and starts an orderly close behind what was sent.
func (t Tx) CommitClose() {
	if checking {
		t.checkEnd()
	}
	t.s.startClose()
	t.s.mu.Unlock()
}

func (t Tx) end() {
	s := t.s
	s.sends++
	s.updateInterest()
	if checking {
		s.checkSettles()
	}
	s.mu.Unlock()
}
