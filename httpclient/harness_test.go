package httpclient

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/web"
)

// What all tests of the project have in common, by the names that the tests of this package use.
var (
	patience   = testkit.Patience
	checkLeaks = testkit.CheckLeaks
)

type logBuffer = testkit.Log

func receive[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	return testkit.Receive(t, ch, what)
}

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
			t.Errorf("Run: %v", err)
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
