package filemonitor

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"
)

func TestWatchIsAWorker(t *testing.T) {
	p := newProject(t)
	m := new(workerman.Master)
	o := p.options()
	o.Always = true
	w := watch(m.NewWorker(""), o, p.reload)
	if w.Reloadable || w.Name != "filemonitor" {
		t.Errorf("%+v", w)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	started := make(chan struct{})
	start := w.OnWorkerStart
	w.OnWorkerStart = func(w *workerman.Worker) error {
		defer close(started)
		return start(w)
	}
	go func() { ended <- m.Run(ctx) }()
	<-started
	p.write("views/index.html", "<h1>")
	p.waitReload()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	p.waitTold("index.html changed, reloading")
}

func TestMistakesStopTheStart(t *testing.T) {
	m := new(workerman.Master)
	watch(m.NewWorker(""), Options{Always: true, Dir: filepath.Join(t.TempDir(), "missing")}, nil)
	if err := m.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "cannot watch") {
		t.Error(err)
	}
}

// A descriptor of each kind that a service may have as its standard error.
func TestWhereSomebodySeesIt(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	journal, err := ln.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	for _, test := range []struct {
		file *os.File
		want bool
	}{{w, true}, {null, false}, {file, false}, {journal, false}} {
		if got := seen(test.file); got != test.want {
			t.Errorf("%s: %v", test.file.Name(), got)
		}
	}
	if tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err == nil {
		defer tty.Close()
		if !seen(tty) {
			t.Error("a terminal is not seen")
		}
	}
}
