package serve

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/testkit"
)

var errEnded = errors.New("ended")

// here is a program that serves until it is released behind the end of its context.
type here struct {
	Program
	log      *testkit.Log
	began    chan struct{}
	stopping chan struct{}
	release  chan struct{}
}

func newHere() *here {
	return &here{log: new(testkit.Log), began: make(chan struct{}), stopping: make(chan struct{}), release: make(chan struct{})}
}

func (h *here) Settings() Settings {
	return Settings{Logger: slog.New(slog.NewTextHandler(h.log, nil))}
}

func (h *here) Run(ctx context.Context) error {
	close(h.began)
	select {
	case <-ctx.Done():
		close(h.stopping)
		<-h.release
	case <-h.release:
	}
	return errEnded
}

// A signal asks for the stop. A hang-up behind it, as of a terminal that closes, is no second one.
func TestRunHereEndsWithASignal(t *testing.T) {
	h := newHere()
	done := make(chan error, 1)
	go func() { done <- RunHere(h) }()
	testkit.Receive(t, h.began, "the program runs")
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
		testkit.Receive(t, h.stopping, "the program stops")
	}
	close(h.release)
	if err := testkit.Receive(t, done, "the end"); err != errEnded {
		t.Errorf("got %v, want %v", err, errEnded)
	}
	if lines := h.log.Lines("msg=stopping", "signal=terminated"); len(lines) != 1 {
		t.Errorf("got %d lines of the stop, want 1:\n%s", len(lines), h.log.String())
	}
}

func TestRunHereEndsByItself(t *testing.T) {
	h := newHere()
	close(h.release)
	if err := RunHere(h); err != errEnded {
		t.Errorf("got %v, want %v", err, errEnded)
	}
	if text := h.log.String(); text != "" {
		t.Errorf("got the log %q, want none", text)
	}
}

func TestAnnounceLogsEachWorker(t *testing.T) {
	log := new(testkit.Log)
	Announce(slog.New(slog.NewTextHandler(log, nil)), []control.Worker{
		{Name: "chat", Listen: "text://127.0.0.1:1", Transport: "tcp", Count: 1, Loops: 2},
		{Name: "jobs", Listen: "none", Transport: "none", Count: 1, Loops: 1},
	})
	for _, words := range [][]string{{"worker=chat", "listen=text://127.0.0.1:1", "loops=2"}, {"worker=jobs", "listen=none"}} {
		if lines := log.Lines(append(words, "worker started")...); len(lines) != 1 {
			t.Errorf("got %d lines with %v, want 1:\n%s", len(lines), words, log.String())
		}
	}
}

func TestFilesThatAreGiven(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("WORKERMAN_PID_FILE", filepath.Join(dir, "variable.pid"))
	for _, c := range []struct {
		settings Settings
		daemon   bool
		pid, log string
	}{
		{Settings{}, false, "variable.pid", ""},
		{Settings{}, true, "variable.pid", "variable.log"},
		{Settings{PidFile: filepath.Join(dir, "own.pid")}, true, "own.pid", "own.log"},
		{Settings{LogFile: filepath.Join(dir, "other.log")}, false, "variable.pid", "other.log"},
	} {
		f, err := c.settings.files(c.daemon)
		if err != nil {
			t.Fatal(err)
		}
		log := strings.TrimPrefix(f.log, dir+"/")
		if pid := strings.TrimPrefix(f.pid, dir+"/"); pid != c.pid || log != c.log {
			t.Errorf("%+v, daemon %v: got %q and %q, want %q and %q", c.settings, c.daemon, pid, log, c.pid, c.log)
		}
	}
	t.Setenv("WORKERMAN_PID_FILE", "")
	f, err := (Settings{}).files(false)
	if err != nil || !filepath.IsAbs(f.pid) || !strings.HasSuffix(f.pid, ".pid") {
		t.Errorf("by default: got %q, %v, want the path of a pid file", f.pid, err)
	}
}

// A folder for the pid file that others could have made, or may write to, is refused.
func TestPrivateDir(t *testing.T) {
	dir := t.TempDir()
	own, open, file := filepath.Join(dir, "own"), filepath.Join(dir, "open"), filepath.Join(dir, "file")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it is there already
		if err := privateDir(own); err != nil {
			t.Errorf("of its own: got %v, want nil", err)
		}
	}
	for _, path := range []string{open, file, filepath.Join(dir, "missing", "own")} {
		if err := privateDir(path); err == nil || !strings.Contains(err.Error(), "folder for the pid file") {
			t.Errorf("%s: got %v, want an error that says what the folder is for", path, err)
		}
	}
}
