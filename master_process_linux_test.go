package workerman

import (
	"context"
	"testing"
	"time"

	serving "github.com/workerman-go/workerman/internal/serve"
	"github.com/workerman-go/workerman/internal/testkit"
)

// assigned returns what the master of an assignment has this process serve.
func assigned(t *testing.T, m *Master, key string) serving.Worker {
	t.Helper()
	p, err := masterProgram{m}.Take(serving.Assignment{Key: key, Slot: 3, Base: 7 << 32, Sockets: new(serving.Sockets)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTakeFindsTheWorkerOfAKey(t *testing.T) {
	m := &Master{Logger: discardLogger()}
	m.NewWorker("").Name = "first"
	w := m.NewWorker("")
	w.Name, w.Recycle = "second", Recycle{Requests: 9}
	m.NewWorker("").Inside = w
	p := assigned(t, m, `"second" (none)`).(*workerProcess)
	if p.Name() != "second" || p.Recycle() != (serving.Recycle{Requests: 9}) || len(p.all) != 2 || p.all[0] != w {
		t.Errorf("got %q with %d workers and %+v, want the second and the one inside of it", p.Name(), len(p.all), p.Recycle())
	}
	if w.ID() != 3 || m.nextID.Load() != 7<<32 {
		t.Errorf("got id %d and connections from %d on, want 3 and %d", w.ID(), m.nextID.Load(), uint64(7)<<32)
	}
	if _, err := (masterProgram{m}).Take(serving.Assignment{Key: "none"}); err == nil || err.Error() != "this version of the program has no worker none" {
		t.Errorf("got %v, want that there is no such worker", err)
	}
	empty := &Master{Logger: discardLogger()}
	if p := assigned(t, empty, ""); p.Name() != "none" || p.Recycle() != (serving.Recycle{}) || p.OnReload() != nil || p.Connections() != 0 || p.Inside() != nil {
		t.Errorf("a process of clients and timers: got %+v", p)
	}
}

// While OnWorkerReload runs, the figures name it, and its end is told.
func TestOnWorkerReloadIsNamed(t *testing.T) {
	m := &Master{Logger: discardLogger(), SlowCallback: 20 * time.Millisecond}
	hold := make(chan struct{})
	w := m.NewWorker("")
	w.OnWorkerReload = func(*Worker) { <-hold }
	p := assigned(t, m, `"none" (none)`)
	m.inherited = nil // sockets are opened here
	ctx, cancel := context.WithCancel(t.Context())
	serves, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- p.Serve(ctx, func(context.Context) { close(serves) }) }()
	testkit.Receive(t, serves, "the start")
	done := p.OnReload()
	testkit.Eventually(t, "the callback is named", func() bool {
		f := p.Figures()
		return len(f.Loops) == 1 && f.Loops[0].Callback == "OnWorkerReload"
	})
	close(hold)
	<-done
	cancel()
	if err := testkit.Receive(t, ended, "the end"); err != nil {
		t.Errorf("Serve: got %v, want nil", err)
	}
}
