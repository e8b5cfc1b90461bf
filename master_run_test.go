package workerman

import (
	"context"
	"errors"
	"testing"
)

func TestLifeOfARun(t *testing.T) {
	for _, test := range []struct {
		name   string
		from   runState
		change func(*runLife)
		want   runState
	}{
		{"the loops start", runStarting, (*runLife).serve, runServing},
		{"the start fails", runStarting, (*runLife).stop, runStopping},
		{"the loops start again", runServing, (*runLife).serve, runServing},
		{"the stop begins", runServing, (*runLife).stop, runStopping},
		{"the loops start during the stop", runStopping, (*runLife).serve, runStopping},
		{"the stop begins again", runStopping, (*runLife).stop, runStopping},
	} {
		var life runLife
		life.state.Store(int32(test.from))
		test.change(&life)
		for s := runStarting; s <= runStopping; s++ {
			if got := life.is(s); got != (s == test.want) {
				t.Errorf("%s: is(%d) = %v in state %d, want state %d", test.name, s, got, life.state.Load(), test.want)
			}
		}
	}
}

// What asks a master without a run gets an answer, and a run leaves nothing behind but workers.
func TestMasterWithoutARun(t *testing.T) {
	m := &Master{Logger: discardLogger()}
	idle := func(when string) {
		t.Helper()
		if m.running() || m.stopping() || m.runningLoops() != nil || m.runningServers() != nil || m.runningWatchdog() != nil || m.firstLoop() != nil || len(m.registered()) != 0 {
			t.Errorf("%s: the master has a run", when)
		}
		m.requestStop(errors.New("of nothing"))
		m.connectionGone()
		m.unregister(new(Client))
		if m.register(new(Client)) {
			t.Errorf("%s: a client is registered", when)
		}
	}
	idle("before the first run")
	ctx, cancel := context.WithCancel(t.Context())
	w := m.NewWorker("")
	w.OnWorkerStart = func(*Worker) error {
		if !m.running() || m.stopping() {
			t.Error("OnWorkerStart: the master does not run")
		}
		m.NewWorker("") // of this run only
		cancel()
		return nil
	}
	w.OnWorkerStop = func(*Worker) {
		if m.running() || !m.stopping() {
			t.Error("OnWorkerStop: the master does not stop")
		}
	}
	if err := m.Run(ctx); err != nil {
		t.Errorf("Run: got %v, want nil", err)
	}
	idle("after the run")
	if got := m.workersNow(); len(got) != 1 || got[0] != w {
		t.Errorf("after the run there are %d workers, want the one of before", len(got))
	}
}

// The first error counts, also if the stop was asked for without one.
func TestErrorOfAStop(t *testing.T) {
	first := errors.New("first")
	m := &Master{Logger: discardLogger()}
	m.NewWorker("").OnWorkerStart = func(*Worker) error {
		m.StopAll()
		m.requestStop(first)
		m.requestStop(errors.New("second"))
		return nil
	}
	if err := m.Run(t.Context()); err != first {
		t.Errorf("Run: got %v, want %v", err, first)
	}
}
