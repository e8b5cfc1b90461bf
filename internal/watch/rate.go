package watch

import (
	"sync"
	"time"
)

// rate tells how fast a counter has grown over the last seconds. Any goroutine may ask.
type rate struct {
	mu      sync.Mutex
	samples [rateSeconds + 1]sample
	taken   int
}

// sample is the counter at a time.
type sample struct {
	at    time.Time
	count uint64
}

// rateSeconds is how far is looked back.
const rateSeconds = 5

// sample notes the counter, unless that was done less than a second ago.
func (r *rate) sample(now time.Time, count uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken > 0 && now.Sub(r.samples[(r.taken-1)%len(r.samples)].at) < time.Second {
		return
	}
	r.samples[r.taken%len(r.samples)] = sample{now, count}
	r.taken++
}

// perSecond is the growth since the oldest sample, 0 without one.
func (r *rate) perSecond(now time.Time, count uint64) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	oldest := r.samples[0]
	if r.taken > len(r.samples) {
		oldest = r.samples[r.taken%len(r.samples)]
	}
	passed := now.Sub(oldest.at)
	if r.taken == 0 || passed <= 0 {
		return 0
	}
	return float64(count-oldest.count) / passed.Seconds()
}
