package httpclient

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// service is a running worker whose loop the calls are made on, and the server that they ask.
type service struct {
	*workerman.Worker
	url string
	log *logBuffer
}

// onEngines runs a test on both engines, with a server of workerman's own.
func onEngines(t *testing.T, serve func(c *workerman.Conn, r *web.Request), test func(t *testing.T, s *service)) {
	for name, portable := range map[string]bool{"native": false, "portable": true} {
		t.Run(name, func(t *testing.T) { test(t, start(t, portable, serve)) })
	}
}

func start(t *testing.T, portable bool, serve func(c *workerman.Conn, r *web.Request)) *service {
	checkLeaks(t)
	log := new(logBuffer)
	m := &workerman.Master{Portable: portable, Logger: slog.New(slog.NewTextHandler(log, nil))}
	w := m.NewWorker("http://127.0.0.1:0")
	w.OnRequest = serve
	ctx, cancel := context.WithCancel(context.Background())
	done, started := make(chan error, 1), make(chan struct{})
	w.OnWorkerStart = func(*workerman.Worker) error {
		close(started)
		return nil
	}
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := receive(t, done, "the end of Run"); err != nil {
			t.Error(err)
		}
	})
	receive(t, started, "OnWorkerStart")
	return &service{w, "http://" + w.Addr().String(), log}
}

// client makes a client that leaves nothing behind.
func client(t *testing.T) *Client {
	c := &Client{Timeout: patience, KeepAlive: time.Second} // what was dialled for a request that is gone waits that long
	t.Cleanup(c.CloseIdle)
	return c
}

// outcome is what done was called with.
type outcome struct {
	*Response
	err error
}

// get asks and waits.
func get(t *testing.T, c *Client, on workerman.Poster, url string) outcome {
	t.Helper()
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, c, on, r)
}

func do(t *testing.T, c *Client, on workerman.Poster, r *http.Request) outcome {
	t.Helper()
	results := make(chan outcome, 2)
	c.Do(on, r, func(r *Response, err error) { results <- outcome{r, err} })
	return receive(t, results, "the answer")
}

// silent is the address of a server that answers a request with these words and no more.
func silent(t *testing.T, words string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				b := make([]byte, 1024)
				c.Read(b)
				c.Write([]byte(words))
				c.Read(b)
			})
		}
	})
	return "http://" + l.Addr().String()
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
			defer func() {
				if t.Failed() {
					stacks := make([]byte, 64<<10)
					t.Logf("%d goroutines, %d before; %d descriptors, %d before\n%s", runtime.NumGoroutine(), goroutines, files(), open, stacks[:runtime.Stack(stacks, true)])
				}
			}()
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
