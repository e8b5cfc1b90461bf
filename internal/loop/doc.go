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
// # Locks
//
// Stream.mu protects what senders on other goroutines touch: state, output queue,
// interest. Order: Stream.mu, then the loop's collect lock or its timer lock. No owner
// method is called with a lock held. The locks of a tls.Conn come after Stream.mu, but before
// it during its handshake: until that is done nobody else calls the tls.Conn.
package loop
