package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// fake is a service as a test wants it.
type fake struct {
	mu     sync.Mutex
	status control.Status
	err    error
	asked  int

	rows    int // connections
	broken  error
	profile func(ctx context.Context, pid int, name string, query url.Values, w io.Writer) error
}

func (f *fake) Status(context.Context) (control.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	return f.status, f.err
}

func (f *fake) Connections(_ context.Context, filter control.Filter, w io.Writer) error {
	for i := range f.rows {
		c := control.Connection{PID: 71, Worker: "chat", ID: uint64(i), State: "established", Remote: "127.0.0.1:" + strconv.Itoa(i), Idle: int64(i)}
		if !filter.Match(&c) {
			continue
		}
		if _, err := w.Write(c.Append(nil)); err != nil {
			return err
		}
	}
	return f.broken
}

func (f *fake) Stack(_ context.Context, worker string, pid int, w io.Writer) error {
	fmt.Fprintf(w, "stack of %q %d\n", worker, pid)
	return f.broken
}

func (f *fake) Profile(ctx context.Context, pid int, name string, query url.Values, w io.Writer) error {
	if f.profile == nil {
		return errors.New("no answer")
	}
	return f.profile(ctx, pid, name, query, w)
}

// sample is a service with two workers and one inside of the first.
func sample() control.Status {
	started := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	figures := func(n int64) control.Figures {
		return control.Figures{
			Memory: n << 20, CPU: float64(n) / 2, Goroutines: int(n), Connections: n, Outgoing: 1, Accepted: uint64(n * 10), Refused: 1,
			Requests: uint64(n * 100), Rate: 1.5, SendFail: 2, Panics: 3, TLSFailures: 4, Timers: 5, Slow: 6,
			Loops: []control.Loop{{Lag: 1}, {Lag: n, Busy: 2 * n, Callback: "OnMessage", Place: "main.search (/src/main.go:31)"}},
		}
	}
	return control.Status{
		Version: "0.9.0", Go: "go1.26.8", Program: "/srv/chat", Build: "v1", PID: os.Getpid(), User: "www", State: "running",
		Started: started, Now: started.Add(time.Hour), CPUs: 2, Reloads: 2,
		Reload: &control.Reload{Began: started.Add(time.Minute), Took: 1.5, Total: 3, Replaced: 3, Done: true},
		Workers: []control.Worker{{
			Name: "chat", Listen: "websocket://0.0.0.0:2346", Transport: "tcp", Count: 2, Loops: 2, Moved: 9,
			Processes: []control.Process{
				{PID: 71, Slot: 0, State: control.Draining, Started: started, Figures: figures(10)},
				{PID: 72, Slot: 0, State: control.Ready, Started: started.Add(time.Second), Figures: figures(20)},
				{PID: 73, Slot: 1, State: control.Ready, Started: started, Figures: figures(1500)},
			},
			Exits: []control.Exit{{Cause: "exit code 2", Count: 3}, {Cause: "panic: a \"quoted\"\\ text", Count: 1}, {Cause: "exit code 0", Count: 4}},
		}, {
			Name: "jobs", Listen: "none", Count: 1, Processes: []control.Process{{PID: 74, State: control.Ready, Started: started}},
		}, {
			Name: "inner", Listen: "text://0.0.0.0:2347", Count: 2, Inside: "chat",
		}},
	}
}

// get asks a handler for a page.
func get(t *testing.T, h http.Handler, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
	return w
}
