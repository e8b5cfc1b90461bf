package main

import (
	"math"
	"testing"
)

func TestHistogramQuantilesAreClose(t *testing.T) {
	var h histogram
	for v := int64(1); v <= 100_000; v++ {
		h.record(v)
	}
	for _, c := range []struct {
		q    float64
		want int64
	}{{0.50, 50_000}, {0.99, 99_000}, {0.999, 99_900}, {1, 100_000}} {
		got := h.quantile(c.q)
		if off := math.Abs(float64(got-c.want)) / float64(c.want); off > 0.02 {
			t.Errorf("quantile(%v) = %d, want about %d", c.q, got, c.want)
		}
	}
}

func TestHistogramBucketsHoldTheirValues(t *testing.T) {
	last := -1
	for _, v := range []uint64{0, 1, 63, 64, 65, 127, 128, 1000, 1 << 20, 1<<40 + 12345, math.MaxUint64} {
		b := bucketOf(v)
		if b <= last {
			t.Errorf("bucketOf(%d) = %d, not above the bucket before (%d)", v, b, last)
		}
		last = b
		if b >= len(new(histogram).counts) {
			t.Fatalf("bucketOf(%d) = %d is out of range", v, b)
		}
		if v < 1<<62 {
			mid := float64(bucketMiddle(b))
			if math.Abs(mid-float64(v)) > float64(v)*0.02 {
				t.Errorf("bucket of %d reports %v", v, mid)
			}
		}
	}
}
