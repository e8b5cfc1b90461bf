package main

import "time"

const (
	bucketSize = 20.0 // requests at once
	bucketRate = 4.0  // more of them per second
	// bucketDebt is how many requests beyond that somebody may try who does not stop. It is
	// a program, or one that went mad.
	bucketDebt = -60.0
)

// bucket is a token bucket that limits what a connection asks for. What it is refused costs
// as much as what it gets, so that only who waits gets on.
type bucket struct {
	tokens float64
	last   time.Time
}

func newBucket(now time.Time) bucket { return bucket{bucketSize, now} }

// take takes a token: ok says whether there was one, hopeless that the debt is too high.
func (b *bucket) take(now time.Time) (ok, hopeless bool) {
	b.tokens = min(bucketSize, b.tokens+now.Sub(b.last).Seconds()*bucketRate) - 1
	b.last = now
	return b.tokens >= 0, b.tokens < bucketDebt
}
