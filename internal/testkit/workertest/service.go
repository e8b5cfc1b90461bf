package workertest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

// Service is a Master that runs during a test. Its methods are called by the test's goroutine.
type Service struct {
	Master *workerman.Master // its fields may be set until Start
	Log    *testkit.Log      // what the service logs

	t       *testing.T
	workers int // those of NewWorker
	cancel  context.CancelFunc
	done    chan struct{}
	err     error // what Run returned, once done is closed
}

// New makes a service that is stopped at the end of the test, when no goroutine and no descriptor
// may be left. Callbacks that keep bytes that are only lent to them find them overwritten.
func New(t *testing.T, k Kind) *Service {
	testkit.CheckLeaks(t)
	log := new(testkit.Log)
	master := &workerman.Master{Portable: k.Portable, PoisonLent: true, Logger: slog.New(slog.NewTextHandler(log, nil))}
	return &Service{Master: master, Log: log, t: t, done: make(chan struct{})}
}

// NewWorker is that of the Master, to be called before Start, which waits for the workers that
// were made by it.
func (s *Service) NewWorker(address string) *workerman.Worker {
	s.workers++
	return s.Master.NewWorker(address)
}

// Start runs the service until the end of the test, and returns when all workers have announced
// that they serve.
func (s *Service) Start() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go func() {
		defer close(s.done)
		s.err = s.Master.Run(ctx)
	}()
	s.t.Cleanup(s.Stop)
	testkit.Eventually(s.t, "the service runs", func() bool {
		select {
		case <-s.done:
			s.t.Fatalf("Run returned early: %v\n%s", s.err, s.Log)
		default:
		}
		return len(s.Log.Lines("worker started")) >= s.workers
	})
}

// BeginStop has the service stop, and does not wait for it.
func (s *Service) BeginStop() { s.cancel() }

// Stop ends the service in good order. It may be called again.
func (s *Service) Stop() {
	s.t.Helper()
	s.cancel()
	select {
	case <-s.done:
	case <-time.After(testkit.Patience):
		s.t.Fatalf("the service does not stop\n%s", testkit.Stacks())
	}
	if s.err != nil {
		s.t.Errorf("Run: %v", s.err)
	}
}

// Serve starts a service with one worker, whose name is under-test; configure may be nil.
func Serve(t *testing.T, k Kind, scheme string, configure func(w *workerman.Worker)) (*Service, *workerman.Worker) {
	t.Helper()
	return ServeWith(t, k, scheme, func(_ *Service, w *workerman.Worker) {
		if configure != nil {
			configure(w)
		}
	})
}

// ServeWith is Serve for a test that sets something of the service as well.
func ServeWith(t *testing.T, k Kind, scheme string, configure func(s *Service, w *workerman.Worker)) (*Service, *workerman.Worker) {
	t.Helper()
	s := New(t, k)
	w := s.NewWorker(k.Address(t, scheme))
	w.Name = "under-test"
	configure(s, w)
	s.Start()
	return s, w
}

// Builtin is the protocol of a scheme such as text: what a connection of a worker says it has.
func Builtin(t *testing.T, scheme string) workerman.Protocol {
	t.Helper()
	m := &workerman.Master{Logger: DiscardLogger()}
	w := m.NewWorker(scheme + "://127.0.0.1:0")
	got := make(chan workerman.Protocol, 1)
	w.OnConnect = func(c *workerman.Conn) { got <- c.Protocol() }
	started := make(chan net.Addr, 1)
	w.OnWorkerStart = func(w *workerman.Worker) error { started <- w.Addr(); return nil }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	defer func() {
		cancel()
		if err := testkit.Receive(t, done, "the end of Run"); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	address := testkit.Receive(t, started, "the start")
	c, err := net.DialTimeout("tcp", address.String(), testkit.Patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return testkit.Receive(t, got, "a connection")
}

// Dial connects to a worker; the connection is closed at the end of the test. All that is done on
// it has to be done within Patience.
func Dial(t *testing.T, w *workerman.Worker) net.Conn {
	t.Helper()
	a := w.Addr()
	if a == nil {
		t.Fatal("the worker does not listen")
	}
	c, err := net.DialTimeout(a.Network(), a.String(), testkit.Patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(testkit.Patience))
	return c
}

// ReadSlowly keeps the system from taking megabytes in for a client that does not read.
func ReadSlowly(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		tcp.SetReadBuffer(64 << 10)
	}
}

// Echo has a worker send back what it gets.
func Echo(w *workerman.Worker) {
	w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
}

// PipePairs has a worker with two loops pipe each pair of connections both ways, the first that
// waits with the next that comes. Its send buffers are small, so that a pipe has to hold back.
func PipePairs(w *workerman.Worker) {
	w.Loops, w.MaxSendBuffer = 2, 128<<10
	waiting := make(chan *workerman.Conn, 1)
	w.OnConnect = func(c *workerman.Conn) {
		c.PauseRecv()
		select {
		case first := <-waiting:
			c.Pipe(first)
			first.Pipe(c)
			first.ResumeRecv()
			c.ResumeRecv()
		case waiting <- c: // there is room exactly when nobody waits
		}
	}
}

// Numbered is a payload that says which it is and can be checked.
func Numbered(i, size int) []byte {
	p := bytes.Repeat([]byte(fmt.Sprintf("%08d.", i)), size/9+1)
	return p[:size]
}

// DiscardLogger is for a Master whose log nobody reads.
func DiscardLogger() *slog.Logger { return slog.New(slog.DiscardHandler) }
