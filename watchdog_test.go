package workerman

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// stall is a callback that holds its loop until it is released.
type stall struct{ released atomic.Bool }

// spin computes.
func (s *stall) spin() {
	for !s.released.Load() {
	}
}

// sleep waits for something.
func (s *stall) sleep() {
	for !s.released.Load() {
		time.Sleep(time.Millisecond)
	}
}

const (
	holds    = "a callback holds its event loop"
	returned = "a slow callback has returned"
)

// heldIn waits until the figures show a loop that is held in a callback.
func heldIn(t *testing.T, m *Master, callback string) (l control.Loop) {
	t.Helper()
	var seen string
	defer func() {
		if t.Failed() {
			t.Logf("the figures showed %q", seen)
		}
	}()
	tick := time.NewTicker(5 * time.Millisecond) // each look stops the program for its stacks
	defer tick.Stop()
	eventually(t, "the figures show "+callback, func() bool {
		<-tick.C
		for _, l = range m.figures().Loops {
			if l.Busy > 0 {
				seen = l.Callback + " at " + l.Place
			}
			if l.Busy > 0 && l.Callback == callback {
				return true
			}
		}
		return false
	})
	return l
}

func TestSlowCallbacks(t *testing.T) {
	send := func(message string) func(t *testing.T, s *testService, w *Worker) {
		return func(t *testing.T, s *testService, w *Worker) { io.WriteString(dial(t, w), message) }
	}
	nothing := func(*testing.T, *testService, *Worker) {}
	upgrade := get("/", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
	flood := func(c *Conn) { // as much as it takes until the peer is slow
		for c.Send(make([]byte, 64<<10)) == nil {
		}
	}
	for _, test := range []struct {
		callback string
		scheme   string
		set      func(w *Worker, hold func())
		act      func(t *testing.T, s *testService, w *Worker)
	}{
		{"OnMessage", "text", func(w *Worker, hold func()) { w.OnMessage = func(*Conn, []byte) { hold() } }, send("x\n")},
		{"OnMessage", "tcp", func(w *Worker, hold func()) { w.OnMessage = func(*Conn, []byte) { hold() } }, send("x")},
		{"OnMessage", "udp", func(w *Worker, hold func()) { w.OnMessage = func(*Conn, []byte) { hold() } }, send("x")},
		{"OnConnect", "tcp", func(w *Worker, hold func()) { w.OnConnect = func(*Conn) { hold() } }, send("")},
		{"OnConnect", "websocket", func(w *Worker, hold func()) { w.OnConnect = func(*Conn) { hold() } }, send(upgrade)},
		{"OnClose", "tcp", func(w *Worker, hold func()) { w.OnClose = func(*Conn) { hold() } },
			func(t *testing.T, s *testService, w *Worker) { dial(t, w).Close() }},
		{"OnRequest", "http", func(w *Worker, hold func()) { w.OnRequest = func(*Conn, *web.Request) { hold() } }, send(get("/"))},
		{"OnBody", "http", func(w *Worker, hold func()) {
			w.HTTP.Body = web.Stream
			w.OnRequest = func(*Conn, *web.Request) {}
			w.OnBody = func(*Conn, *web.Request, bool) { hold() }
		}, send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")},
		{"OnUpgrade", "websocket", func(w *Worker, hold func()) {
			w.OnUpgrade = func(*Conn, *web.Request) *web.Response { hold(); return nil }
		}, send(upgrade)},
		{"OnPing or OnPong", "websocket", func(w *Worker, hold func()) { w.OnPing = func(*Conn, []byte) { hold() } },
			func(t *testing.T, s *testService, w *Worker) {
				c := dialWebSocket(t, w, "/", nil)
				ping, _ := c.codec.AppendControl(nil, websocket.Ping, nil)
				c.Write(ping)
			}},
		{"OnBufferFull or OnError", "tcp", func(w *Worker, hold func()) {
			w.OnConnect, w.OnError = flood, func(*Conn, error) { hold() }
		}, send("")},
		{"OnBufferDrain", "tcp", func(w *Worker, hold func()) {
			w.OnConnect, w.OnBufferDrain = flood, func(*Conn) { hold() }
		}, func(t *testing.T, s *testService, w *Worker) {
			c := dial(t, w)
			go io.Copy(io.Discard, c)
		}},
		{"Input", "tcp", func(w *Worker, hold func()) { w.Protocol = heldProtocol{input: hold} }, send("x")},
		{"Decode", "tcp", func(w *Worker, hold func()) { w.Protocol = heldProtocol{decode: hold} }, send("x")},
		{"Post", "tcp", func(w *Worker, hold func()) { w.OnConnect = func(c *Conn) { c.Post(hold) } }, send("")},
		{"timer", "tcp", func(w *Worker, hold func()) { w.OnConnect = func(c *Conn) { c.Every(time.Millisecond, hold) } }, send("")},
		{"timer", "tcp", func(w *Worker, hold func()) { w.master.AddTimer(time.Millisecond, hold) }, nothing},
		{"Post", "tcp", func(w *Worker, hold func()) { w.OnWorkerStart = func(w *Worker) error { w.Post(hold); return nil } }, nothing},
		{"Post", "tcp", func(w *Worker, hold func()) {
			w.OnWorkerStart = func(w *Worker) error { w.EventLoop().Post(hold); return nil }
		}, nothing},
		{"Async", "tcp", func(w *Worker, hold func()) {
			w.OnConnect = func(c *Conn) { Async(c, func() (int, error) { return 1, nil }, func(int, error) { hold() }) }
		}, send("")},
		{"OnMessage", "text", func(w *Worker, hold func()) { // a library of ours lies between
			w.OnMessage = JSON(func(c *Conn, n int) { hold() })
		}, send("1\n")},
		{"OnMessage", "tcp", func(w *Worker, hold func()) { // the loop called OnMessage, and that what stands
			w.Protocol = heldProtocol{encode: hold}
			w.OnMessage = func(c *Conn, data []byte) { c.Send(data) }
		}, send("x")},
	} {
		for _, way := range []string{"spin", "sleep"} {
			t.Run(test.callback+"/"+test.scheme+"/"+way, func(t *testing.T) {
				var held stall
				hold := held.sleep
				if way == "spin" {
					hold = held.spin
				}
				s, w := serve(t, kind{network: "tcp"}, test.scheme, func(w *Worker) {
					w.master.SlowCallback = 40 * time.Millisecond
					w.master.StopTimeout = 100 * time.Millisecond // requests have no answer
					test.set(w, func() { hold() })
				})
				defer held.released.Store(true)
				test.act(t, s, w)
				l := heldIn(t, s.master, test.callback)
				if !strings.HasPrefix(l.Place, module+".(*stall)."+way+" (") || !strings.Contains(l.Place, "/watchdog_test.go:") {
					t.Errorf("place %q", l.Place)
				}
				if way == "sleep" && !strings.HasSuffix(l.Place, ") in time.Sleep") {
					t.Errorf("place %q", l.Place)
				}
				eventually(t, "it is logged", func() bool { return len(s.log.lines(holds, "worker=under-test", "callback=", test.callback)) > 0 })
				held.released.Store(true)
				eventually(t, "its end is logged", func() bool { return len(s.log.lines(returned, test.callback, "took=")) > 0 })
			})
		}
	}
}

// heldProtocol is text whose functions hold the loop.
type heldProtocol struct{ input, decode, encode func() }

func (p heldProtocol) Input(c *Conn, buf []byte) (int, error) {
	if p.input != nil {
		p.input()
	}
	return len(buf), nil
}

func (p heldProtocol) Decode(c *Conn, frame []byte) ([]byte, error) {
	if p.decode != nil {
		p.decode()
	}
	return frame, nil
}

func (p heldProtocol) Encode(c *Conn, dst, data []byte) ([]byte, error) {
	if p.encode != nil {
		p.encode()
	}
	return append(dst, data...), nil
}

func TestSlowStartAndStop(t *testing.T) {
	var start, stop stall
	s := newTestService(t, kind{})
	s.master.SlowCallback = 40 * time.Millisecond
	w := s.master.NewWorker("tcp://127.0.0.1:0")
	w.Name = "under-test"
	w.OnWorkerStart = func(*Worker) error { start.sleep(); return nil }
	w.OnWorkerStop = func(*Worker) { stop.sleep() }
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		heldIn(t, s.master, "OnWorkerStart")
		eventually(t, "it is logged", func() bool { return len(s.log.lines(holds, "level=INFO", "OnWorkerStart")) == 1 })
		start.released.Store(true)
	}()
	s.start()
	receive(t, ended, "OnWorkerStart")
	go func() {
		defer stop.released.Store(true)
		heldIn(t, s.master, "OnWorkerStop")
	}()
	s.stop()
	if len(s.log.lines(returned, "OnWorkerStart")) != 1 {
		t.Errorf("the end is not logged\n%s", s.log)
	}
}

func TestSlowCallbacksOfClients(t *testing.T) {
	var held stall
	s, w := serve(t, kind{network: "tcp"}, "text", func(w *Worker) {
		w.master.SlowCallback = 40 * time.Millisecond
		echo(w)
	})
	defer held.released.Store(true)
	cl := clientOf(s, w, "text")
	cl.OnMessage = func(*Conn, []byte) { held.spin() }
	connect(t, cl)
	cl.Send([]byte("x"))
	heldIn(t, s.master, "OnMessage")
	held.released.Store(true)
	refused := s.master.NewClient("tcp://127.0.0.1:1")
	var again stall
	defer again.released.Store(true)
	refused.OnError = func(*Conn, error) { again.sleep() }
	connect(t, refused)
	heldIn(t, s.master, "OnError")
}

// A place is logged once, the turns are counted all.
func TestSlowCallbackIsLoggedOncePerPlace(t *testing.T) {
	s, w := serve(t, kind{network: "tcp"}, "tcp", func(w *Worker) { w.master.SlowCallback = 10 * time.Millisecond })
	for i, way := range []func(*stall){(*stall).spin, (*stall).spin, (*stall).sleep, (*stall).spin, (*stall).sleep} {
		var held stall
		ran := make(chan struct{})
		w.Post(func() {
			way(&held)
			close(ran)
		})
		eventually(t, "the turn is counted", func() bool { return s.master.figures().Slow > uint64(i) })
		held.released.Store(true)
		receive(t, ran, "the end of the function")
	}
	for _, way := range []string{"spin", "sleep"} {
		eventually(t, "its end is logged", func() bool { return len(s.log.lines(returned, "callback=Post", way)) > 0 })
		if n := len(s.log.lines(holds, "callback=Post", "(*stall)."+way)); n != 1 {
			t.Errorf("%s is logged %d times\n%s", way, n, s.log)
		}
	}
}

// Work that is much but goes on is not blamed on a callback.
func TestManyCallbacks(t *testing.T) {
	s, w := serve(t, kind{network: "tcp"}, "tcp", func(w *Worker) { w.master.SlowCallback = 40 * time.Millisecond })
	var stop atomic.Bool
	released := make(chan struct{})
	w.Post(func() { // the loop looks at its mailbox again when it is full
		<-released
	})
	for range 50_000 {
		w.Post(func() {
			if !stop.Load() {
				for begin := time.Now(); time.Since(begin) < time.Millisecond; {
				}
			}
		})
	}
	close(released)
	eventually(t, "it is told", func() bool { return len(s.log.lines("more to do than it can")) == 1 })
	stop.Store(true)
	if s.master.figures().Slow == 0 {
		t.Error("the turn is not counted")
	}
}

func TestWatchdogThatIsOff(t *testing.T) {
	var held stall
	s, w := serve(t, kind{network: "tcp"}, "tcp", func(w *Worker) { w.master.SlowCallback = -1 })
	defer held.released.Store(true)
	w.Post(held.sleep)
	heldIn(t, s.master, "Post") // who asks gets an answer
	held.released.Store(true)
	done := make(chan struct{})
	w.Post(func() { close(done) })
	receive(t, done, "a later function")
	if f := s.master.figures(); f.Slow != 0 || len(s.log.lines(holds)) != 0 {
		t.Errorf("%+v\n%s", f, s.log)
	}
}
