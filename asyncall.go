package workerman

import (
	"context"
	"sync"
	"sync/atomic"
)

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
