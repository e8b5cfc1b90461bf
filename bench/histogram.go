package main

import "math/bits"

// subBits sets the histogram's precision: every power of two is cut into
// 1<<subBits equal buckets, so a value is known to about 1.6 %.
const subBits = 6

// histogram counts durations in nanoseconds in logarithmic buckets. It has a
// fixed size, so recording never allocates and costs a few instructions: the
// load client must not become the thing that is measured.
type histogram struct {
	counts [(64 - subBits + 1) << subBits]int64
	total  int64
}

// bucketOf maps a value to its bucket: values below 1<<subBits exactly, larger
// ones by their highest bit and the subBits bits after it.
func bucketOf(v uint64) int {
	if v < 1<<subBits {
		return int(v)
	}
	shift := bits.Len64(v) - subBits - 1
	return (shift+1)<<subBits + int(v>>shift) - 1<<subBits
}

// bucketMiddle is the value reported for a bucket.
func bucketMiddle(i int) int64 {
	if i < 1<<subBits {
		return int64(i)
	}
	shift := i>>subBits - 1
	low := uint64(1<<subBits+i&(1<<subBits-1)) << shift
	return int64(low + uint64(1)<<shift/2)
}

func (h *histogram) record(ns int64) {
	h.counts[bucketOf(uint64(max(ns, 0)))]++
	h.total++
}

func (h *histogram) reset() { *h = histogram{} }

// quantile returns the value below which the share q of the records lie.
func (h *histogram) quantile(q float64) int64 {
	rank := int64(q*float64(h.total)) + 1
	var seen int64
	for i, n := range h.counts {
		seen += n
		if seen >= rank {
			return bucketMiddle(i)
		}
	}
	for i := len(h.counts) - 1; i >= 0; i-- {
		if h.counts[i] > 0 {
			return bucketMiddle(i)
		}
	}
	return 0
}
