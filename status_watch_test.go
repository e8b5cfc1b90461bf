package workerman_test

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

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
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
func heldIn(t *testing.T, m *workerman.Master, callback string) (l control.Loop) {
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
		for _, l = range m.Figures().Loops {
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
	send := func(message string) func(t *testing.T, s *service, w *workerman.Worker) {
		return func(t *testing.T, s *service, w *workerman.Worker) { io.WriteString(dial(t, w), message) }
	}
	nothing := func(*testing.T, *service, *workerman.Worker) {}
	upgrade := workertest.Get("/", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
	flood := func(c *workerman.Conn) { // as much as it takes until the peer is slow
		for c.Send(make([]byte, 64<<10)) == nil {
		}
	}
	for _, test := range []struct {
		callback string
		scheme   string
		set      func(w *workerman.Worker, hold func())
		act      func(t *testing.T, s *service, w *workerman.Worker)
	}{
		{"OnMessage", "text", func(w *workerman.Worker, hold func()) { w.OnMessage = func(*workerman.Conn, []byte) { hold() } }, send("x\n")},
		{"OnMessage", "tcp", func(w *workerman.Worker, hold func()) { w.OnMessage = func(*workerman.Conn, []byte) { hold() } }, send("x")},
		{"OnMessage", "udp", func(w *workerman.Worker, hold func()) { w.OnMessage = func(*workerman.Conn, []byte) { hold() } }, send("x")},
		{"OnConnect", "tcp", func(w *workerman.Worker, hold func()) { w.OnConnect = func(*workerman.Conn) { hold() } }, send("")},
		{"OnConnect", "websocket", func(w *workerman.Worker, hold func()) { w.OnConnect = func(*workerman.Conn) { hold() } }, send(upgrade)},
		{"OnClose", "tcp", func(w *workerman.Worker, hold func()) { w.OnClose = func(*workerman.Conn) { hold() } },
			func(t *testing.T, s *service, w *workerman.Worker) { dial(t, w).Close() }},
		{"OnRequest", "http", func(w *workerman.Worker, hold func()) { w.OnRequest = func(*workerman.Conn, *web.Request) { hold() } }, send(workertest.Get("/"))},
		{"OnBody", "http", func(w *workerman.Worker, hold func()) {
			w.HTTP.Body = web.Stream
			w.OnRequest = func(*workerman.Conn, *web.Request) {}
			w.OnBody = func(*workerman.Conn, *web.Request, bool) { hold() }
		}, send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")},
		{"OnUpgrade", "websocket", func(w *workerman.Worker, hold func()) {
			w.OnUpgrade = func(*workerman.Conn, *web.Request) *web.Response { hold(); return nil }
		}, send(upgrade)},
		{"OnPing or OnPong", "websocket", func(w *workerman.Worker, hold func()) { w.OnPing = func(*workerman.Conn, []byte) { hold() } },
			func(t *testing.T, s *service, w *workerman.Worker) {
				c := workertest.DialWebSocket(t, w, "/", nil)
				ping, _ := c.Codec.AppendControl(nil, websocket.Ping, nil)
				c.Write(ping)
			}},
		{"OnBufferFull or OnError", "tcp", func(w *workerman.Worker, hold func()) {
			w.OnConnect, w.OnError = flood, func(*workerman.Conn, error) { hold() }
		}, send("")},
		{"OnBufferDrain", "tcp", func(w *workerman.Worker, hold func()) {
			w.OnConnect, w.OnBufferDrain = flood, func(*workerman.Conn) { hold() }
		}, func(t *testing.T, s *service, w *workerman.Worker) {
			c := dial(t, w)
			go io.Copy(io.Discard, c)
		}},
		{"Input", "tcp", func(w *workerman.Worker, hold func()) { w.Protocol = heldProtocol{input: hold} }, send("x")},
		{"Decode", "tcp", func(w *workerman.Worker, hold func()) { w.Protocol = heldProtocol{decode: hold} }, send("x")},
		{"Post", "tcp", func(w *workerman.Worker, hold func()) { w.OnConnect = func(c *workerman.Conn) { c.Post(hold) } }, send("")},
		{"timer", "tcp", func(w *workerman.Worker, hold func()) {
			w.OnConnect = func(c *workerman.Conn) { c.Every(time.Millisecond, hold) }
		}, send("")},
		{"timer", "tcp", func(w *workerman.Worker, hold func()) { w.Master().AddTimer(time.Millisecond, hold) }, nothing},
		{"Post", "tcp", func(w *workerman.Worker, hold func()) {
			w.OnWorkerStart = func(w *workerman.Worker) error { w.Post(hold); return nil }
		}, nothing},
		{"Post", "tcp", func(w *workerman.Worker, hold func()) {
			w.OnWorkerStart = func(w *workerman.Worker) error { w.EventLoop().Post(hold); return nil }
		}, nothing},
		{"Async", "tcp", func(w *workerman.Worker, hold func()) {
			w.OnConnect = func(c *workerman.Conn) {
				workerman.Async(c, func() (int, error) { return 1, nil }, func(int, error) { hold() })
			}
		}, send("")},
		{"OnMessage", "text", func(w *workerman.Worker, hold func()) { // a library of ours lies between
			w.OnMessage = workerman.JSON(func(c *workerman.Conn, n int) { hold() })
		}, send("1\n")},
		{"OnMessage", "tcp", func(w *workerman.Worker, hold func()) { // the loop called OnMessage, and that what stands
			w.Protocol = heldProtocol{encode: hold}
			w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
		}, send("x")},
	} {
		for _, way := range []string{"spin", "sleep"} {
			t.Run(test.callback+"/"+test.scheme+"/"+way, func(t *testing.T) {
				var held stall
				hold := held.sleep
				if way == "spin" {
					hold = held.spin
				}
				s, w := serve(t, kind{Network: "tcp"}, test.scheme, func(w *workerman.Worker) {
					w.Master().SlowCallback = 40 * time.Millisecond
					w.Master().StopTimeout = 100 * time.Millisecond // requests have no answer
					test.set(w, func() { hold() })
				})
				defer held.released.Store(true)
				test.act(t, s, w)
				l := heldIn(t, s.Master, test.callback)
				if !strings.HasPrefix(l.Place, workerman.CallbackNames.Module+"_test.(*stall)."+way+" (") || !strings.Contains(l.Place, "/status_watch_test.go:") {
					t.Errorf("got the place %q of %s, want (*stall).%s in this file", l.Place, test.callback, way)
				}
				if way == "sleep" && !strings.HasSuffix(l.Place, ") in time.Sleep") {
					t.Errorf("got the place %q of %s, want (*stall).%s in this file", l.Place, test.callback, way)
				}
				eventually(t, "it is logged", func() bool { return len(s.Log.Lines(holds, "worker=under-test", "callback=", test.callback)) > 0 })
				held.released.Store(true)
				eventually(t, "its end is logged", func() bool { return len(s.Log.Lines(returned, test.callback, "took=")) > 0 })
			})
		}
	}
}

// heldProtocol is text whose functions hold the loop.
type heldProtocol struct{ input, decode, encode func() }

func (p heldProtocol) Input(c *workerman.Conn, buf []byte) (int, error) {
	if p.input != nil {
		p.input()
	}
	return len(buf), nil
}

func (p heldProtocol) Decode(c *workerman.Conn, frame []byte) ([]byte, error) {
	if p.decode != nil {
		p.decode()
	}
	return frame, nil
}

func (p heldProtocol) Encode(c *workerman.Conn, dst, data []byte) ([]byte, error) {
	if p.encode != nil {
		p.encode()
	}
	return append(dst, data...), nil
}

func TestSlowStartAndStop(t *testing.T) {
	var start, stop stall
	s := newService(t, kind{})
	s.Master.SlowCallback = 40 * time.Millisecond
	w := s.NewWorker("tcp://127.0.0.1:0")
	w.Name = "under-test"
	w.OnWorkerStart = func(*workerman.Worker) error { start.sleep(); return nil }
	w.OnWorkerStop = func(*workerman.Worker) { stop.sleep() }
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		heldIn(t, s.Master, "OnWorkerStart")
		eventually(t, "it is logged", func() bool { return len(s.Log.Lines(holds, "level=INFO", "OnWorkerStart")) == 1 })
		start.released.Store(true)
	}()
	s.Start()
	testkit.Receive(t, ended, "OnWorkerStart")
	go func() {
		defer stop.released.Store(true)
		heldIn(t, s.Master, "OnWorkerStop")
	}()
	s.Stop()
	if len(s.Log.Lines(returned, "OnWorkerStart")) != 1 {
		t.Errorf("the end is not logged\n%s", s.Log)
	}
}

func TestSlowCallbacksOfClients(t *testing.T) {
	var held stall
	s, w := serve(t, kind{Network: "tcp"}, "text", func(w *workerman.Worker) {
		w.Master().SlowCallback = 40 * time.Millisecond
		echo(w)
	})
	defer held.released.Store(true)
	cl := clientOf(s, w, "text")
	cl.OnMessage = func(*workerman.Conn, []byte) { held.spin() }
	connect(t, cl)
	cl.Send([]byte("x"))
	heldIn(t, s.Master, "OnMessage")
	held.released.Store(true)
	refused := s.Master.NewClient("tcp://127.0.0.1:1")
	var again stall
	defer again.released.Store(true)
	refused.OnError = func(*workerman.Conn, error) { again.sleep() }
	connect(t, refused)
	heldIn(t, s.Master, "OnError")
}

func TestWatchdogThatIsOff(t *testing.T) {
	var held stall
	s, w := serve(t, kind{Network: "tcp"}, "tcp", func(w *workerman.Worker) { w.Master().SlowCallback = -1 })
	defer held.released.Store(true)
	w.Post(held.sleep)
	heldIn(t, s.Master, "Post") // who asks gets an answer
	held.released.Store(true)
	done := make(chan struct{})
	w.Post(func() { close(done) })
	testkit.Receive(t, done, "a later function")
	if f := s.Master.Figures(); f.Slow != 0 || len(s.Log.Lines(holds)) != 0 {
		t.Errorf("%+v\n%s", f, s.Log)
	}
}

func stackOf(t *testing.T, m *workerman.Master) string {
	t.Helper()
	var out bytes.Buffer
	if err := m.WriteStack(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestStack(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		var held stall
		s, w := serve(t, k, "tcp", func(w *workerman.Worker) {
			w.Loops = 2
			w.OnMessage = func(*workerman.Conn, []byte) { held.sleep() }
		})
		defer held.released.Store(true)
		wait := make(chan struct{})
		for range 7 {
			go func() { <-wait }()
		}
		defer close(wait)
		eventually(t, "both loops are idle", func() bool {
			text := stackOf(t, s.Master)
			return strings.HasPrefix(text, "event loop 1: idle\n\nevent loop 2: idle\n\n")
		})
		dial(t, w).Write([]byte("x"))
		heldIn(t, s.Master, "OnMessage")
		text := stackOf(t, s.Master)
		for _, want := range []string{": idle\n", ": in OnMessage, for ", ", at " + workerman.CallbackNames.Module + "_test.(*stall).sleep (", ") in time.Sleep\n    time.Sleep  ", "\n7 goroutines: chan receive\n", "    begun by "} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not there\n%s", want, text)
			}
		}
		for _, noise := range []string{"\t", "    runtime.", "writeStack", "WriteStack", "+0x"} {
			if strings.Contains(text, noise) {
				t.Errorf("%q is there\n%s", noise, text)
			}
		}
		broken := errors.New("broken")
		if err := s.Master.WriteStack(failingWriter{broken}); err != broken {
			t.Errorf("%v", err)
		}
	})
}

// Who renames a function that calls a callback has to rename it in the table, too.
func TestCallbackNamesExist(t *testing.T) {
	packages := make(map[string]map[string]bool) // functions by the folder of their package
	for name, callback := range workerman.CallbackNames.Names {
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

// failingWriter writes nothing.
type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
