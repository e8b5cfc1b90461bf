package workerman

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen. It is no timing: nothing takes
// that long unless it is broken.
const patience = 20 * time.Second

// kind is one of the ways to run a test: an engine and a transport.
type kind struct {
	portable bool
	network  string // tcp or unix
}

func (k kind) String() string {
	if k.portable {
		return "portable/" + k.network
	}
	return "native/" + k.network
}

// kinds runs fn on both engines, over TCP and over Unix sockets.
func kinds(t *testing.T, fn func(t *testing.T, k kind)) {
	for _, portable := range []bool{false, true} {
		for _, network := range []string{"tcp", "unix"} {
			k := kind{portable, network}
			t.Run(k.String(), func(t *testing.T) { fn(t, k) })
		}
	}
}

// engines runs fn on both engines over TCP.
func engines(t *testing.T, fn func(t *testing.T, k kind)) {
	for _, portable := range []bool{false, true} {
		k := kind{portable, "tcp"}
		t.Run(k.String(), func(t *testing.T) { fn(t, k) })
	}
}

// address is a fresh address for a scheme on the kind's transport.
func (k kind) address(t *testing.T, scheme string) string {
	if k.network == "tcp" {
		return scheme + "://127.0.0.1:0"
	}
	path := filepath.Join(t.TempDir(), "s")
	if scheme == "tcp" {
		return "unix://" + path
	}
	return scheme + "+unix://" + path
}

// service is a running Master of a test.
type testService struct {
	t      *testing.T
	master *Master
	log    *logBuffer
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// newTestService makes a Master that is stopped at the end of the test, when no goroutine
// and no descriptor may be left.
func newTestService(t *testing.T, k kind) *testService {
	checkLeaks(t)
	s := &testService{t: t, log: new(logBuffer), done: make(chan struct{})}
	s.master = &Master{Portable: k.portable, PoisonLent: true, Logger: slog.New(slog.NewTextHandler(s.log, nil))}
	return s
}

// start runs the master until the end of the test, and returns when it serves.
func (s *testService) start() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	workers := len(s.master.workers)
	go func() {
		defer close(s.done)
		s.err = s.master.Run(ctx)
	}()
	s.t.Cleanup(s.stop)
	eventually(s.t, "the service runs", func() bool {
		select {
		case <-s.done:
			s.t.Fatalf("Run returned early: %v\n%s", s.err, s.log)
		default:
		}
		return len(s.log.lines("worker started")) >= workers // all are announced
	})
}

// stop ends the service in good order.
func (s *testService) stop() {
	s.t.Helper()
	s.cancel()
	select {
	case <-s.done:
	case <-time.After(patience):
		s.t.Fatalf("the service does not stop\n%s", stacks())
	}
	if s.err != nil {
		s.t.Errorf("Run: %v", s.err)
	}
}

// serve starts one worker and returns it.
func serve(t *testing.T, k kind, scheme string, configure func(w *Worker)) (*testService, *Worker) {
	t.Helper()
	s := newTestService(t, k)
	w := s.master.NewWorker(k.address(t, scheme))
	w.Name = "under-test"
	if configure != nil {
		configure(w)
	}
	s.start()
	return s, w
}

// dial connects to a worker; the connection is closed at the end of the test.
func dial(t *testing.T, w *Worker) net.Conn {
	t.Helper()
	a := w.Addr()
	if a == nil {
		t.Fatal("the worker does not listen")
	}
	c, err := net.DialTimeout(a.Network(), a.String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

func echo(w *Worker) { w.OnMessage = func(c *Conn, data []byte) { c.Send(data) } }

// eventually waits for a condition that another goroutine brings about.
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

// receive takes a value from a channel within patience.
func receive[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("not in %v: %s", patience, what)
		panic("unreachable")
	}
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

// lines are the lines of the log that contain all the words.
func (b *logBuffer) lines(words ...string) (found []string) {
	for line := range strings.Lines(b.String()) {
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

// checkLeaks fails the test if it leaves goroutines or descriptors behind.
func checkLeaks(t *testing.T) {
	t.Helper()
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	t.Cleanup(func() {
		deadline := time.Now().Add(patience / 2)
		for runtime.NumGoroutine() > goroutines || openFiles(t) > files {
			if t.Failed() {
				return // the failure is the news
			}
			if time.Now().After(deadline) {
				t.Errorf("left behind: %d goroutines, %d descriptors\n%s", runtime.NumGoroutine()-goroutines, openFiles(t)-files, stacks())
				return
			}
			runtime.Gosched()
		}
	})
}

// openFiles is the number of descriptors of this process, 0 where it cannot be told.
func openFiles(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// numbered is a payload that says which it is and can be checked.
func numbered(i, size int) []byte {
	p := bytes.Repeat([]byte(fmt.Sprintf("%08d.", i)), size/9+1)
	return p[:size]
}

func discardLogger() *slog.Logger { return slog.New(slog.DiscardHandler) }

// stacks are those of all goroutines.
func stacks() []byte {
	buf := make([]byte, 1<<20)
	return buf[:runtime.Stack(buf, true)]
}
