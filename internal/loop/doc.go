// Package loop is one event loop and the byte streams, listeners, datagram sockets
// and timers on it. It knows bytes; messages, workers and protocols are above it.
//
// # Model
//
// A Loop is one goroutine that runs turns: wait for events, serve each of them, run
// due timers, run posted functions, and write what was collected for sending. All
// calls to owners (Owner, Acceptor, Receiver) and all timers and posted functions run
// on that goroutine, one at a time. Work in a turn is bounded, so that no connection
// starves another.
//
// # Memory
//
// Each loop has one read buffer, which is lent upwards; only an incomplete rest is
// kept by its stream. What is sent while a stream's input is served (a burst) goes
// into one cork buffer of the loop and leaves in one write at the end of the burst.
// An idle stream owns no buffer.
//
// # TLS
//
// StartTLS puts a layer of crypto/tls between a stream and its socket. Owners see and send
// bytes in clear as before. A handshake has a goroutine while it lasts; afterwards everything
// runs on the loop or on the sender's goroutine.
//
// # Engines
//
// Native is epoll with raw system calls (Linux). Portable runs goroutines over package
// net and reports readiness to the same loop: every other line of this package serves
// both, and the test suite runs on both.
//
// # Life of a stream
//
// A stream is open, then closing while its output is written, then ending while the peer
// takes it, then closed; any of these may end at once. Detach takes an open stream off its
// loop; then it is released, or reattached and open again. The transitions are methods of
// life. What only an end needs to know is in closing, made when it begins.
//
// # Invariants
//
// Owners and callers may rely on these, and programs that are built with the race
// detector check them.
//
//   - A message is sent by a transaction (Tx): Begin locks the stream, and exactly one of the
//     ends of the transaction unlocks it. Nothing is appended without one.
//   - Receive answers with want 0 or with more bytes than it has left.
//   - A loop has one burst at a time. No owner makes another stream call its owner: what it
//     does to another stream is done at the end of that stream's burst or of the turn.
//   - Output that is queued has somebody who will write it: the end of the burst, the
//     collector's list, the engine's event of room, or the end of a handshake. waiting says
//     that it is the engine, and that Drained follows.
//   - A stream has one timer: the owner's deadline while it is open, the clock of its close
//     afterwards. An owner sets no deadline once that clock runs.
//   - Post that returns true need not run: the loop may stop before. What must not be lost
//     is not handed over by Post alone.
//
// # Locks
//
// Stream.mu protects what senders on other goroutines touch: state, output queue,
// interest. Order: Stream.mu, then the loop's collect lock or its timer lock. No owner
// method is called with a lock held. The locks of a tls.Conn come after Stream.mu, but before
// it during its handshake: until that is done nobody else calls the tls.Conn.
package loop
