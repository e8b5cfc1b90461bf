package loop

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestAfterRunsOnceAndNeverEarly(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		for _, d := range []time.Duration{-time.Second, 0, 1, time.Millisecond, 1500 * time.Microsecond, 70 * time.Millisecond} {
			var runs atomic.Int32
			at := make(chan time.Time, 2)
			start := time.Now()
			timer := l.After(d, func() { runs.Add(1); at <- time.Now() })
			if took := await(t, at).Sub(start); took < d {
				t.Errorf("After(%v) ran after %v", d, took)
			}
			passed(t, l, 3*time.Millisecond)
			if n := runs.Load(); n != 1 {
				t.Errorf("After(%v) ran %d times", d, n)
			}
			if timer.Stop() {
				t.Error("Stop after the run says that it kept it from happening")
			}
		}
		if n := l.Timers(); n != 0 {
			t.Errorf("%d timers are left", n)
		}
	})
}

// The longest durations are a way to say never.
func TestVeryLongDurations(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		for _, d := range []time.Duration{math.MaxInt64, math.MaxInt64 - 5, math.MaxInt64 / 2} {
			var runs atomic.Int32
			after := l.After(d, func() { runs.Add(1) })
			every := l.Every(d, func() { runs.Add(1) })
			passed(t, l, 10*time.Millisecond)
			after.Stop()
			every.Stop()
			if n := runs.Load(); n != 0 {
				t.Errorf("%d runs within 10 ms of timers for %d ns", n, d)
			}
		}
	})
}

func TestStopKeepsARunFromHappening(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		var runs atomic.Int32
		once := l.After(20*time.Millisecond, func() { runs.Add(1) })
		often := l.Every(20*time.Millisecond, func() { runs.Add(1) })
		if n := l.Timers(); n != 2 {
			t.Errorf("%d timers, want 2", n)
		}
		for _, timer := range []*Timer{once, often} {
			if !timer.Stop() {
				t.Error("Stop before the run reports false")
			}
			if timer.Stop() {
				t.Error("the second Stop reports true")
			}
		}
		passed(t, l, 40*time.Millisecond)
		if n := runs.Load(); n != 0 || l.Timers() != 0 {
			t.Errorf("%d runs after Stop, %d timers left", n, l.Timers())
		}
	})
}

func TestStopInItsOwnRun(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		stopped := make(chan bool, 2)
		var runs atomic.Int32
		var once, often *Timer
		on(t, l, func() {
			once = l.After(time.Millisecond, func() { stopped <- once.Stop() })
		})
		if await(t, stopped) {
			t.Error("a timer that runs for the last time was stopped")
		}
		on(t, l, func() {
			often = l.Every(time.Millisecond, func() {
				if runs.Add(1) == 3 {
					stopped <- often.Stop()
				}
			})
		})
		if !await(t, stopped) {
			t.Error("Stop in the run of a repeating timer reports false")
		}
		passed(t, l, 20*time.Millisecond)
		if n := runs.Load(); n != 3 || l.Timers() != 0 {
			t.Errorf("%d runs, want 3; %d timers left", n, l.Timers())
		}
	})
}

// Stop between the moment when the loop takes the timer out and its run.
func TestStopOfATimerThatIsAboutToRun(t *testing.T) {
	l, err := New(Portable)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Run()
	defer l.Stop()
	ran := false
	timer := l.After(0, func() { ran = true })
	l.timers.wheel.advance(1000)
	taken := l.timers.wheel.pop()
	stopped := timer.Stop()
	taken.owner.expire(1000)
	if stopped == ran {
		t.Errorf("Stop reports %v, and the timer ran: %v", stopped, ran)
	}
}

func TestStopOfATimerByAnotherInTheSameTurn(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		var second *Timer
		stopped := make(chan bool, 1)
		on(t, l, func() {
			l.After(5*time.Millisecond, func() { stopped <- second.Stop() })
			second = l.After(5*time.Millisecond+time.Microsecond, func() { t.Error("ran after Stop") })
			for l.Elapsed() < 10*time.Millisecond { // both are due in the next turn
			}
		})
		if !await(t, stopped) {
			t.Error("Stop reports false")
		}
		passed(t, l, 5*time.Millisecond)
	})
}

func TestTimerWakesASleepingLoop(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		later := l.After(time.Hour, func() {})
		defer later.Stop()
		for range 20 {
			until(t, "the loop sleeps", l.sleeping.Load)
			ran := make(chan struct{})
			l.After(time.Millisecond, func() { close(ran) })
			await(t, ran)
		}
	})
}

// A long run delays the next one; it is not followed by a row of quick ones.
func TestEveryDoesNotMakeUpMissedRuns(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		const period = 10
		var starts []int64
		done := make(chan struct{})
		var timer *Timer
		on(t, l, func() {
			timer = l.Every(period*time.Millisecond, func() {
				starts = append(starts, l.Now())
				if len(starts) == 2 {
					for until := l.Now() + 7*period; int64(l.Elapsed()/time.Millisecond) < until; {
					}
				}
				if len(starts) == 6 {
					timer.Stop()
					close(done)
				}
			})
		})
		await(t, done)
		for i := 1; i < len(starts); i++ {
			gap := starts[i] - starts[i-1]
			if gap < period || i == 2 && gap < 7*period {
				t.Errorf("runs started at %v: gap %d before run %d", starts, gap, i)
			}
		}
	})
}

func TestTimersFromManyGoroutines(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		var wg sync.WaitGroup
		var expected, ran atomic.Int64
		for range 8 {
			wg.Go(func() {
				for i := range 300 {
					timer := l.After(time.Duration(i%7)*time.Millisecond, func() { ran.Add(1) })
					expected.Add(1)
					if i%3 == 0 && timer.Stop() {
						expected.Add(-1)
					}
				}
			})
		}
		wg.Wait()
		until(t, "all timers have run", func() bool { return l.Timers() == 0 })
		on(t, l, func() {})
		if ran.Load() != expected.Load() {
			t.Errorf("%d runs, want %d", ran.Load(), expected.Load())
		}
	})
}

// More timers than one turn runs are due at once.
func TestManyTimersAtOnce(t *testing.T) {
	l := startLoop(t, Native)
	const count = 3*maxTimersPerTurn + 5
	ran := 0
	done := make(chan struct{})
	on(t, l, func() {
		for range count {
			l.After(time.Millisecond, func() {
				if ran++; ran == count {
					close(done)
				}
			})
		}
	})
	await(t, done)
}
