package testkit

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The times of these tests are those of a clock that does not wait.

func TestEventually(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		got := try(t, func(t testing.TB) {
			Eventually(t, "late", func() bool { return time.Since(began) > Patience/2 })
		})
		if len(got) > 0 {
			t.Errorf("fails with %q for what comes in time", got)
		}
		began = time.Now()
		got = try(t, func(t testing.TB) {
			Eventually(t, "what never comes", func() bool { return false })
			t.Error("goes on")
		})
		if took := time.Since(began); len(got) != 1 || !strings.Contains(got[0], "what never comes") || took < Patience || took > Patience+time.Second {
			t.Errorf("the failures are %q after %v, want one after %v", got, took, Patience)
		}
	})
}

// Who was kept from a processor for the whole time looks once more.
func TestWithinLooksAgainAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		if !Within(time.Second, func() bool {
			looks++
			time.Sleep(time.Minute)
			return looks == 2
		}) {
			t.Error("false, want true by the look after the time")
		}
	})
}

func TestReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int, 1)
		ch <- 7
		if got := Receive(t, ch, "a number"); got != 7 {
			t.Errorf("got %d, want 7", got)
		}
		got := try(t, func(t testing.TB) {
			Receive(t, ch, "another number")
			t.Error("goes on")
		})
		if len(got) != 1 || !strings.Contains(got[0], "another number") {
			t.Errorf("the failures are %q, want one", got)
		}
	})
}

func TestPatienceIsSet(t *testing.T) {
	for setting, want := range map[string]time.Duration{"": 20 * time.Second, "90s": 90 * time.Second, "3m": 3 * time.Minute} {
		if got := patienceOf(setting); got != want {
			t.Errorf("%q is %v, want %v", setting, got, want)
		}
	}
	for _, bad := range []string{"60", "long", "0s", "-1m"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is taken, want a panic", bad)
				}
			}()
			patienceOf(bad)
		}()
	}
}

func TestScale(t *testing.T) {
	for patience, want := range map[time.Duration]time.Duration{
		time.Second: 400 * time.Millisecond, usualPatience: 400 * time.Millisecond, 3 * usualPatience: 1200 * time.Millisecond,
	} {
		if got := scale(400*time.Millisecond, patience); got != want {
			t.Errorf("with a patience of %v got %v, want %v", patience, got, want)
		}
	}
}

func TestLog(t *testing.T) {
	var l Log
	l.Write([]byte("level=INFO msg=one worker=a\nlevel=WARN msg=two worker=a\nlevel=INFO msg=three"))
	for _, test := range []struct {
		words []string
		want  int
	}{{nil, 3}, {[]string{"INFO"}, 2}, {[]string{"worker=a", "INFO"}, 1}, {[]string{"INFO", "two"}, 0}} {
		if got := l.Lines(test.words...); len(got) != test.want {
			t.Errorf("lines with %q are %q, want %d", test.words, got, test.want)
		}
	}
	l.Await(t, "three")
	synctest.Test(t, func(t *testing.T) {
		got := try(t, func(t testing.TB) { l.Await(t, "INFO", "two") })
		if len(got) != 1 || !strings.Contains(got[0], "msg=three") {
			t.Errorf("the failures are %q, want one with the log", got)
		}
	})
}
