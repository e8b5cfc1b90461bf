package workerman

import "context"

// Poster runs functions on an event loop, for as long as its context lasts: a *Conn (dropped
// if it closes before), a *Worker or an *EventLoop.
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
// done is not called; work that should end then too may use c.Context().
//
//	workerman.Async(c, func() (User, error) { return db.Find(id) }, func(u User, err error) {
//		c.Send(u.Greeting())
//	})
func Async[T any](on Poster, work func() (T, error), done func(T, error)) {
	c, ofConn := on.(*Conn)
	if ofConn {
		c.more().pending.Add(1) // it stays in this process for the result
	}
	go func() {
		if ofConn {
			defer c.more().pending.Add(-1) // also if work ends the goroutine
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
