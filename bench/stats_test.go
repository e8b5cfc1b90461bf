package main

import "testing"

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := median(c.in); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.in, got, c.want)
		}
	}
}

// A slow round must not touch the ratio: it is taken inside each round.
func TestRatioIsTakenInsideARound(t *testing.T) {
	r := rowResult{Samples: []sample{
		{Engine: "c", Round: 0, clientResult: clientResult{Messages: 1, CPU: 100}},
		{Engine: "x", Round: 0, clientResult: clientResult{Messages: 1, CPU: 150}},
		{Engine: "c", Round: 1, clientResult: clientResult{Messages: 1, CPU: 1000}},
		{Engine: "x", Round: 1, clientResult: clientResult{Messages: 1, CPU: 1500}},
		{Engine: "x", Round: 2, clientResult: clientResult{Messages: 1, CPU: 9000}},
	}}
	if got := r.ratio("x", "c"); got != 1.5 {
		t.Errorf("ratio = %v, want 1.5", got)
	}
	if got := r.ratio("x", "gnet"); got != 0 {
		t.Errorf("ratio to an engine that never ran = %v, want 0", got)
	}
}
