package conns

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"
)

// A Worker that NewWorker did not make serves nothing, and says so.
func TestWorkerMadeWithoutNewWorker(t *testing.T) {
	for name, w := range map[string]*workerman.Worker{"literal": {Name: "mine"}, "new": new(workerman.Worker)} {
		var start *workerman.StartError
		err := w.Listen()
		if !errors.As(err, &start) || !strings.Contains(err.Error(), "made without NewWorker: it has no address") {
			t.Errorf("%s: Listen: got %v, want a *StartError about NewWorker", name, err)
		}
		if w.Address() != "" || w.Addr() != nil || w.ID() != 0 || w.EventLoop() != nil || w.Stats() != (workerman.WorkerStats{}) {
			t.Errorf("%s: got address %q, %v, id %d, loop %v, %+v, want nothing", name, w.Address(), w.Addr(), w.ID(), w.EventLoop(), w.Stats())
		}
		for range w.Connections() {
			t.Errorf("%s: it has a connection", name)
		}
		if w.Connection(1) != nil || w.IsOnline("user") || w.Post(func() {}) {
			t.Errorf("%s: it has a connection, a user or a loop", name)
		}
		if n, err := w.Broadcast([]byte("x")); n != 0 || err != nil {
			t.Errorf("%s: Broadcast: got %d, %v, want 0, nil", name, n, err)
		}
		if n, err := w.SendTo("user", []byte("x")); n != 0 || err != nil {
			t.Errorf("%s: SendTo: got %d, %v, want 0, nil", name, n, err)
		}
		if n, err := w.Group("room").Send([]byte("x")); n != 0 || err != nil {
			t.Errorf("%s: Send to a group: got %d, %v, want 0, nil", name, n, err)
		}
		if err := context.Cause(w.Context()); !errors.Is(err, workerman.ErrNotRunning) {
			t.Errorf("%s: Context: got %v, want one that has ended with ErrNotRunning", name, err)
		}
		w.PauseAccept()
		w.ResumeAccept()
		w.Unlisten()
	}
}

func TestZeroMaster(t *testing.T) {
	m := new(workerman.Master)
	m.Logger = discardLogger()
	ctx, cancel := context.WithCancel(t.Context())
	m.NewWorker("").OnWorkerStart = func(*workerman.Worker) error { cancel(); return nil }
	if err := m.Run(ctx); err != nil {
		t.Errorf("Run: got %v, want nil", err)
	}
}
