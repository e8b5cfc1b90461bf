package workerman

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/websocket"
)

var (
	// ErrClosed is returned for a connection that is closing or closed.
	ErrClosed = errors.New("connection closed")
	// ErrBufferFull is returned by Send when MaxSendBuffer bytes wait for the peer
	// already; the message was not accepted.
	ErrBufferFull = errors.New("send buffer full")
	// ErrTooLarge closes a connection whose message exceeds MaxPackageSize, and refuses
	// a datagram of more than 65507 bytes.
	ErrTooLarge = errors.New("message too large")
	// ErrIdle closes a connection that was silent for IdleTimeout, or a WebSocket that did not
	// answer a ping.
	ErrIdle = errors.New("idle timeout")
	// ErrHandshake closes a connection that was not ready in HandshakeTimeout.
	ErrHandshake = errors.New("handshake timeout")
	// ErrLinger ends a close whose peer took nothing for LingerTimeout.
	ErrLinger = errors.New("peer did not take in time what was sent before the close")
	// ErrDestroyed is the reason after Destroy.
	ErrDestroyed = errors.New("destroyed")
	// ErrSkip is returned by a Protocol's Decode for a frame that it has dealt with
	// itself; OnMessage is not called.
	ErrSkip = errors.New("frame without a message")
	// ErrNoRequest is returned for an answer to which there is no request: it has its answer,
	// or the connection does not speak HTTP.
	ErrNoRequest = errors.New("no request waits for an answer")
	// ErrNotRunning is returned where a running service is needed.
	ErrNotRunning = errors.New("not running")
)

// errRestarting ends connections whose process has a successor.
var errRestarting = errors.New("server restarts")

// PanicError is a panic of a callback, a timer or of work given to Async.
type PanicError struct {
	Value any
	Stack []byte
}

func newPanicError(v any) *PanicError { return &PanicError{Value: v, Stack: debug.Stack()} }

// Error tells the value that was panicked with.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// StartError says which worker could not start, where and why.
type StartError struct {
	Worker  string
	Address string
	Err     error
}

// Error is one line with the worker, its address and the cause.
func (e *StartError) Error() string {
	return fmt.Sprintf("worker %q (%s): %v", e.Worker, e.Address, e.Err)
}

// Unwrap returns the cause, often a syscall.Errno.
func (e *StartError) Unwrap() error { return e.Err }

// publicError turns an error of the loop or a codec into one of this package.
func publicError(err error) error {
	switch {
	case errors.Is(err, loop.ErrLinger):
		return ErrLinger
	case errors.Is(err, loop.ErrDestroyed):
		return ErrDestroyed
	case errors.Is(err, websocket.ErrCloseSent):
		return ErrClosed
	}
	return err
}
