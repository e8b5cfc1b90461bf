package workerman

import "sync/atomic"

// exchangeState says where the request that a connection handles is on its way to an answer.
// It is one word of flags and a number that counts the requests, so that each step is one
// atomic operation: the loop begins requests, whoever answers claims and finishes them, and
// of several that try to answer exactly one wins.
//
//	begin ──> pending ──claim──> claimed ──finish──> over ──> begin of the next
//
// While a callback of the pending request runs, the state says so: only then Conn.Respond and
// its like, which do not say which request they mean, may claim it.
//
// The zero value is a connection that no request has come by.
type exchangeState struct{ word atomic.Uint64 }

// exchangeBits is an exchangeState at one moment.
type exchangeBits uint64

const (
	requestPending  exchangeBits = 1 << iota // a request waits for somebody who answers it
	requestClaimed                           // somebody answers; the end is not queued yet
	inputHeld                                // the loop holds later requests back until the end
	closeUnreadBody                          // an answer closes the connection: the body is too large to be read
	lastExchange                             // the connection ends with this exchange
	eventStream                              // the answer has no end but the client's departure
	takenOver                                // a handler has hijacked the connection: there is no end
	callbackRunning                          // a callback of the pending request runs

	requestActive = requestPending | requestClaimed

	requestNumberUnit exchangeBits = 1 << 8 // what is above the flags counts the requests
)

// callbackRequest stands for the number of the request whose callback runs.
const callbackRequest = 0

func (b exchangeBits) pending() bool  { return b&requestPending != 0 }
func (b exchangeBits) claimed() bool  { return b&requestClaimed != 0 }
func (b exchangeBits) active() bool   { return b&requestActive != 0 }
func (b exchangeBits) held() bool     { return b&inputHeld != 0 }
func (b exchangeBits) last() bool     { return b&lastExchange != 0 }
func (b exchangeBits) events() bool   { return b&eventStream != 0 }
func (b exchangeBits) hijacked() bool { return b&takenOver != 0 }

// closes reports whether the connection ends behind an answer that is given now.
func (b exchangeBits) closes() bool { return b&(lastExchange|closeUnreadBody) != 0 }

// number is that of the request that came last; the first one's is 1.
func (b exchangeBits) number() uint64 { return uint64(b / requestNumberUnit) }

// is reports whether the request that came last has that number, or its callback runs if
// callbackRequest is asked for.
func (b exchangeBits) is(number uint64) bool {
	if number == callbackRequest {
		return b&callbackRunning != 0
	}
	return b.number() == number
}

// mayAnswer reports whether the request of that number waits for an answer.
func (b exchangeBits) mayAnswer(number uint64) bool { return b.pending() && b.is(number) }

func (s *exchangeState) load() exchangeBits { return exchangeBits(s.word.Load()) }

// set and clear change flags and return the state before.
func (s *exchangeState) set(flags exchangeBits) exchangeBits {
	return exchangeBits(s.word.Or(uint64(flags)))
}

func (s *exchangeState) clear(flags exchangeBits) exchangeBits {
	return exchangeBits(s.word.And(^uint64(flags)))
}

func (s *exchangeState) swap(from, to exchangeBits) bool {
	return s.word.CompareAndSwap(uint64(from), uint64(to))
}

// begin makes the next request the one to be answered and returns its number. unread says
// that its body is too large to be read for nothing, callback that its callback runs now, as
// behind enterCallback. The exchange before has to be over.
func (s *exchangeState) begin(unread, callback bool) (number uint64) {
	for {
		from := s.load()
		to := (from/requestNumberUnit+1)*requestNumberUnit | requestPending | from&lastExchange
		if unread {
			to |= closeUnreadBody
		}
		if callback {
			to |= callbackRunning
		}
		if s.swap(from, to) {
			return to.number()
		}
	}
}

// enterCallback notes that a callback of the request of that number begins. It reports false
// if the request has been answered, or a callback of it runs already.
func (s *exchangeState) enterCallback(number uint64) bool {
	for {
		from := s.load()
		if !from.mayAnswer(number) || from.is(callbackRequest) {
			return false
		}
		if s.swap(from, from|callbackRunning) {
			return true
		}
	}
}

// leaveCallback notes that the callback has returned.
func (s *exchangeState) leaveCallback() {
	if s.load().is(callbackRequest) {
		s.clear(callbackRunning)
	}
}

// claim takes the right to answer the request of that number, with a stream of events or
// with an answer that ends. It reports false if the request is not pending any more.
func (s *exchangeState) claim(number uint64, events bool) (before exchangeBits, ok bool) {
	for {
		from := s.load()
		if !from.mayAnswer(number) {
			return from, false
		}
		// The request stays active until the answer is queued, so that no later answer
		// gets before it.
		to := from&^requestPending | requestClaimed
		if events {
			to |= eventStream
		}
		if s.swap(from, to) {
			return from, true
		}
	}
}

// finish ends the exchange. The state before says whether the connection ends with it and
// whether the loop holds input back.
func (s *exchangeState) finish() (before exchangeBits) {
	return s.clear(requestActive | inputHeld | eventStream | callbackRunning)
}

// holdInput notes that the loop holds later requests back until the exchange is over. It
// reports false if it is over already, and maybe ended without having seen the note.
func (s *exchangeState) holdInput() bool {
	s.set(inputHeld)
	if !s.load().active() {
		s.clear(inputHeld)
		return false
	}
	return true
}

// bodyComplete notes that an answer need not close the connection because of the body: that
// has arrived, or the client was invited to send it.
func (s *exchangeState) bodyComplete() (before exchangeBits) { return s.clear(closeUnreadBody) }

// markLast makes the exchange, or the next one if none is active, the connection's last.
func (s *exchangeState) markLast() (before exchangeBits) { return s.set(lastExchange) }

// hijack notes that a handler has taken the connection out of HTTP for good.
func (s *exchangeState) hijack() { s.set(takenOver) }
