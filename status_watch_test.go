package workerman

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
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
				if !strings.HasPrefix(l.Place, callbackNames.Module+".(*stall)."+way+" (") || !strings.Contains(l.Place, "/status_watch_test.go:") {
					t.Errorf("got the place %q of %s, want (*stall).%s in this file", l.Place, test.callback, way)
				}
				if way == "sleep" && !strings.HasSuffix(l.Place, ") in time.Sleep") {
					t.Errorf("got the place %q of %s, want (*stall).%s in this file", l.Place, test.callback, way)
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

func stackOf(t *testing.T, m *Master) string {
	t.Helper()
	var out bytes.Buffer
	if err := m.writeStack(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestStack(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		var held stall
		s, w := serve(t, k, "tcp", func(w *Worker) {
			w.Loops = 2
			w.OnMessage = func(*Conn, []byte) { held.sleep() }
		})
		defer held.released.Store(true)
		wait := make(chan struct{})
		for range 7 {
			go func() { <-wait }()
		}
		defer close(wait)
		eventually(t, "both loops are idle", func() bool {
			text := stackOf(t, s.master)
			return strings.HasPrefix(text, "event loop 1: idle\n\nevent loop 2: idle\n\n")
		})
		dial(t, w).Write([]byte("x"))
		heldIn(t, s.master, "OnMessage")
		text := stackOf(t, s.master)
		for _, want := range []string{": idle\n", ": in OnMessage, for ", ", at " + callbackNames.Module + ".(*stall).sleep (", ") in time.Sleep\n    time.Sleep  ", "\n7 goroutines: chan receive\n", "    begun by "} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not there\n%s", want, text)
			}
		}
		for _, noise := range []string{"\t", "    runtime.", "writeStack", "WriteStacks", "+0x"} {
			if strings.Contains(text, noise) {
				t.Errorf("%q is there\n%s", noise, text)
			}
		}
		broken := errors.New("broken")
		if err := s.master.writeStack(failingWriter{broken}); err != broken {
			t.Errorf("%v", err)
		}
	})
}

// Who renames a function that calls a callback has to rename it in the table, too.
func TestCallbackNamesExist(t *testing.T) {
	packages := make(map[string]map[string]bool) // functions by the folder of their package
	for name, callback := range callbackNames.Names {
		dir, fn := ".", name
		if slash := strings.LastIndexByte(name, '/'); slash >= 0 {
			dot := slash + strings.IndexByte(name[slash:], '.')
			dir, fn = name[:dot], name[dot+1:]
		}
		if packages[dir] == nil {
			packages[dir] = functionsOf(t, dir)
		}
		if !packages[dir][fn] {
			t.Errorf("the table of callbacks says that %q calls %s, but the package in %s has no function %q", name, callback, dir, fn)
		}
	}
}

// functionsOf returns the functions of a package as the runtime names them: "Async[...]",
// "(*Conn).callOnMessage", "packetDialog.Datagram".
func functionsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]bool)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				all[functionName(fn)] = true
			}
		}
	}
	return all
}

func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		if fn.Type.TypeParams != nil {
			return fn.Name.Name + "[...]"
		}
		return fn.Name.Name
	}
	receiver, before, after := fn.Recv.List[0].Type, "", "."
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver, before, after = star.X, "(*", ")."
	}
	switch r := receiver.(type) {
	case *ast.Ident:
		return before + r.Name + after + fn.Name.Name
	case *ast.IndexExpr:
		return before + r.X.(*ast.Ident).Name + "[...]" + after + fn.Name.Name
	}
	return fn.Name.Name
}
