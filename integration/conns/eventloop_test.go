package conns

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/child"
)

// goroutineID tells goroutines apart, and with them the loops that run on them.
func goroutineID() string {
	b := make([]byte, 64)
	return strings.Fields(string(b[:runtime.Stack(b, false)]))[1]
}

// onLoop runs fn on a loop and waits for it.
func onLoop(t *testing.T, e *workerman.EventLoop, fn func()) {
	t.Helper()
	done := make(chan struct{})
	if !e.Post(func() { defer close(done); fn() }) {
		t.Fatal("Post is refused")
	}
	receive(t, done, "the loop")
}

// Everything that is given to a loop runs on that loop, in order, never early.
func TestLoopRunsEverythingOnOneGoroutine(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "tcp", func(w *workerman.Worker) { w.Loops = 2 })
		e := w.EventLoop()
		var home string
		onLoop(t, e, func() { home = goroutineID() })
		results := make(chan string, 100)
		begin := time.Now()
		note := func(what string) { results <- what + " " + goroutineID() }
		e.After(20*time.Millisecond, func() {
			if d := time.Since(begin); d < 20*time.Millisecond {
				t.Errorf("After(20ms) ran after %v", d)
			}
			note("third")
		})
		e.After(10*time.Millisecond, func() { note("second") })
		e.Post(func() { note("first") })
		for _, want := range []string{"first", "second", "third"} {
			if got := receive(t, results, want); got != want+" "+home {
				t.Errorf("%q, want %q on goroutine %s", got, want, home)
			}
		}
		n := 0
		var every *workerman.Timer
		onLoop(t, e, func() {
			begin := time.Now()
			every = e.Every(2*time.Millisecond, func() {
				if n++; time.Since(begin) < time.Duration(n)*2*time.Millisecond-time.Millisecond {
					t.Errorf("run %d after %v", n, time.Since(begin))
				}
				if n == 3 {
					note(fmt.Sprint("stopped ", every.Stop(), every.Stop()))
				}
			})
		})
		if got := receive(t, results, "Every"); got != "stopped true false "+home {
			t.Errorf("%q", got)
		}
		if w.EventLoop() != e {
			t.Error("EventLoop is another one the second time")
		}
		s.Stop()
		if e.Post(func() { t.Error("runs after the stop") }) {
			t.Error("Post is accepted after the stop")
		}
	})
}

// A panic on the loop is reported and ends nothing.
func TestLoopSurvivesPanics(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "tcp", nil)
		e := w.EventLoop()
		runs := make(chan struct{}, 10)
		e.Post(func() { panic("in Post") })
		e.After(0, func() { panic("in After") })
		every := e.Every(time.Millisecond, func() {
			select {
			case runs <- struct{}{}:
			default:
			}
			panic("in Every")
		})
		for range 2 {
			receive(t, runs, "a run")
		}
		every.Stop()
		for _, where := range []string{"in Post", "in After", "in Every"} {
			eventually(t, where+" is logged", func() bool {
				return len(s.Log.Lines("panic in a callback", where, "eventloop_test.go")) > 0
			})
		}
		onLoop(t, e, func() {})
	})
}

// A connection's timers, posts and callbacks share its loop.
func TestConnectionStaysOnItsLoop(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		where := make(chan string, 5*20)
		_, w := serve(t, k, "tcp", func(w *workerman.Worker) {
			w.Loops = 2
			note := func() { where <- goroutineID() }
			w.OnConnect = func(c *workerman.Conn) { note(); c.After(0, note); c.Post(note); c.EventLoop().Post(note) }
			w.OnClose = func(c *workerman.Conn) { note() }
		})
		for range 20 {
			c := dial(t, w)
			home := receive(t, where, "OnConnect")
			for i := range 4 {
				if i == 3 {
					c.Close()
				}
				if got := receive(t, where, "a callback"); got != home {
					t.Errorf("callback %d runs on goroutine %s, OnConnect ran on %s", i, got, home)
				}
			}
		}
	})
}

// So do those of a UDP peer, whichever loop has the socket that its datagrams reach.
func TestPeerStaysOnItsLoop(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		where := make(chan string, 100)
		_, w := serveUDP(t, k, "udp", func(w *workerman.Worker) {
			w.Loops, w.ReusePort = 2, true
			note := func() { where <- goroutineID() }
			w.OnMessage = func(c *workerman.Conn, data []byte) { note(); c.After(0, note); c.Post(note); c.EventLoop().Post(note) }
		})
		loops := make(map[string]bool)
		for range 200 { // until the system has picked each loop once
			dialUDP(t, w).Write([]byte("x"))
			home := receive(t, where, "OnMessage")
			loops[home] = true
			for i := range 3 {
				if got := receive(t, where, "a function"); got != home {
					t.Fatalf("function %d runs on goroutine %s, OnMessage ran on %s", i, got, home)
				}
			}
			if len(loops) == 2 {
				return
			}
		}
		t.Errorf("all peers are on %d loop", len(loops))
	})
}

// Work that ends its goroutine gives its place back.
func TestAsyncWorkThatExits(t *testing.T) {
	_, w := serve(t, kind{Network: "tcp"}, "tcp", nil)
	for range maxAsync {
		workerman.Async(w, func() (net.Conn, error) { runtime.Goexit(); return nil, nil }, nil)
	}
	workerman.Async(w, func() (net.Conn, error) { return nil, nil }, nil)
	done := make(chan struct{})
	workerman.Async(w, func() (int, error) { return 0, nil }, func(int, error) { close(done) })
	receive(t, done, "a place for work behind as many that have exited as there are places")
}

// Run does not return before the programs are killed that were started for a loop.
func TestStopKillsPrograms(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "tcp", nil)
		p, err := child.Start(w.Context(), exec.Command("sleep", "3600"))
		if err != nil {
			t.Fatal(err)
		}
		s.Stop()
		ended := make(chan error, 1)
		go func() { ended <- p.Wait()() }()
		var exit *exec.ExitError
		if err := receive(t, ended, "the end of the program"); !errors.As(err, &exit) || exit.ExitCode() != -1 {
			t.Errorf("got %v, want an end by a signal", err)
		}
	})
}
