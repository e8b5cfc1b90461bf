package siege

import (
	"fmt"
	"slices"
	"time"
)

// Times are durations in ascending order.
type Times []time.Duration

// takeTimes collects the longest times of clients that had an answer, and begins anew.
func takeTimes(list []*record) (t Times) {
	for _, r := range list {
		if d := r.longest.Swap(0); d > 0 {
			t = append(t, time.Duration(d))
		}
	}
	slices.Sort(t)
	return t
}

// Quantile is the time that the part q of all does not exceed, 0 without any.
func (t Times) Quantile(q float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	return t[min(int(q*float64(len(t))), len(t)-1)]
}

// String gives median, 99th percentile and maximum.
func (t Times) String() string {
	ms := func(q float64) float64 { return float64(t.Quantile(q)) / float64(time.Millisecond) }
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms, max %.1f ms", ms(0.5), ms(0.99), ms(1))
}
