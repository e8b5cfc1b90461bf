package interop

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

// What all tests of the project have in common, by the names that the tests of this package use.
var (
	patience   = testkit.Patience
	eventually = testkit.Eventually
)

// server is a worker under test, served in this process.
type server struct {
	*workerman.Worker
	log *testkit.Log
	endpoint
}

// endpoint is where a server listens: host and port.
type endpoint string

// serve runs a worker on a free port of loopback until the end of the test.
func serve(t *testing.T, portable bool, scheme string, configure func(w *workerman.Worker)) *server {
	t.Helper()
	log := new(testkit.Log)
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
		for _, line := range log.Lines("panic") {
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
		return len(log.Lines("worker started")) > 0
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

// tail is the end of a text that may be long.
func tail(s string) string {
	const most = 4000
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("(%d bytes left out) … %s", len(s)-most, s[len(s)-most:])
}
