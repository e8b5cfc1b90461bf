package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// mount starts an http worker with a handler.
func mount(t *testing.T, k kind, h http.HandlerFunc, configure ...func(w *workerman.Worker)) (*service, *workerman.Worker) {
	t.Helper()
	return serve(t, k, "http", func(w *workerman.Worker) {
		w.Handle(h)
		for _, fn := range configure {
			fn(w)
		}
	})
}

// client is a client of net/http whose connections all go to w.
func client(t *testing.T, w *workerman.Worker) *http.Client {
	a := w.Addr()
	transport := &http.Transport{
		MaxIdleConnsPerHost: 1000,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, a.Network(), a.String())
		},
		DisableCompression: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// fetch gets a URL and returns the status and the body.
func fetch(t *testing.T, c *http.Client, url string) (status int, body string) {
	t.Helper()
	answer, err := c.Get(url)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	return answer.StatusCode, string(b)
}

func TestHandleServesAMux(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		mux := http.NewServeMux()
		mux.HandleFunc("POST /echo/{name}", func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			fmt.Fprintf(w, "%s %s", r.PathValue("name"), body)
		})
		_, w := mount(t, k, mux.ServeHTTP)
		c := client(t, w)
		for i := range 3 {
			answer, err := c.Post("http://a/echo/x%2Fy", "text/plain", strings.NewReader("hi"))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if answer.StatusCode != 200 || string(body) != "x/y hi" || answer.ContentLength != 6 || err != nil {
				t.Errorf("%d: %v %q %v", i, answer, body, err)
			}
		}
		if status, _ := fetch(t, c, "http://a/other"); status != 404 {
			t.Error(status)
		}
		if n := w.Stats(); n.Requests != 4 || n.Accepted != 1 {
			t.Errorf("%+v", n)
		}
	})
}

func TestHandleServesAThousandAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		const n = 1000
		var all sync.WaitGroup
		all.Add(n)
		_, w := mount(t, k, func(w http.ResponseWriter, r *http.Request) {
			all.Done()
			all.Wait() // so that they all run at the same time
			io.WriteString(w, r.URL.Path)
		}, func(w *workerman.Worker) { w.Loops = 2 })
		c := client(t, w)
		var clients sync.WaitGroup
		for i := range n {
			clients.Go(func() {
				path := fmt.Sprintf("/%d", i)
				if status, body := fetch(t, c, "http://a"+path); status != 200 || body != path {
					t.Errorf("%s: %d %q", path, status, body)
				}
			})
		}
		clients.Wait()
	})
}

func TestHandleAnswersAPipelineInOrder(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := mount(t, k, func(w http.ResponseWriter, r *http.Request) {
			for range rand.IntN(3) {
				runtime.Gosched()
			}
			b, _ := io.ReadAll(r.Body)
			fmt.Fprint(w, r.URL.Path, string(b))
		})
		c := dial(t, w)
		const n = 300
		go func() {
			for i := range n {
				fmt.Fprintf(c, "POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n b", i)
			}
		}()
		r := newReader(t, c)
		for i := range n {
			if _, body := r.Answer("POST"); body != fmt.Sprintf("/%d b", i) {
				t.Fatalf("answer %d: %q", i, body)
			}
		}
	})
}

func TestHandleKnowsItsConnection(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		type facts struct {
			conn          *workerman.Conn
			local, remote string
		}
		seen := make(chan facts, 1)
		opened := make(chan *workerman.Conn, 1)
		_, w := mount(t, k, func(w http.ResponseWriter, r *http.Request) {
			local := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
			seen <- facts{workerman.ConnOf(r.Context()), local.String(), r.RemoteAddr}
		}, func(w *workerman.Worker) { w.OnConnect = func(c *workerman.Conn) { opened <- c } })
		c := dial(t, w)
		io.WriteString(c, get("/"))
		remote := c.LocalAddr().String()
		if k.Network == "unix" {
			remote = "@"
		}
		want := facts{receive(t, opened, "OnConnect"), w.Addr().String(), remote}
		if got := receive(t, seen, "the request"); got != want {
			t.Errorf("%v, want %v", got, want)
		}
		if workerman.ConnOf(context.Background()) != nil {
			t.Error("a connection of another context")
		}
	})
}

func TestContextEndsWhenTheClientLeaves(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		begun, ended := make(chan struct{}), make(chan error)
		_, w := mount(t, k, func(w http.ResponseWriter, r *http.Request) {
			left := w.(interface{ CloseNotify() <-chan bool }).CloseNotify()
			begun <- struct{}{}
			<-r.Context().Done()
			<-left
			ended <- context.Cause(r.Context())
		})
		for _, leave := range []func(c net.Conn){
			func(c net.Conn) { c.Close() },
			func(c net.Conn) { c.(interface{ CloseWrite() error }).CloseWrite() },
			func(c net.Conn) {
				if tcp, ok := c.(*net.TCPConn); ok {
					tcp.SetLinger(0)
				}
				c.Close()
			},
		} {
			c := dial(t, w)
			io.WriteString(c, get("/"))
			receive(t, begun, "the request")
			leave(c)
			if err := receive(t, ended, "the end of the context"); err != context.Canceled {
				t.Error(err)
			}
		}
	})
}

func TestContextAndBodyEndWithTheHandler(t *testing.T) {
	requests := make(chan *http.Request, 1)
	_, w := mount(t, kind{Network: "tcp"}, func(w http.ResponseWriter, r *http.Request) { requests <- r })
	c := dial(t, w)
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
	newReader(t, c).Answer("POST")
	r := receive(t, requests, "the request")
	<-r.Context().Done()
	eventually(t, "the body is closed", func() bool {
		_, err := r.Body.Read(make([]byte, 1))
		return err == http.ErrBodyReadAfterClose
	})
}

func TestHandlerPanics(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		s, w := mount(t, k, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/late":
				io.WriteString(w, "some")
				w.(http.Flusher).Flush()
			case "/abort":
				panic(http.ErrAbortHandler)
			case "/exit":
				runtime.Goexit()
			case "/code":
				w.WriteHeader(99)
			}
			panic("on purpose")
		})
		for _, test := range []struct{ path, want string }{
			{"/", "HTTP/1.1 500 "}, {"/code", "HTTP/1.1 500 "}, {"/late", "\r\n4\r\nsome\r\n"}, {"/abort", ""}, {"/exit", ""},
		} {
			answer := talk(t, w, get(test.path))
			if !strings.Contains(answer, test.want) || test.want == "" && answer != "" || strings.Contains(answer, "0\r\n\r\n") {
				t.Errorf("%s: %q", test.path, answer)
			}
		}
		if n := w.Stats().Panics; n != 3 {
			t.Errorf("%d panics counted", n)
		}
		if lines := s.Log.Lines("panic in a callback", "under-test"); len(lines) != 3 || !strings.Contains(lines[0], "on purpose") {
			t.Errorf("%s", s.Log)
		}
	})
}

func TestHandlerMistakesAreLogged(t *testing.T) {
	s, w := mount(t, kind{Network: "tcp"}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "five")
		w.WriteHeader(201)
		w.WriteHeader(500)
		io.WriteString(w, "hello")
	})
	answer := talk(t, w, get("/", "Connection: close"))
	if !strings.HasPrefix(answer, "HTTP/1.1 201 ") || !strings.Contains(answer, "\r\nContent-Length: 5\r\n") {
		t.Errorf("%q", answer)
	}
	for _, what := range []string{"superfluous WriteHeader", "invalid Content-Length"} {
		if lines := s.Log.Lines(what, "under-test", "127.0.0.1", "TestHandlerMistakesAreLogged", "handler_test.go:"); len(lines) != 1 {
			t.Errorf("%s", s.Log)
		}
	}
}

func TestHandleRefusesWhatContradictsIt(t *testing.T) {
	for _, test := range []struct {
		address, want string
		configure     func(w *workerman.Worker)
	}{
		{"text://127.0.0.1:0", "scheme http", func(*workerman.Worker) {}},
		{"websocket://127.0.0.1:0", "scheme http", func(*workerman.Worker) {}},
		{"http://127.0.0.1:0", "Handle and OnRequest", func(w *workerman.Worker) { w.OnRequest = func(*workerman.Conn, *web.Request) {} }},
	} {
		m := &workerman.Master{Logger: discardLogger()}
		w := m.NewWorker(test.address)
		w.Handle(http.NotFoundHandler())
		test.configure(w)
		if err := m.Run(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.address, err)
		}
	}
}

func TestHandlerAtTheStop(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		begun, release, cut := make(chan struct{}), make(chan struct{}), make(chan struct{})
		s, w := mount(t, k, func(w http.ResponseWriter, r *http.Request) {
			begun <- struct{}{}
			if r.URL.Path == "/endless" {
				<-r.Context().Done()
				close(cut)
				return
			}
			<-release
			io.WriteString(w, "done")
		})
		s.Master.StopTimeout = 300 * time.Millisecond
		finishes, endless := dial(t, w), dial(t, w)
		io.WriteString(finishes, get("/"))
		receive(t, begun, "the request")
		io.WriteString(endless, get("/endless"))
		receive(t, begun, "the request")
		s.BeginStop()
		eventually(t, "the stop has begun", func() bool { return w.Addr() == nil })
		close(release)
		r := newReader(t, finishes)
		if answer, body := r.Answer("GET"); body != "done" || !answer.Close {
			t.Error(answer, body)
		}
		r.Ends()
		receive(t, cut, "the end of the endless request")
	})
}

func TestHandlerServesFiles(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		dir := t.TempDir()
		content := string(numbered(1, 3<<20))
		if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, w := mount(t, k, http.FileServer(http.Dir(dir)).ServeHTTP)
		c := client(t, w)
		if status, body := fetch(t, c, "http://a/a.txt"); status != 200 || body != content {
			t.Errorf("%d, %d bytes", status, len(body))
		}
		if status, body := fetch(t, c, "http://a/"); status != 200 || !strings.Contains(body, "a.txt") {
			t.Errorf("%d %q", status, body)
		}
		ask, _ := http.NewRequest("GET", "http://a/a.txt", nil)
		ask.Header.Set("Range", "bytes=100-1000099")
		answer, err := c.Do(ask)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if answer.StatusCode != 206 || answer.ContentLength != 1_000_000 || string(body) != content[100:1_000_100] || err != nil {
			t.Errorf("%v, %d bytes, %v", answer, len(body), err)
		}
	})
}

func TestHandlerSendsEvents(t *testing.T) {
	ended := make(chan struct{})
	_, w := mount(t, kind{Network: "tcp"}, func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		w.Header().Set("Content-Type", "text/event-stream")
		for i := 0; r.Context().Err() == nil; i++ {
			fmt.Fprintf(w, "data: %d\n\n", i)
			if err := http.NewResponseController(w).Flush(); err != nil && !errors.Is(err, workerman.ErrClosed) {
				t.Error(err)
			}
			if i == 2 {
				<-r.Context().Done()
			}
		}
	})
	answer, err := client(t, w).Get("http://a/")
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len("data: 0\n\n")*3)
	if _, err := io.ReadFull(answer.Body, got); err != nil || string(got) != "data: 0\n\ndata: 1\n\ndata: 2\n\n" {
		t.Errorf("%q, %v", got, err)
	}
	answer.Body.Close()
	receive(t, ended, "the end of the handler")
}

func TestHandlerIsInTheAccessLog(t *testing.T) {
	s, w := serveWith(t, kind{Network: "tcp"}, "http", func(s *service, w *workerman.Worker) {
		w.Handle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(404)
			io.WriteString(w, "nothing")
		}))
		w.AccessLog = s.Master.Logger
	})
	talk(t, w, get("/p?q=1", "Connection: close"))
	eventually(t, "the request is in the log", func() bool { // behind the answer
		return len(s.Log.Lines("msg=request", "method=GET", `target="/p?q=1"`, "status=404", "bytes=7")) == 1
	})
}
