package workerman

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/web"
)

// talk sends a request as it is and returns what comes until the end of the connection.
func talk(t *testing.T, w *Worker, request string) string {
	t.Helper()
	c := dial(t, w)
	io.WriteString(c, request)
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("%q, %v", answer, err)
	}
	return string(answer)
}

// get is a request for a path.
func get(path string, fields ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n"
}

// reader reads answers as a client does.
type reader struct {
	t *testing.T
	b *bufio.Reader
}

func newReader(t *testing.T, c net.Conn) *reader { return &reader{t, bufio.NewReader(c)} }

// answer reads one answer and its body.
func (r *reader) answer(method string) (*http.Response, string) {
	r.t.Helper()
	answer, err := http.ReadResponse(r.b, &http.Request{Method: method})
	if err != nil {
		r.t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatalf("%q: %v", body, err)
	}
	return answer, string(body)
}

// ends checks that nothing follows.
func (r *reader) ends() {
	r.t.Helper()
	if rest, err := io.ReadAll(r.b); err != nil || len(rest) > 0 {
		r.t.Errorf("%q, %v follows", rest, err)
	}
}

// paths answers with what was asked.
func paths(w *Worker) {
	w.OnRequest = func(c *Conn, r *web.Request) {
		c.Respond(web.Text(r.Method() + " " + r.Path() + " " + string(r.Body())))
	}
}

func TestHTTPAnswersARequest(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "http", paths)
		c := dial(t, w)
		r := newReader(t, c)
		for i := range 3 {
			fmt.Fprint(c, "POST /a%20b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
			answer, body := r.answer("POST")
			if answer.StatusCode != 200 || body != "POST /a b hello" || answer.Header.Get("Date") == "" || answer.Close {
				t.Errorf("%d: %v %q", i, answer, body)
			}
		}
		if n := w.Stats().Requests; n != 3 {
			t.Errorf("%d requests counted", n)
		}
	})
}

func TestHTTPAnswersAPipelineInOrderWithOneWrite(t *testing.T) {
	_, w := serve(t, kind{network: "tcp"}, "http", paths)
	var in strings.Builder
	for i := range 100 {
		in.WriteString(get(fmt.Sprintf("/%d", i)))
	}
	c := dial(t, w)
	counters := w.runningServer().loops[0].Counters()
	before := counters.Writes.Load()
	io.WriteString(c, in.String())
	r := newReader(t, c)
	for i := range 100 {
		if _, body := r.answer("GET"); body != fmt.Sprintf("GET /%d ", i) {
			t.Fatalf("answer %d: %q", i, body)
		}
	}
	if n := counters.Writes.Load() - before; n > 3 {
		t.Errorf("%d writes", n)
	}
}

func TestHTTPAnswersLaterInOrder(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "http", func(w *Worker) {
			w.OnRequest = func(c *Conn, r *web.Request) {
				path := r.Path()
				if r.Path() == "/now" {
					c.Respond(web.Text(path))
					return
				}
				go c.Responder().Respond(web.Text(path))
			}
		})
		c := dial(t, w)
		var in strings.Builder
		for i := range 200 {
			in.WriteString(get([]string{"/now", "/later"}[i%2]))
		}
		in.WriteString(get("/last", "Connection: close"))
		go io.WriteString(c, in.String())
		r := newReader(t, c)
		for i := range 200 {
			if _, body := r.answer("GET"); body != []string{"/now", "/later"}[i%2] {
				t.Fatalf("answer %d: %q", i, body)
			}
		}
		if _, body := r.answer("GET"); body != "/last" {
			t.Fatal(body)
		}
		r.ends()
	})
}

func TestHTTPHoldsAPipelineBack(t *testing.T) {
	release := make(chan struct{})
	_, w := serve(t, kind{network: "tcp"}, "http", func(w *Worker) {
		w.OnRequest = func(c *Conn, r *web.Request) {
			answer := c.Responder()
			go func() {
				<-release
				answer.Respond(web.Text("x"))
			}()
		}
	})
	c := dial(t, w)
	const n = 20_000 // some 800 KB of requests
	go io.WriteString(c, strings.Repeat(get("/"), n))
	conn := <-connections(w)
	eventually(t, "reading is paused", func() bool { return conn.stream.Paused() })
	in, _, _ := conn.stream.Counts()
	if in > 2*maxPipelined {
		t.Errorf("%d bytes taken in", in)
	}
	close(release)
	r := newReader(t, c)
	for range n {
		r.answer("GET")
	}
}

// connections delivers the connections of a worker as soon as there are some.
func connections(w *Worker) <-chan *Conn {
	ch := make(chan *Conn)
	go func() {
		for {
			for c := range w.Connections() {
				ch <- c
				return
			}
		}
	}()
	return ch
}

func TestHTTPAnswersAClientThatHasClosedItsHalf(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "http", func(w *Worker) {
			w.OnRequest = func(c *Conn, r *web.Request) {
				path, answer := r.Path(), c.Responder()
				c.After(20*time.Millisecond, func() { answer.Respond(web.Text(path)) })
			}
		})
		c := dial(t, w)
		io.WriteString(c, get("/1")+get("/2"))
		c.(interface{ CloseWrite() error }).CloseWrite()
		r := newReader(t, c)
		for _, want := range []string{"/1", "/2"} {
			if _, body := r.answer("GET"); body != want {
				t.Errorf("%q, want %q", body, want)
			}
		}
		r.ends()
	})
}

func TestHTTPRefusesOnce(t *testing.T) {
	for _, test := range []struct {
		name, in string
		status   string
		log      string
	}{
		{"bad request line", "GET /\r\n\r\n", "400", "malformed request line"},
		{"no host", "GET / HTTP/1.1\r\n\r\n", "400", "no Host"},
		{"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "400", "more than one Content-Length"},
		{"smuggling", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", "Content-Length and Transfer-Encoding"},
		{"too large", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n", "413", "body too long"},
		{"long line", "GET /" + strings.Repeat("x", 9000) + " HTTP/1.1\r\n\r\n", "414", "request line too long"},
		{"long head", "GET / HTTP/1.1\r\nA: " + strings.Repeat("x", 17000) + "\r\n\r\n", "431", "header too long"},
		{"version", "GET / HTTP/2.0\r\n\r\n", "505", "not HTTP/1.x"},
		{"method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "501", "unknown method"},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", "400", "line feed without carriage return"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, w := serve(t, kind{network: "tcp"}, "http", func(w *Worker) {
				paths(w)
				w.MaxPackageSize = 1 << 20
			})
			answer := talk(t, w, get("/first")+test.in+get("/never"))
			first, second, _ := strings.Cut(answer, "GET /first ")
			if !strings.HasPrefix(first, "HTTP/1.1 200 OK\r\n") || !strings.HasPrefix(second, "HTTP/1.1 "+test.status+" ") ||
				!strings.Contains(second, "\r\nConnection: close\r\n") || strings.Contains(second, "never") {
				t.Errorf("%q", answer)
			}
			if lines := s.log.lines("connection closed", "under-test", "127.0.0.1", test.log); len(lines) != 1 {
				t.Errorf("%s", s.log)
			}
		})
	}
}

func TestHTTPClosesSlowClients(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "http", func(w *Worker) {
			paths(w)
			w.HTTP.HeaderTimeout = 50 * time.Millisecond
			w.HTTP.BodyTimeout = 50 * time.Millisecond
			w.IdleTimeout = 50 * time.Millisecond
		})
		for _, test := range []struct{ name, in, want string }{
			{"nothing", "", ""},
			{"half a head", "GET / HT", "HTTP/1.1 408 "},
			{"half a second head", get("/") + "GET / HT", "HTTP/1.1 200 | HTTP/1.1 408 "},
			{"half a body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab", "HTTP/1.1 408 "},
			{"half a chunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "HTTP/1.1 408 "},
			{"no second request", get("/"), "HTTP/1.1 200 "},
		} {
			t.Run(test.name, func(t *testing.T) {
				answer := talk(t, w, test.in)
				for _, want := range strings.Split(test.want, "|") {
					_, rest, found := strings.Cut(answer, strings.TrimLeft(want, " "))
					if !found {
						t.Fatalf("%q, want %q", answer, test.want)
					}
					answer = rest
				}
				if strings.Contains(answer, "HTTP/1.1 ") || test.want == "" && answer != "" {
					t.Errorf("too much: %q", answer)
				}
			})
		}
		if n := len(s.log.lines("not complete after")); n != 4 {
			t.Errorf("%d lines about 408\n%s", n, s.log)
		}
	})
}

func TestHTTPContinues(t *testing.T) {
	_, w := serve(t, kind{network: "tcp"}, "http", paths)
	c := dial(t, w)
	io.WriteString(c, "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
	line := make([]byte, len(continueLine))
	if _, err := io.ReadFull(c, line); err != nil || !bytes.Equal(line, continueLine) {
		t.Fatalf("%q, %v", line, err)
	}
	io.WriteString(c, "hi")
	if _, body := newReader(t, c).answer("PUT"); body != "PUT / hi" {
		t.Error(body)
	}
}

func TestHTTPSendIsAPage(t *testing.T) {
	_, w := serve(t, kind{network: "tcp"}, "http", func(w *Worker) {
		w.OnRequest = func(c *Conn, r *web.Request) {
			if r.Path() == "/last" {
				c.CloseWith([]byte("bye"))
			} else {
				c.Send([]byte("hi"))
			}
			if err := c.Send([]byte("again")); err != ErrNoRequest && err != ErrClosed {
				t.Errorf("second answer: %v", err)
			}
		}
	})
	c := dial(t, w)
	io.WriteString(c, get("/")+get("/last"))
	r := newReader(t, c)
	for _, want := range []string{"hi", "bye"} {
		if answer, body := r.answer("GET"); body != want || answer.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%v %q", answer.Header, body)
		}
	}
	r.ends()
}

func TestHTTPPanicIsA500(t *testing.T) {
	s, w := serve(t, kind{network: "tcp"}, "http", func(w *Worker) {
		w.OnRequest = func(c *Conn, r *web.Request) { panic("no good") }
	})
	if answer := talk(t, w, get("/")); !strings.HasPrefix(answer, "HTTP/1.1 500 ") || strings.Contains(answer, "no good") {
		t.Error(answer)
	}
	if len(s.log.lines("no good")) != 1 {
		t.Error(s.log)
	}
}

func TestHTTPPanicBehindAnAnswerIsNoSecondAnswer(t *testing.T) {
	_, w := serve(t, kind{network: "tcp"}, "http", func(w *Worker) {
		w.OnRequest = func(c *Conn, r *web.Request) {
			c.Respond(web.Text("done"))
			panic("no good")
		}
	})
	if answer := talk(t, w, get("/")); !strings.HasSuffix(answer, "\r\n\r\ndone") || strings.Contains(answer, "500") {
		t.Errorf("%q", answer)
	}
}

func TestForgottenCallbacks(t *testing.T) {
	request := func(w *Worker) { w.OnRequest = func(*Conn, *web.Request) {} }
	for _, test := range []struct {
		scheme    string
		configure func(w *Worker)
		advice    string
	}{
		{"http", nil, "404"}, {"http", request, ""}, {"http", func(w *Worker) { w.Handle(http.NewServeMux()) }, ""},
		{"websocket", request, "c.Upgrade"}, {"websocket", nil, ""}, {"text", request, "schemes http and websocket"}, {"text", nil, ""},
	} {
		s, _ := serve(t, kind{network: "tcp"}, test.scheme, test.configure)
		lines := s.log.lines("a callback is missing", "under-test")
		if test.advice == "" && len(lines) > 0 || test.advice != "" && (len(lines) != 1 || !strings.Contains(lines[0], test.advice)) {
			t.Errorf("%s: %q, want %q", test.scheme, lines, test.advice)
		}
	}
}

func TestHTTPWithoutOnRequestIsA404(t *testing.T) {
	_, w := serve(t, kind{network: "tcp"}, "http", nil)
	if answer := talk(t, w, get("/", "Connection: close")); !strings.HasPrefix(answer, "HTTP/1.1 404 ") {
		t.Error(answer)
	}
}

func TestHTTPFinishesARequestAtTheStop(t *testing.T) {
	begun := make(chan Responder, 1)
	s, w := serve(t, kind{network: "tcp"}, "http", func(w *Worker) {
		w.OnRequest = func(c *Conn, r *web.Request) { begun <- c.Responder() }
	})
	c := dial(t, w)
	io.WriteString(c, get("/"))
	late := receive(t, begun, "the request")
	s.cancel()
	eventually(t, "the stop has begun", func() bool { return s.master.stopping() && w.Addr() == nil })
	if err := late.Respond(web.Text("done")); err != nil {
		t.Error(err)
	}
	r := newReader(t, c)
	if answer, body := r.answer("GET"); body != "done" {
		t.Error(answer, body)
	}
	r.ends()
}

func TestAccessLog(t *testing.T) {
	s, w := serve(t, kind{network: "tcp"}, "http", func(w *Worker) {
		paths(w)
		w.AccessLog = w.master.Logger
	})
	talk(t, w, get("/p?q=1", "User-Agent: tests", "Connection: close"))
	eventually(t, "the request is in the log", func() bool { // behind the answer
		return len(s.log.lines("msg=request", "method=GET", `target="/p?q=1"`, "status=200", "bytes=7", "agent=tests", "peer=127.0.0.1")) == 1
	})
}

func TestAccessLogOfAClientThatLeaves(t *testing.T) {
	begun := make(chan struct{}, 2)
	s, w := serve(t, kind{network: "tcp"}, "http", func(w *Worker) {
		w.OnRequest = func(c *Conn, r *web.Request) {
			if r.Path() == "/stream" {
				c.Stream(web.EventStream())
			}
			begun <- struct{}{}
		}
		w.AccessLog = w.master.Logger
	})
	for _, path := range []string{"/stream", "/never"} {
		c := dial(t, w)
		io.WriteString(c, get(path))
		receive(t, begun, "the request")
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
		eventually(t, "the line is there", func() bool { return len(s.log.lines("msg=request", "target="+path, "status=499")) == 1 })
	}
}

func TestHTTPByteByByte(t *testing.T) {
	_, w := serve(t, kind{network: "tcp"}, "http", paths)
	c := dial(t, w)
	c.(*net.TCPConn).SetNoDelay(true)
	in := get("/a") + "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz" +
		"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n"
	go func() {
		for i := range len(in) {
			io.WriteString(c, in[i:i+1])
		}
	}()
	r := newReader(t, c)
	for _, want := range []string{"GET /a ", "POST /b xyz", "POST /c xyz"} {
		if _, body := r.answer("GET"); body != want {
			t.Errorf("%q, want %q", body, want)
		}
	}
}

// A protocol of one's own may begin as a request of HTTP.
