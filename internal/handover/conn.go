package handover

// Verdict says whether a connection can move to another process.
type Verdict int

const (
	// MovesNow is for a connection that was detached.
	MovesNow Verdict = iota
	// MovesLater is for one that can move when what goes on has ended, perhaps in a moment.
	MovesLater
	// MovesNever is for one that stays with its process.
	MovesNever
)

// Loop runs functions one after the other, as *loop.Loop does.
type Loop interface {
	// Post has fn run on the loop soon; false if the loop has ended.
	Post(fn func()) bool
	// Done is closed when the loop has ended.
	Done() <-chan struct{}
}

// Conn is a connection of the old process. Its methods are called on its loop, between callbacks.
type Conn interface {
	// Detach takes the connection off its loop, if it can move, and appends the binary form of its
	// State to dst. fd is the socket, which stays the connection's. Only after MovesNow the
	// connection is detached, and Reattach or Release follows.
	Detach(dst []byte) (state []byte, fd int, v Verdict)
	// Reattach puts the connection back on its loop, as if it had never been off.
	Reattach()
	// Release forgets the connection, which the new process has.
	Release()
}

// Source is a process whose connections move. Its methods are called by Send, on its goroutine.
type Source interface {
	// Connections lists the connections by the loops that they are on.
	Connections() map[Loop][]Conn
	// Settle waits until the loops have run what was posted to them, but not for one that a
	// callback holds.
	Settle()
	// Stopping reports whether the process ends, so that no further round is worth it.
	Stopping() bool
}

// Incoming is a connection that was restored of its State, and is on no loop yet.
type Incoming interface {
	// Adopt puts the connection on a loop. Its socket is fd, which belongs to it from then on.
	Adopt(fd int)
}
