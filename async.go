package workerman

import (
	"context"
	"sync"
	"sync/atomic"
)

// Poster runs functions on an event loop, for as long as its context lasts: a *Conn (dropped
// if it closes before), a *Worker, a *Client or an *EventLoop.
type Poster interface {
	Post(fn func()) bool
	Context() context.Context
}

var (
	_ Poster = (*Conn)(nil)
	_ Poster = (*Worker)(nil)
	_ Poster = (*EventLoop)(nil)
)

// maxAsync bounds the work that runs at the same time; the rest waits for its turn.
const maxAsync = 256

var asyncSlots = make(chan struct{}, maxAsync)

// Async runs work on a goroutine, where it may block, and then done with the result on
// on's loop. A panic of work becomes a *PanicError. At most 256 pieces of work run at the
// same time in a process. done may be nil. If on is a connection that closes meanwhile,
// done is not called; work that should end then too may use c.Context(). A request of HTTP is
// answered in done by the Responder that OnRequest has taken.
//
//	workerman.Async(c, func() (User, error) { return db.Find(id) }, func(u User, err error) {
//		c.Send(u.Greeting())
//	})
func Async[T any](on Poster, work func() (T, error), done func(T, error)) {
	c, ofConn := on.(*Conn)
	if ofConn {
		c.ensureRare().pending.Add(1) // it stays in this process for the result
	}
	go func() {
		if ofConn {
			defer c.ensureRare().pending.Add(-1) // also if work ends the goroutine
		}
		result, err := inSlot(work)
		if done != nil {
			on.Post(func() { done(result, err) })
		}
	}()
}

func inSlot[T any](work func() (T, error)) (T, error) {
	asyncSlots <- struct{}{}
	defer func() { <-asyncSlots }()
	return protect(work)
}

func protect[T any](work func() (T, error)) (result T, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	return work()
}

// AsyncAll runs several pieces of work as Async does, at most limit at the same time (0: as
// many as Async allows), and then done with all results on on's loop. values[i] and errs[i]
// are those of work[i]; errors.Join(errs...) is nil if none failed. Pieces that have not
// begun when on's context ends are not begun any more. If on is a connection that closes meanwhile,
// done is not called.
//
//	workerman.AsyncAll(c, 0, []func() (Price, error){askA, askB}, func(p []Price, errs []error) {
//		c.Send(best(p, errs))
//	})
func AsyncAll[T any](on Poster, limit int, work []func() (T, error), done func(values []T, errs []error)) {
	values, errs := make([]T, len(work)), make([]error, len(work))
	work = append(make([]func() (T, error), 0, len(work)), work...)
	go func() {
		ctx := on.Context()
		each(limit, len(work), func(i int) {
			if errs[i] = context.Cause(ctx); errs[i] == nil {
				values[i], errs[i] = inSlot(work[i])
			}
		})
		on.Post(func() { done(values, errs) })
	}()
}

// each calls fn for the numbers below n on at most limit goroutines.
func each(limit, n int, fn func(i int)) {
	if limit <= 0 || limit > maxAsync {
		limit = maxAsync
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(limit, n) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				fn(i)
			}
		})
	}
	workers.Wait()
}
