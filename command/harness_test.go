package command

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// onEngines runs a test on both engines.
func onEngines(t *testing.T, test func(t *testing.T, portable bool)) {
	for name, portable := range map[string]bool{"native": false, "portable": true} {
		t.Run(name, func(t *testing.T) { test(t, portable) })
	}
}

// service is a running worker whose loop the programs' callbacks run on.
type service struct {
	*workerman.Worker
	log  *logBuffer
	stop func() // once; the end of the test calls it too
}

// start runs a worker until the end of the test, when no goroutine and no descriptor may be left.
func start(t *testing.T, portable bool, configure func(w *workerman.Worker)) *service {
	t.Helper()
	checkLeaks(t)
	log := new(logBuffer)
	m := &workerman.Master{Portable: portable, PoisonLent: true, Logger: slog.New(slog.NewTextHandler(log, nil))}
	w := m.NewWorker("text://127.0.0.1:0")
	if configure != nil {
		configure(w)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done, started := make(chan error, 1), make(chan struct{})
	w.OnWorkerStart = func(*workerman.Worker) error {
		close(started)
		return nil
	}
	go func() { done <- m.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := receive(t, done, "the end of Run"); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	receive(t, started, "OnWorkerStart")
	return &service{w, log, stop}
}

// receive takes a value from a channel within patience.
func receive[T any](t *testing.T, ch <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(patience):
		t.Fatalf("not in %v: %s", patience, what)
	}
	return v
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}

// checkLeaks fails the test if it leaves goroutines or descriptors behind.
func checkLeaks(t *testing.T) {
	files := func() int {
		entries, _ := os.ReadDir("/proc/self/fd")
		return len(entries)
	}
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close() // what the runtime opens once for all sockets
	}
	goroutines, open := runtime.NumGoroutine(), files()
	t.Cleanup(func() {
		if !t.Failed() {
			eventually(t, "no goroutine and no descriptor is left behind", func() bool { return runtime.NumGoroutine() <= goroutines && files() <= open })
		}
	})
}

// logBuffer is a log that tests read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// count is the number of lines that contain all the words.
func (b *logBuffer) count(words ...string) (n int) {
	for line := range strings.Lines(b.String()) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			n++
		}
	}
	return n
}
