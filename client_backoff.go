package workerman

import (
	"math/rand/v2"
	"time"
)

// Backoff makes a Client connect again by itself, after a connection has ended and after an
// attempt has failed. The pause doubles with each failure from Min up to Max and begins anew
// once a connection is established. The zero value means no automatic reconnect.
type Backoff struct {
	// Min is the first pause. Default 500 ms, if Max is set.
	Min time.Duration
	// Max is the longest pause. Default 30 s, or Min if that is longer.
	Max time.Duration
	// Jitter is the part of a pause, from 0 to 1, that is random, so that the clients of a
	// server that comes back do not come all at once. Default 0.5; below 0 none.
	Jitter float64
}

const (
	defaultBackoffMin    = 500 * time.Millisecond
	defaultBackoffMax    = 30 * time.Second
	defaultBackoffJitter = 0.5
)

// used reports whether Backoff connects again.
func (b *Backoff) used() bool { return b.Min > 0 || b.Max > 0 }

// pause is how long to wait after so many failures in a row. random is from 0 to 1.
func (b Backoff) pause(failures int, random float64) time.Duration {
	setDefault(&b.Min, defaultBackoffMin)
	setDefault(&b.Max, max(defaultBackoffMax, b.Min))
	setDefault(&b.Jitter, defaultBackoffJitter)
	d := min(b.Min, b.Max)
	for ; failures > 0 && d < b.Max; failures-- {
		d = min(2*d, b.Max)
	}
	return d - time.Duration(float64(d)*random*min(max(b.Jitter, 0), 1))
}

// next is pause with a random number.
func (b Backoff) next(failures int) time.Duration { return b.pause(failures, rand.Float64()) }
