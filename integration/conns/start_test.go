package conns

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
)

func TestStartFailuresNameWorkerAddressAndCause(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	livePath := filepath.Join(t.TempDir(), "live")
	live, err := net.Listen("unix", livePath)
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, []byte("precious"), 0o600)

	for _, test := range []struct {
		name      string
		address   string
		configure func(w *workerman.Worker)
		cause     error
		words     string
	}{
		{"port in use", "text://" + busy.Addr().String(), nil, syscall.EADDRINUSE, "address already in use"},
		{"udp beside tcp is fine, a foreign address is not", "udp://203.0.113.9:0", nil, syscall.EADDRNOTAVAIL, "203.0.113.9 is no address of this machine"},
		{"not a local address", "tcp://203.0.113.9:0", nil, syscall.EADDRNOTAVAIL, "203.0.113.9 is no address of this machine"},
		{"unknown scheme", "smtp://127.0.0.1:0", nil, nil, "known are"},
		{"live unix socket", "unix://" + livePath, nil, syscall.EADDRINUSE, "another process serves"},
		{"a file in place of the socket", "unix://" + file, nil, syscall.EADDRINUSE, "no socket"},
		{"no such directory", "unix:///no/such/directory/s", nil, syscall.ENOENT, "no such file"},
		{"negative limit", "tcp://127.0.0.1:0", func(w *workerman.Worker) { w.MaxSendBuffer = -1 }, nil, "MaxSendBuffer is negative"},
		{"negative time", "tcp://127.0.0.1:0", func(w *workerman.Worker) { w.IdleTimeout = -1 }, nil, "IdleTimeout is negative"},
		{"unknown policy", "tcp://127.0.0.1:0", func(w *workerman.Worker) { w.FullPolicy = 7 }, nil, "FullPolicy 7"},
		{"negative loops", "tcp://127.0.0.1:0", func(w *workerman.Worker) { w.Loops = -1 }, nil, "Loops is -1"},
		{"OnWorkerStart fails", "tcp://127.0.0.1:0", func(w *workerman.Worker) { w.OnWorkerStart = func(*workerman.Worker) error { return io.ErrNoProgress } }, io.ErrNoProgress, "OnWorkerStart"},
		{"OnWorkerStart panics", "tcp://127.0.0.1:0", func(w *workerman.Worker) { w.OnWorkerStart = func(*workerman.Worker) error { panic("oh no") } }, nil, "oh no"},
	} {
		t.Run(test.name, func(t *testing.T) {
			engines(t, func(t *testing.T, k kind) {
				checkLeaks(t)
				m := &workerman.Master{Portable: k.Portable, Logger: discardLogger()}
				good := m.NewWorker("tcp://127.0.0.1:0")
				begun := false
				good.OnWorkerStart = func(*workerman.Worker) error { begun = true; return nil }
				good.OnWorkerStop = func(*workerman.Worker) {
					if !begun {
						t.Error("OnWorkerStop without OnWorkerStart")
					}
				}
				w := m.NewWorker(test.address)
				w.Name = "culprit"
				if test.configure != nil {
					test.configure(w)
				}
				for range 2 { // nothing is left behind, so a second try says the same
					err := m.Run(t.Context())
					var start *workerman.StartError
					if !errors.As(err, &start) || start.Worker != "culprit" || start.Address != test.address {
						t.Fatalf("Run: %v", err)
					}
					text := err.Error()
					for _, word := range []string{"culprit", test.address, test.words} {
						if !strings.Contains(text, word) || strings.Contains(text, "\n") {
							t.Errorf("%q lacks %q, or is no single line", text, word)
						}
					}
					if test.cause != nil && !errors.Is(err, test.cause) {
						t.Errorf("%v is not %v", err, test.cause)
					}
				}
				if good.Addr() != nil {
					t.Error("another worker listens after a failed start")
				}
			})
		})
	}
	if content, _ := os.ReadFile(file); string(content) != "precious" {
		t.Error("a file that is no socket was harmed")
	}
}

func TestRunOfTheSameMaster(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		checkLeaks(t)
		m := &workerman.Master{Portable: k.Portable, Logger: discardLogger()}
		if err := m.Run(t.Context()); err == nil {
			t.Error("Run without a worker succeeds")
		}
		started := make(chan struct{}, 1)
		w := m.NewWorker("text://127.0.0.1:0")
		echo(w)
		w.OnWorkerStart = func(*workerman.Worker) error { started <- struct{}{}; return nil }
		for round := range 3 {
			done := make(chan error, 1)
			go func() { done <- m.Run(context.Background()) }()
			receive(t, started, "OnWorkerStart")
			if err := m.Run(t.Context()); err == nil {
				t.Error("a master runs twice at the same time")
			}
			if c := dial(t, w); !alive(c) {
				t.Errorf("round %d does not serve", round)
			} else {
				c.Close()
			}
			m.StopAll()
			if err := receive(t, done, "Run"); err != nil {
				t.Error(err)
			}
		}
		m.StopAll() // of a master that does not run
	})
}

func TestStopCallbacksRunInReverseBeforeTheClose(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		var order []string
		connected, read := make(chan struct{}), make(chan struct{})
		s := newService(t, k)
		var first *workerman.Worker
		for _, name := range []string{"a", "b"} {
			w := s.NewWorker("text://127.0.0.1:0")
			w.Name = name
			if first == nil {
				first = w
			}
			w.OnWorkerStart = func(w *workerman.Worker) error {
				order = append(order, "start "+w.Name)
				return nil
			}
			w.OnWorkerStop = func(w *workerman.Worker) {
				for c := range w.Connections() {
					c.Send([]byte("bye"))
				}
				order = append(order, "stop "+w.Name)
			}
			w.OnConnect = func(*workerman.Conn) { close(connected) }
			w.OnClose = func(c *workerman.Conn) { order = append(order, "close "+c.Worker().Name) }
		}
		s.Start()
		c := dial(t, first)
		receive(t, connected, "OnConnect")
		go func() {
			defer close(read)
			if got, err := io.ReadAll(c); string(got) != "bye\n" {
				t.Errorf("%q, %v", got, err)
			}
			c.Close()
		}()
		s.Stop()
		receive(t, read, "the client")
		if got := strings.Join(order, ", "); got != "start a, start b, stop b, stop a, close a" {
			t.Error(got)
		}
	})
}

func TestStopWaitsForSlowReadersAndCutsTheDead(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		message := numbered(1, 8<<20)
		s, w := serve(t, k, "tcp", func(w *workerman.Worker) {
			w.MaxSendBuffer = 1 << 30
			w.OnConnect = func(c *workerman.Conn) { c.Send(message) }
		})
		s.Master.StopTimeout = time.Second
		dial(t, w) // reads nothing
		reader := dial(t, w)
		eventually(t, "both are served", func() bool { return w.Stats().Connections == 2 })
		read := make(chan bool, 1)
		go func() {
			got, err := slowly(reader)
			reader.Close()
			read <- err == nil && bytes.Equal(got, message)
		}()
		s.Stop()
		if !receive(t, read, "the reader") {
			t.Error("the stop took the message of a reader away")
		}
		if len(s.Log.Lines("connections cut at the stop", "connections=1")) != 1 {
			t.Errorf("log:\n%s", s.Log)
		}
	})
}

func TestStopDoesNotHangOnABlockedCallback(t *testing.T) {
	release := make(chan struct{})
	var blocked atomic.Bool
	m := &workerman.Master{Logger: discardLogger(), StopTimeout: 50 * time.Millisecond}
	w := m.NewWorker("tcp://127.0.0.1:0")
	w.OnMessage = func(c *workerman.Conn, data []byte) { blocked.Store(true); <-release }
	started := make(chan struct{})
	w.OnWorkerStart = func(*workerman.Worker) error { close(started); return nil }
	done := make(chan error, 1)
	go func() { done <- m.Run(context.Background()) }()
	receive(t, started, "OnWorkerStart")
	c := dial(t, w)
	c.Write([]byte("x"))
	eventually(t, "the callback blocks", blocked.Load)
	m.StopAll()
	if err := receive(t, done, "Run"); err != nil {
		t.Error(err)
	}
	close(release)
}
