package interop

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
)

// patience is how long a test waits for what must happen. It is no timing: nothing takes
// that long unless it is broken.
const patience = 30 * time.Second

// server is a worker under test, served in this process.
type server struct {
	*workerman.Worker
	log *record
	endpoint
}

// endpoint is where a server listens: host and port.
type endpoint string

// serve runs a worker on a free port of loopback until the end of the test.
func serve(t *testing.T, portable bool, scheme string, configure func(w *workerman.Worker)) *server {
	t.Helper()
	log := new(record)
	m := &workerman.Master{Portable: portable, Logger: slog.New(slog.NewTextHandler(log, nil))}
	w := m.NewWorker(scheme + "://127.0.0.1:0")
	w.Name = "under-test"
	configure(w)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	var failed error
	go func() {
		defer close(done)
		failed = m.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(patience):
			t.Error("the service does not stop")
		}
		if failed != nil {
			t.Errorf("Run: %v", failed)
		}
		for _, line := range log.lines("panic") {
			t.Error(line)
		}
		if t.Failed() {
			t.Logf("log of the worker:\n%s", tail(log.String()))
		}
	})
	eventually(t, "the service runs", func() bool {
		select {
		case <-done:
			t.Fatalf("Run returned early: %v", failed)
		default:
		}
		return len(log.lines("worker started")) > 0
	})
	return &server{w, log, endpoint(w.Addr().String())}
}

func (e endpoint) address() string { return string(e) }

// dial connects; the end of the test closes the connection.
func (e endpoint) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", e.address(), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

// engines runs a test on both engines.
func engines(t *testing.T, test func(t *testing.T, portable bool)) {
	for _, e := range []struct {
		name     string
		portable bool
	}{{"native", false}, {"portable", true}} {
		t.Run(e.name, func(t *testing.T) { test(t, e.portable) })
	}
}

// eventually waits for a condition that something else brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", patience, what)
		}
		runtime.Gosched()
	}
}

// record is a log that is read while it is written.
type record struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.String()
}

// lines are those that contain all the words.
func (r *record) lines(words ...string) (found []string) {
	for line := range strings.Lines(r.String()) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			found = append(found, line)
		}
	}
	return found
}

// tail is the end of a text that may be long.
func tail(s string) string {
	const most = 4000
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("(%d bytes left out) … %s", len(s)-most, s[len(s)-most:])
}
