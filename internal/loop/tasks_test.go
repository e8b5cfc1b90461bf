package loop

import (
	"slices"
	"sync"
	"testing"
	"time"
)

func TestPostKeepsTheOrderOfEachGoroutine(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		const senders, each = 8, 2000
		var last [senders]int // on the loop
		var wg sync.WaitGroup
		for g := range senders {
			wg.Go(func() {
				for i := range each {
					ok := l.Post(func() {
						if last[g] != i {
							t.Errorf("function %d of sender %d ran as number %d", i, g, last[g])
						}
						last[g]++
					})
					if !ok {
						t.Error("Post reports that the running loop has stopped")
					}
				}
			})
		}
		wg.Wait()
		on(t, l, func() {})
		for g, n := range last {
			if n != each {
				t.Errorf("%d of %d functions of sender %d ran", n, each, g)
			}
		}
	})
}

func TestPostFromPostedFunctionRunsBehindTheOthers(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		var order []string
		done := make(chan struct{})
		on(t, l, func() {
			l.Post(func() {
				order = append(order, "a")
				l.Post(func() { order = append(order, "from a"); close(done) })
			})
			l.Post(func() { order = append(order, "b") })
		})
		await(t, done)
		if want := []string{"a", "b", "from a"}; !slices.Equal(order, want) {
			t.Errorf("ran %v, want %v", order, want)
		}
	})
}

// A function that posts itself again and again waits for the next turn each time, so
// timers run in between.
func TestPostingForEverDoesNotStarveTimers(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		fired := false // on the loop
		done := make(chan struct{})
		l.After(5*time.Millisecond, func() { fired = true })
		var again func()
		again = func() {
			if fired {
				close(done)
				return
			}
			l.Post(again)
		}
		l.Post(again)
		await(t, done)
	})
}

func TestPostWakesASleepingLoop(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		for range 100 {
			until(t, "the loop sleeps", l.sleeping.Load)
			on(t, l, func() {})
		}
	})
}

// The queue of a storm is not kept.
func TestTasksAreAllRunAfterAStorm(t *testing.T) {
	var q tasks
	ran := 0
	for range 3 * maxSpareTasks {
		q.push(func() { ran++ })
	}
	q.run(new(pulse))
	if ran != 3*maxSpareTasks || q.any() {
		t.Errorf("%d of %d ran", ran, 3*maxSpareTasks)
	}
	if cap(q.spare) > maxSpareTasks || cap(q.queue) > maxSpareTasks {
		t.Errorf("room for %d and %d functions is kept", cap(q.spare), cap(q.queue))
	}
}
