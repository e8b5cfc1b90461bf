// Package handover moves connections from one process to another while their peers notice nothing.
//
// # Model
//
// Two processes share a stream socket, the link. The old process calls Send, the new one Receive.
// Send works through the connections in rounds: it detaches some of them from their loop, offers
// them as a batch, and waits for the answer. Those that the new process has taken are released,
// the others are reattached and go on as if nothing had happened. A connection that is in the
// middle of something is asked again in the next round.
//
// A connection travels as its descriptor and a State, which is everything that the new process
// needs to go on with it. Receive decodes the states, asks its caller to restore each of them,
// answers, and only then has those that were taken adopted by a loop.
//
// # Seams
//
// The package knows no connection and no loop. Source and Conn are what Send moves, Loop is where
// that runs, and Incoming is what Receive has made of a State. The words are those of package loop:
// detach, reattach, release, adopt.
//
// # Failures
//
// Whatever happens to the link or to one of the processes, exactly one of them serves each
// connection afterwards: see the comment on the link.
package handover
