package crontab

import (
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
)

// A simulation is a loop and a system clock that a test turns.
type simulation struct {
	t      *testing.T
	now    time.Time     // by the system's clock
	passed time.Duration // by the monotonic one
	due    time.Duration // of the one timer
	fn     func()        // nil if none is armed
	log    strings.Builder
}

func (s *simulation) After(d time.Duration, fn func()) *workerman.Timer {
	if s.fn != nil {
		s.t.Error("a second timer is armed")
	}
	s.due, s.fn = s.passed+d, fn
	return new(workerman.Timer)
}

// pass lets time go by, and timers run.
func (s *simulation) pass(d time.Duration) {
	end := s.passed + d
	for s.fn != nil && s.due <= end {
		s.elapse(max(s.due-s.passed, 0))
		fn := s.fn
		s.fn = nil
		fn()
	}
	s.elapse(max(end-s.passed, 0))
}

// elapse lets time go by in which the loop does nothing.
func (s *simulation) elapse(d time.Duration) {
	s.passed += d
	s.now = s.now.Add(d)
}

// set changes the system's clock, of which no timer hears; as the sleep of a machine does.
func (s *simulation) set(step time.Duration) { s.now = s.now.Add(step) }

// simulate starts a job at 10:00:00.5 and collects when it runs.
func simulate(t *testing.T, rule string, o Options) (*simulation, *Job, *[]string) {
	t.Helper()
	s := &simulation{t: t, now: time.Date(2024, 5, 5, 10, 0, 0, 5e8, time.UTC)}
	o.On, o.clock, o.Location = s, func() time.Time { return s.now }, time.UTC
	o.Logger = slog.New(slog.NewTextHandler(&s.log, nil))
	ran := new([]string)
	j, err := o.New(rule, func() { *ran = append(*ran, s.now.Format("15:04:05.0")) })
	if err != nil {
		t.Fatal(err)
	}
	s.pass(0)
	return s, j, ran
}

func expect(t *testing.T, ran *[]string, want ...string) {
	t.Helper()
	if !slices.Equal(*ran, want) {
		t.Fatalf("it ran at %v, want %v", *ran, want)
	}
}

func TestJobRunsOnTime(t *testing.T) {
	s, j, ran := simulate(t, "0,30 */10 * * * *", Options{})
	if next := j.Next(); next.Format(time.TimeOnly) != "10:00:30" {
		t.Errorf("Next is %v", next)
	}
	s.pass(20*time.Minute - time.Second)
	expect(t, ran, "10:00:30.0", "10:10:00.0", "10:10:30.0")
	if next := j.Next(); next.Format(time.TimeOnly) != "10:20:00" {
		t.Errorf("Next is %v", next)
	}
	j.Stop()
	s.pass(time.Hour)
	expect(t, ran, "10:00:30.0", "10:10:00.0", "10:10:30.0")
	if !j.Next().IsZero() || s.log.Len() != 0 {
		t.Errorf("after Stop Next is %v; log: %s", j.Next(), &s.log)
	}
}

// What passed between New and the start of the loop is not made up for.
func TestJobBeginsWithItsLoop(t *testing.T) {
	s := &simulation{t: t, now: time.Date(2024, 5, 5, 9, 59, 50, 0, time.UTC)}
	n := 0
	j, err := Options{On: s, Location: time.UTC, clock: func() time.Time { return s.now }}.New("0 * * * *", func() { n++ })
	if err != nil {
		t.Fatal(err)
	}
	if j.Next().Hour() != 10 {
		t.Errorf("before the start Next is %v", j.Next())
	}
	s.elapse(20 * time.Second)
	s.pass(30 * time.Minute)
	if n != 0 {
		t.Errorf("%d runs", n)
	}
	s.pass(30 * time.Minute)
	if n != 1 || j.Next().Hour() != 12 {
		t.Errorf("%d runs, Next is %v", n, j.Next())
	}
}

// A busy loop makes runs late.
func TestLateRuns(t *testing.T) {
	for _, test := range []struct {
		about, rule string
		late        time.Duration
		busy        time.Duration // from 10:00:00.5 on
		want        []string      // until an hour later
		log         string
	}{
		{"soon enough", "1 10 * * *", 0, 90 * time.Second, []string{"10:01:30.5"}, ""},
		{"too late", "1 10 * * *", 0, 3 * time.Minute, nil, "job=nightly due=2024-05-05T10:01:00.000Z late=2m0.5s"},
		{"as late as it likes", "1 10 * * *", 24 * time.Hour, 10 * time.Hour, []string{"20:00:00.5"}, ""},
		{"ever", "1 10 * * *", math.MaxInt64, 10 * time.Hour, []string{"20:00:00.5"}, ""},
		{"many are one", "*/20 * * * *", 2 * time.Hour, 105 * time.Minute, []string{"11:45:00.5", "12:00:00.0", "12:20:00.0", "12:40:00.0"}, ""},
		{"the last is soon enough", "*/20 * * * *", 10 * time.Minute, 105 * time.Minute, []string{"11:45:00.5", "12:00:00.0", "12:20:00.0", "12:40:00.0"}, ""},
		{"none is soon enough", "*/20 * * * *", 4 * time.Minute, 105 * time.Minute, []string{"12:00:00.0", "12:20:00.0", "12:40:00.0"}, "due=2024-05-05T10:20:00.000Z late=1h25m0.5s"},
		{"intervals keep step", "@every 20m", time.Hour, 105 * time.Minute, []string{"11:45:00.5", "12:00:00.5", "12:20:00.5", "12:40:00.5"}, ""},
	} {
		t.Run(test.about, func(t *testing.T) {
			s, _, ran := simulate(t, test.rule, Options{Late: test.late, Name: "nightly"})
			s.elapse(test.busy)
			s.pass(time.Hour)
			expect(t, ran, test.want...)
			if text := s.log.String(); !strings.Contains(text, test.log) || test.log == "" && text != "" || strings.Count(text, "\n") > 1 {
				t.Errorf("log: %q", text)
			}
		})
	}
}

// No timer hears of it when the clock is set, or when the machine has slept.
func TestClockIsSet(t *testing.T) {
	for _, test := range []struct {
		about, rule string
		late        time.Duration
		after, step time.Duration // how long after 10:00:00.5, and by how much
		want        []string      // until an hour after that
	}{
		{"forward, over a run", "5 10 * * *", 0, 0, 5 * time.Minute, []string{"10:05:30.5"}},
		{"forward, far over a run", "5 10 * * *", 0, 0, 5 * time.Hour, nil},
		{"forward, and it may be late", "5 10 * * *", 12 * time.Hour, 0, 5 * time.Hour, []string{"15:00:30.5"}},
		{"forward, towards a run", "0 12 * * *", 0, 0, 90 * time.Minute, []string{"12:00:00.0"}},
		{"back, before a run", "5 10 * * *", 0, 0, -10 * time.Minute, []string{"10:05:00.0"}},
		{"a little back, after a run", "1 10 * * *", 0, 90 * time.Second, -time.Minute, []string{"10:01:00.0"}},
		{"back, after a run", "1 10 * * *", 0, 90 * time.Second, -20 * time.Minute, []string{"10:01:00.0"}},
		{"far back, after a run", "1 10 * * *", 0, 90 * time.Second, -181*time.Minute - 30*time.Second, []string{"10:01:00.0"}},
		{"far back, and it is due again", "1 7 * * *", 12 * time.Hour, 0, -181 * time.Minute, []string{"07:01:00.0"}},
		{"a rhythm a little back", "*/20 * * * *", 0, 20*time.Minute - 5e8, -time.Second, []string{"10:20:00.0", "10:40:00.0", "11:00:00.0"}},
		{"a rhythm back", "*/20 * * * *", 0, 40*time.Minute - 5e8, -30 * time.Minute, []string{"10:20:00.0", "10:40:00.0", "10:20:00.0", "10:40:00.0", "11:00:00.0"}},
		{"an interval back", "@every 20m", 0, 0, -12 * time.Hour, []string{"22:20:00.5", "22:40:00.5", "23:00:00.5"}},
	} {
		t.Run(test.about, func(t *testing.T) {
			s, _, ran := simulate(t, test.rule, Options{Late: test.late})
			s.pass(test.after)
			s.set(test.step)
			s.pass(time.Hour)
			expect(t, ran, test.want...)
		})
	}
}

// A run that takes longer than its period delays the next, and the ones between are one.
func TestLongRuns(t *testing.T) {
	s := &simulation{t: t, now: time.Date(2024, 5, 5, 10, 0, 0, 5e8, time.UTC)}
	var ran []string
	_, err := Options{On: s, Location: time.UTC, clock: func() time.Time { return s.now }}.New("* * * * * *", func() {
		ran = append(ran, s.now.Format("05.0"))
		if len(ran) == 2 {
			s.elapse(3500 * time.Millisecond)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	s.pass(8 * time.Second)
	expect(t, &ran, "01.0", "02.0", "05.5", "06.0", "07.0", "08.0")
}

func TestJobStopsInItsRun(t *testing.T) {
	var j *Job
	s := &simulation{t: t, now: time.Date(2024, 5, 5, 10, 0, 0, 0, time.UTC)}
	n := 0
	j, err := Options{On: s, Location: time.UTC, clock: func() time.Time { return s.now }}.New("* * * * * *", func() {
		n++
		j.Stop()
		j.Stop()
	})
	if err != nil {
		t.Fatal(err)
	}
	s.pass(time.Minute)
	if n != 1 || s.fn != nil {
		t.Errorf("%d runs; a timer is left: %v", n, s.fn != nil)
	}
}

// Only is asked for each run, and a run that was left out is not made up for.
func TestOnly(t *testing.T) {
	asked, elected := 0, false
	s, _, ran := simulate(t, "*/20 * * * *", Options{Late: time.Hour, Only: func() bool {
		asked++
		return elected
	}})
	s.pass(50 * time.Minute)
	elected = true
	s.pass(30 * time.Minute)
	expect(t, ran, "11:00:00.0", "11:20:00.0")
	if asked != 4 {
		t.Errorf("asked %d times", asked)
	}
}

func TestNewErrors(t *testing.T) {
	fn := func() {}
	for _, test := range []struct {
		about string
		err   func() error
		want  string
	}{
		{"rule", func() error { _, err := New("* * * *", fn); return err }, "crontab: rule \"* * * *\": there are 4 fields"},
		{"function", func() error { _, err := New("* * * * *", nil); return err }, "crontab: the function is nil"},
		{"Late", func() error { _, err := Options{Late: -1}.New("* * * * *", fn); return err }, "crontab: Options.Late is -1ns"},
		{"On", func() error {
			_, err := Options{On: workerman.NewWorker("").EventLoop()}.New("* * * * *", fn)
			if !errors.Is(err, workerman.ErrNotRunning) {
				t.Error("the loop's error is not ErrNotRunning")
			}
			return err
		}, "crontab: Options.On is an event loop that does not exist yet"},
	} {
		if err := test.err(); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v", test.about, err)
		}
	}
}
