package crontab

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

// What all tests of the project have in common, by the names that the tests of this package use.
type logBuffer = testkit.Log

const raceEnabled = testkit.Race

// everyEngine runs a test on both engines, at the same time: jobs take seconds.
func everyEngine(t *testing.T, test func(t *testing.T, m *workerman.Master, log *logBuffer)) {
	for name, portable := range map[string]bool{"native": false, "portable": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := new(logBuffer)
			test(t, &workerman.Master{Portable: portable, Logger: slog.New(slog.NewTextHandler(log, nil))}, log)
		})
	}
}

// run serves until the end of the test.
func run(t *testing.T, m *workerman.Master) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := testkit.Receive(t, done, "the end of Run"); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// Jobs and timers touch the same variable, which the race detector watches.
func TestJobsRunOnTheLoop(t *testing.T) {
	everyEngine(t, func(t *testing.T, m *workerman.Master, log *logBuffer) {
		shared, runs := 0, 0
		ran := make(chan time.Time, 100)
		before := must(t)(Options{On: m}.New("* * * * * *", func() {
			shared++
			ran <- time.Now()
			if runs++; runs == 1 {
				panic("in a job")
			}
		}))
		w := m.NewWorker("")
		inside := make(chan struct{}, 100)
		w.OnWorkerStart = func(w *workerman.Worker) error {
			_, err := Options{On: w.EventLoop()}.New("@every 1s", func() {
				shared++
				inside <- struct{}{}
			})
			return err
		}
		m.AddTimer(time.Millisecond, func() { shared++ })
		run(t, m)

		testkit.Receive(t, inside, "a run of the job of OnWorkerStart")
		testkit.Receive(t, inside, "its second run")
		first := testkit.Receive(t, ran, "a run")
		second := testkit.Receive(t, ran, "a run after the panic")
		if !second.Truncate(time.Second).After(first.Truncate(time.Second)) {
			t.Errorf("two runs in one second: %v and %v", first, second)
		}
		if !strings.Contains(log.String(), "in a job") {
			t.Errorf("the panic is not logged: %s", log)
		}
		if before.Next().IsZero() {
			t.Error("Next is zero while the job runs")
		}
		before.Stop()
		settled := make(chan int, 1)
		w.Post(func() { settled <- len(ran) })
		n := testkit.Receive(t, settled, "the loop")
		testkit.Receive(t, inside, "a run of the other job")
		testkit.Receive(t, inside, "its next run")
		if len(ran) != n {
			t.Error("a job runs after Stop")
		}
	})
}

func TestJobsOfAConnectionEndWithIt(t *testing.T) {
	everyEngine(t, func(t *testing.T, m *workerman.Master, _ *logBuffer) {
		ran, closed := make(chan struct{}, 100), make(chan int, 1)
		started, errs := make(chan struct{}), make(chan error, 1)
		w := m.NewWorker("tcp://127.0.0.1:0")
		w.OnWorkerStart = func(*workerman.Worker) error { close(started); return nil }
		w.OnConnect = func(c *workerman.Conn) {
			_, err := Options{On: c}.New("* * * * * *", func() { ran <- struct{}{} })
			errs <- err
		}
		w.OnClose = func(*workerman.Conn) { closed <- len(ran) }
		run(t, m)
		testkit.Receive(t, started, "the start")
		c, err := net.Dial("tcp", w.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := testkit.Receive(t, errs, "OnConnect"); err != nil {
			t.Fatal(err)
		}
		testkit.Receive(t, ran, "a run")
		c.Close()
		n := testkit.Receive(t, closed, "OnClose")
		later := make(chan struct{}, 100)
		must(t)(Options{On: m}.New("* * * * * *", func() { later <- struct{}{} }))
		testkit.Receive(t, later, "a run of another job")
		testkit.Receive(t, later, "its next run")
		if len(ran) != n {
			t.Error("a job runs after its connection was closed")
		}
	})
}

func must(t *testing.T) func(*Job, error) *Job {
	return func(j *Job, err error) *Job {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
}
