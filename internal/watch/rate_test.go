package watch

import (
	"testing"
	"time"
)

func TestRate(t *testing.T) {
	var r rate
	begin := time.Now()
	if got := r.perSecond(begin, 7); got != 0 {
		t.Errorf("before the first sample: got %v per second, want 0", got)
	}
	count := uint64(100)
	for second := range 20 {
		r.sample(begin.Add(time.Duration(second)*time.Second), count)
		r.sample(begin.Add(time.Duration(second)*time.Second+300*time.Millisecond), count) // too early: left out
		want := 10.0
		if second >= 10 {
			want = 30 // all that is looked back at is of the faster time
		}
		if got := r.perSecond(begin.Add(time.Duration(second)*time.Second+time.Second/2), count+uint64(want/2)); second != 0 && (second < 10 || second >= 15) && got != want {
			t.Errorf("after %d seconds: got %v per second, want %v", second, got, want)
		}
		if second < 9 {
			count += 10
		} else {
			count += 30
		}
	}
}

func TestUsage(t *testing.T) {
	memory, before := Usage()
	if memory <= 0 || before < 0 {
		t.Errorf("got %d bytes and %v s, want more than 0 bytes", memory, before)
	}
	if _, after := Usage(); after < before {
		t.Errorf("got %v s after %v s, want no less", after, before)
	}
}
