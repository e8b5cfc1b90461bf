package console

import (
	"math"
	"testing"
	"time"
)

func TestSizes(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0B", 1023: "1023B", 1024: "1.0KB", 1535: "1.4KB", 1536: "1.5KB", 1<<20 - 1: "1023.9KB", 1 << 20: "1.0MB",
		5 << 30: "5.0GB", 3 << 40: "3.0TB", 1 << 50: "1.0PB", math.MaxUint64: "15.9EB",
	} {
		if got := string(appendSize(nil, n)); got != want {
			t.Errorf("%d bytes are %s, not %s", n, got, want)
		}
	}
}

func TestSpans(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0ms", 0: "0ms", 999 * time.Millisecond: "999ms", time.Second: "1.0s", 9990 * time.Millisecond: "9.9s", 12400 * time.Millisecond: "12s",
		time.Minute: "1m00s", 3*time.Minute + 5*time.Second: "3m05s", time.Hour - 1: "59m59s", 2*time.Hour + 4*time.Minute: "2h04m",
		24 * time.Hour: "1d00h", 125*24*time.Hour + 3*time.Hour: "125d03h",
	} {
		if got := span(d); got != want {
			t.Errorf("%v is %s, not %s", d, got, want)
		}
	}
}

func TestUptime(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-1: "0 minutes 0 seconds", 61 * time.Second: "1 minute 1 second", 90 * time.Minute: "1 hour 30 minutes",
		25 * time.Hour: "1 day 1 hour", 400 * 24 * time.Hour: "400 days 0 hours",
	} {
		if got := uptime(d); got != want {
			t.Errorf("%v is %s, not %s", d, got, want)
		}
	}
}

func TestGroupedAndPlural(t *testing.T) {
	for n, want := range map[int64]string{0: "0 processes", 1: "1 process", 999: "999 processes", 1000: "1 000 processes", 1234567: "1 234 567 processes", -1234: "-1 234 processes", -123: "-123 processes"} {
		if got := plural(n, "process"); got != want {
			t.Errorf("%d: %s, not %s", n, got, want)
		}
	}
	if got := plural(2, "worker"); got != "2 workers" {
		t.Error(got)
	}
}
