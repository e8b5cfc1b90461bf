package workerman

import (
	"context"
	"sync"
)

// lifetime is the context of a loop or a connection. It is made when somebody asks for it,
// as most live and end without.
type lifetime struct {
	mu    sync.Mutex
	ctx   context.Context
	end   context.CancelCauseFunc
	cause error // not nil: it has ended
}

// context returns the context, which ends with parent at the latest.
func (l *lifetime) context(parent context.Context) context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx == nil {
		l.ctx, l.end = context.WithCancelCause(parent)
		if l.cause != nil {
			l.end(l.cause)
		}
	}
	return l.ctx
}

// over ends the context, once.
func (l *lifetime) over(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause != nil {
		return
	}
	l.cause = cause
	if l.end != nil {
		l.end(cause)
	}
}

// Context ends when the loop stops, with ErrNotRunning as its cause.
func (e *EventLoop) Context() context.Context {
	select {
	case <-e.loop.Done():
		e.life.over(ErrNotRunning)
	default:
	}
	return e.life.context(context.Background())
}

// Context ends when the worker's process stops serving, after OnWorkerStop and the close of
// the connections, with ErrNotRunning as its cause. Before the start it has ended.
func (w *Worker) Context() context.Context {
	if e := w.EventLoop(); e != nil {
		return e.Context()
	}
	return notServing.context(context.Background())
}

// notServing is the life of a worker that does not serve.
var notServing = lifetime{cause: ErrNotRunning}

// Context ends when the connection has closed, with ErrClosed as its cause: for work whose
// result nobody would get then. That of a worker's peer over UDP is its loop's.
func (c *Conn) Context() context.Context {
	loop := c.EventLoop().Context()
	if c.packets() != nil && c.Client() == nil {
		return loop
	}
	x := c.ensureRare()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.life == nil {
		x.life = new(lifetime)
		if x.closed || c.packets() == nil && c.stream.Closed() {
			x.life.cause = ErrClosed
		}
	}
	return x.life.context(loop)
}
