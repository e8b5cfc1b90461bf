// Package poll is the thinnest layer over the kernel: readiness (epoll) and the
// socket calls of the event loop.
//
// On Linux the calls that cannot block (read, write, accept on non-blocking
// sockets, a wait with timeout zero) enter the kernel raw, without telling the Go
// scheduler: the wrapped form costs 45-60 ns more and wakes the runtime's monitor
// thread, which then takes processor slots away. Only a wait that may block goes
// through the scheduler. On other systems this package holds the vocabulary alone;
// package loop has a portable engine there.
package poll

// Events is a set of readiness conditions. The values are those of epoll, so that
// no conversion is needed on the hot path.
type Events uint32

const (
	Readable Events = 0x1  // input or end of input is there
	Writable Events = 0x4  // the send buffer has room
	Failed   Events = 0x8  // the socket has an error
	HungUp   Events = 0x10 // both directions are shut
)

// Token identifies the receiver of an event: an index into the loop's table and the
// generation of that entry. An event of an earlier generation is stale and dropped.
type Token struct {
	Index, Gen uint32
}

// Event is one readiness report.
type Event struct {
	Events Events
	Token  Token
}

// MaxEvents is the most events that one wait reports.
const MaxEvents = 512

const (
	// MaxRawBytes caps one read or write: the collector cannot stop a goroutine inside a
	// raw call, so none may take long.
	MaxRawBytes = 256 << 10
	// MaxVector is the most pieces that one vector write takes.
	MaxVector = 64
)
