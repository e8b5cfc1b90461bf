package loop

import (
	"fmt"

	"github.com/workerman-go/workerman/internal/poll"
)

// The streams of a program that is built with the race detector check the invariants in the
// package's documentation, and panic where one is broken. Other programs have no trace of that.

func violated(format string, args ...any) { panic("loop: " + fmt.Sprintf(format, args...)) }

// check panics if the transaction has ended.
func (t Tx) check() {
	if !t.s.sending {
		violated("a send transaction is used after its end")
	}
}

// checkEnd notes that the transaction ends, and panics if it has ended before.
func (t Tx) checkEnd() {
	t.check()
	t.s.sending = false
}

// checkReceived panics if an answer of Owner.Receive to n bytes cannot be right.
func checkReceived(n, used, want int) {
	if used < 0 || used > n {
		violated("Receive used %d of %d bytes", used, n)
	}
	if want != 0 && want <= n-used {
		violated("Receive wants a message of %d bytes and has left %d", want, n-used)
	}
}

// checkBurst panics if the loop is in the burst of another stream. That of a handshake's end
// goes on as one of input.
func (s *Stream) checkBurst() {
	if serving := s.loop.serving; serving != nil && serving != s {
		violated("a burst begins in the middle of another one")
	}
	s.loop.serving = s
}

// checkSettles panics if nobody will write what is queued. With s.mu held.
func (s *Stream) checkSettles() {
	watched := s.output.waiting && s.interest&uint8(poll.Writable) != 0
	if s.bursting || s.listed || watched || !s.life.onLoop() || s.hasFailed() {
		return
	}
	t := s.tls()
	if shaking := t != nil && t.hs != nil; s.output.waiting || s.queued() > 0 && !shaking {
		violated("nobody will write the %d bytes that are queued", s.queued())
	}
}

// checkDeadline panics if the owner's deadline would take the clock of a close.
func (s *Stream) checkDeadline() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing != nil && s.closing.lingering && s.life.onLoop() {
		violated("a deadline is set for a stream that waits for its close")
	}
}
