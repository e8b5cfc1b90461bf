package workerman

import (
	"bufio"
	"io"
	"net/http"
	"strings"

	"github.com/workerman-go/workerman/web"

	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

// What all tests of the project have in common, by the names that the tests of this package use.
var (
	patience   = testkit.Patience
	eventually = testkit.Eventually
	checkLeaks = testkit.CheckLeaks
)

func receive[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	return testkit.Receive(t, ch, what)
}

func stacks() []byte { return []byte(testkit.Stacks()) }

// logBuffer is a log that tests read while it is written.
type logBuffer struct{ testkit.Log }

func (b *logBuffer) lines(words ...string) []string { return b.Lines(words...) }

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

// testService is a running Master of a test.
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

// numbered is a payload that says which it is and can be checked.
func numbered(i, size int) []byte {
	p := bytes.Repeat([]byte(fmt.Sprintf("%08d.", i)), size/9+1)
	return p[:size]
}

func discardLogger() *slog.Logger { return slog.New(slog.DiscardHandler) }

// get is a request for a path.
func get(path string, fields ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n"
}

// reader reads answers as a client does.
type reader struct {
	t *testing.T
	b *bufio.Reader
}

func newReader(t *testing.T, c net.Conn) *reader { return &reader{t, bufio.NewReader(c)} }

// answer reads one answer and its body.
func (r *reader) answer(method string) (*http.Response, string) {
	r.t.Helper()
	answer, err := http.ReadResponse(r.b, &http.Request{Method: method})
	if err != nil {
		r.t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatalf("%q: %v", body, err)
	}
	return answer, string(body)
}

// ends checks that nothing follows.
func (r *reader) ends() {
	r.t.Helper()
	if rest, err := io.ReadAll(r.b); err != nil || len(rest) > 0 {
		r.t.Errorf("%q, %v follows", rest, err)
	}
}

// paths answers with what was asked.
func paths(w *Worker) {
	w.OnRequest = func(c *Conn, r *web.Request) {
		c.Respond(web.Text(r.Method() + " " + r.Path() + " " + string(r.Body())))
	}
}

// connections delivers the connections of a worker as soon as there are some.
func connections(w *Worker) <-chan *Conn {
	ch := make(chan *Conn)
	go func() {
		for {
			for c := range w.Connections() {
				ch <- c
				return
			}
		}
	}()
	return ch
}

// mount starts an http worker with a handler.
func mount(t *testing.T, k kind, h http.HandlerFunc, configure ...func(w *Worker)) (*testService, *Worker) {
	t.Helper()
	return serve(t, k, "http", func(w *Worker) {
		w.Handle(h)
		for _, fn := range configure {
			fn(w)
		}
	})
}
