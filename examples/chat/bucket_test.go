package main

import (
	"testing"
	"time"
)

func TestBucket(t *testing.T) {
	now := time.Unix(1000, 0)
	b := newBucket(now)
	takes := func(n int, want, wantHopeless bool) {
		t.Helper()
		for i := range n {
			if ok, hopeless := b.take(now); ok != want || hopeless != wantHopeless {
				t.Fatalf("take %d: %v, %v; want %v, %v", i, ok, hopeless, want, wantHopeless)
			}
		}
	}
	takes(bucketSize, true, false)
	takes(1, false, false)
	now = now.Add(time.Second)
	takes(bucketRate-1, true, false) // one paid for what was refused
	takes(1, false, false)
	now = now.Add(time.Hour) // it does not hold more than its size
	takes(bucketSize, true, false)
	takes(-bucketDebt, false, false)
	takes(1, false, true)
}
