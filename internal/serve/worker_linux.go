package serve

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// supervised is what a master wants of a program beyond what all systems do.
type supervised interface {
	// Take returns what this process is to serve. It is an error if this version of the program
	// has no worker of that key.
	Take(Assignment) (Worker, error)
}

// Assignment is what the master wants of this process.
type Assignment struct {
	Key     string // the worker in the master's Plan
	Slot    int    // the worker's id, from 0 to Count-1
	Base    uint64 // connection ids begin above it
	Secret  []byte // the same in all processes, for what they have to agree on
	Sockets *Sockets
	// Reload asks the master for a reload of the whole program. It returns at once, and may be
	// called from any goroutine.
	Reload func() error
}

// Worker is what one process under a master serves: a worker, those inside of it, and the
// program's clients and timers. Its methods may be called from any goroutine, also before
// Serve and after it.
type Worker interface {
	// Name is the worker's, "none" if there are only clients and timers.
	Name() string
	// Recycle says when the process has served long enough.
	Recycle() Recycle

	// Serve serves until ctx ends or a stop is asked for. ready is called once everything
	// serves, with a context that ends when the stop begins.
	Serve(ctx context.Context, ready func(stopping context.Context)) error
	// Stop asks for the end of Serve and returns at once. Before Serve it does nothing.
	Stop()

	// Inside lists what is served besides the worker.
	Inside() []control.Worker
	// Connections is the number of incoming connections.
	Connections() int
	// Figures, WriteConnections and WriteStack answer questions without waiting for a loop.
	Figures() control.Figures
	WriteConnections(w io.Writer, f control.Filter) error
	WriteStack(w io.Writer) error

	// OnReload runs the callback of a reload, and returns a channel that is closed when that
	// has returned. It is nil if there is nothing to wait for.
	OnReload() (done <-chan struct{})
	// StopListening stops accepting, and returns when all connections that were accepted are
	// known: none of them may be overlooked by Drain or HandOver.
	StopListening()
	// FreeAddresses makes the addresses free for others at once, even if a callback holds a
	// loop that is accepting.
	FreeAddresses()
	// Drain waits until the connections have left, for limit at most, and sees to it that they
	// do; if graceful is set only where nobody notices. left is told how many there are.
	Drain(limit time.Duration, graceful bool, left func(int))
	// HandOver moves connections over link to a process that runs Adopt on its other end, and
	// closes link. progress is told how many have moved and how many may still do so.
	HandOver(link *net.UnixConn, deadline time.Time, progress func(moved, left int)) error
	// Adopt takes the connections that HandOver moves, and closes link.
	Adopt(link *net.UnixConn) error
}

// Recycle says when a process has served long enough. Zero values mean never.
type Recycle struct {
	Requests uint64        // messages received
	Memory   int64         // resident bytes
	Age      time.Duration // since it became ready, to which up to a tenth is added by chance
}
