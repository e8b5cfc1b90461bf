package web

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// paths answers with what was asked.
func paths(w *workerman.Worker) {
	w.OnRequest = func(c *workerman.Conn, r *web.Request) {
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
			answer, body := r.Answer("POST")
			if answer.StatusCode != 200 || body != "POST /a b hello" || answer.Header.Get("Date") == "" || answer.Close {
				t.Errorf("%d: %v %q", i, answer, body)
			}
		}
		if n := w.Stats().Requests; n != 3 {
			t.Errorf("%d requests counted", n)
		}
	})
}

func TestHTTPAnswersLaterInOrder(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "http", func(w *workerman.Worker) {
			w.OnRequest = func(c *workerman.Conn, r *web.Request) {
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
			if _, body := r.Answer("GET"); body != []string{"/now", "/later"}[i%2] {
				t.Fatalf("answer %d: %q", i, body)
			}
		}
		if _, body := r.Answer("GET"); body != "/last" {
			t.Fatal(body)
		}
		r.Ends()
	})
}

// connections delivers the connections of a worker as soon as there are some.
func connections(w *workerman.Worker) <-chan *workerman.Conn {
	ch := make(chan *workerman.Conn)
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
		_, w := serve(t, k, "http", func(w *workerman.Worker) {
			w.OnRequest = func(c *workerman.Conn, r *web.Request) {
				path, answer := r.Path(), c.Responder()
				c.After(20*time.Millisecond, func() { answer.Respond(web.Text(path)) })
			}
		})
		c := dial(t, w)
		io.WriteString(c, get("/1")+get("/2"))
		c.(interface{ CloseWrite() error }).CloseWrite()
		r := newReader(t, c)
		for _, want := range []string{"/1", "/2"} {
			if _, body := r.Answer("GET"); body != want {
				t.Errorf("%q, want %q", body, want)
			}
		}
		r.Ends()
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
			s, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
				paths(w)
				w.MaxPackageSize = 1 << 20
			})
			answer := talk(t, w, get("/first")+test.in+get("/never"))
			first, second, _ := strings.Cut(answer, "GET /first ")
			if !strings.HasPrefix(first, "HTTP/1.1 200 OK\r\n") || !strings.HasPrefix(second, "HTTP/1.1 "+test.status+" ") ||
				!strings.Contains(second, "\r\nConnection: close\r\n") || strings.Contains(second, "never") {
				t.Errorf("%q", answer)
			}
			if lines := s.Log.Lines("connection closed", "under-test", "127.0.0.1", test.log); len(lines) != 1 {
				t.Errorf("%s", s.Log)
			}
		})
	}
}

func TestHTTPClosesSlowClients(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "http", func(w *workerman.Worker) {
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
		if n := len(s.Log.Lines("not complete after")); n != 4 {
			t.Errorf("%d lines about 408\n%s", n, s.Log)
		}
	})
}

func TestHTTPContinues(t *testing.T) {
	_, w := serve(t, kind{Network: "tcp"}, "http", paths)
	c := dial(t, w)
	io.WriteString(c, "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
	const continueLine = "HTTP/1.1 100 Continue\r\n\r\n"
	line := make([]byte, len(continueLine))
	if _, err := io.ReadFull(c, line); err != nil || string(line) != continueLine {
		t.Fatalf("%q, %v", line, err)
	}
	io.WriteString(c, "hi")
	if _, body := newReader(t, c).Answer("PUT"); body != "PUT / hi" {
		t.Error(body)
	}
}

func TestHTTPSendIsAPage(t *testing.T) {
	_, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
		w.OnRequest = func(c *workerman.Conn, r *web.Request) {
			if r.Path() == "/last" {
				c.CloseWith([]byte("bye"))
			} else {
				c.Send([]byte("hi"))
			}
			if err := c.Send([]byte("again")); err != workerman.ErrNoRequest && err != workerman.ErrClosed {
				t.Errorf("second answer: %v", err)
			}
		}
	})
	c := dial(t, w)
	io.WriteString(c, get("/")+get("/last"))
	r := newReader(t, c)
	for _, want := range []string{"hi", "bye"} {
		if answer, body := r.Answer("GET"); body != want || answer.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%v %q", answer.Header, body)
		}
	}
	r.Ends()
}

func TestHTTPPanicIsA500(t *testing.T) {
	s, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
		w.OnRequest = func(c *workerman.Conn, r *web.Request) { panic("no good") }
	})
	if answer := talk(t, w, get("/")); !strings.HasPrefix(answer, "HTTP/1.1 500 ") || strings.Contains(answer, "no good") {
		t.Error(answer)
	}
	if len(s.Log.Lines("no good")) != 1 {
		t.Error(s.Log)
	}
}

func TestHTTPPanicBehindAnAnswerIsNoSecondAnswer(t *testing.T) {
	_, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
		w.OnRequest = func(c *workerman.Conn, r *web.Request) {
			c.Respond(web.Text("done"))
			panic("no good")
		}
	})
	if answer := talk(t, w, get("/")); !strings.HasSuffix(answer, "\r\n\r\ndone") || strings.Contains(answer, "500") {
		t.Errorf("%q", answer)
	}
}

func TestForgottenCallbacks(t *testing.T) {
	request := func(w *workerman.Worker) { w.OnRequest = func(*workerman.Conn, *web.Request) {} }
	for _, test := range []struct {
		scheme    string
		configure func(w *workerman.Worker)
		advice    string
	}{
		{"http", nil, "404"}, {"http", request, ""}, {"http", func(w *workerman.Worker) { w.Handle(http.NewServeMux()) }, ""},
		{"websocket", request, "c.Upgrade"}, {"websocket", nil, ""}, {"text", request, "schemes http and websocket"}, {"text", nil, ""},
	} {
		s, _ := serve(t, kind{Network: "tcp"}, test.scheme, test.configure)
		lines := s.Log.Lines("a callback is missing", "under-test")
		if test.advice == "" && len(lines) > 0 || test.advice != "" && (len(lines) != 1 || !strings.Contains(lines[0], test.advice)) {
			t.Errorf("%s: %q, want %q", test.scheme, lines, test.advice)
		}
	}
}

func TestHTTPWithoutOnRequestIsA404(t *testing.T) {
	_, w := serve(t, kind{Network: "tcp"}, "http", nil)
	if answer := talk(t, w, get("/", "Connection: close")); !strings.HasPrefix(answer, "HTTP/1.1 404 ") {
		t.Error(answer)
	}
}

func TestHTTPFinishesARequestAtTheStop(t *testing.T) {
	begun := make(chan workerman.Responder, 1)
	s, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
		w.OnRequest = func(c *workerman.Conn, r *web.Request) { begun <- c.Responder() }
	})
	c := dial(t, w)
	io.WriteString(c, get("/"))
	late := receive(t, begun, "the request")
	s.BeginStop()
	eventually(t, "the stop has begun", func() bool { return w.Addr() == nil })
	if err := late.Respond(web.Text("done")); err != nil {
		t.Error(err)
	}
	r := newReader(t, c)
	if answer, body := r.Answer("GET"); body != "done" {
		t.Error(answer, body)
	}
	r.Ends()
}

func TestAccessLog(t *testing.T) {
	s, w := serveWith(t, kind{Network: "tcp"}, "http", func(s *service, w *workerman.Worker) {
		paths(w)
		w.AccessLog = s.Master.Logger
	})
	talk(t, w, get("/p?q=1", "User-Agent: tests", "Connection: close"))
	eventually(t, "the request is in the log", func() bool { // behind the answer
		return len(s.Log.Lines("msg=request", "method=GET", `target="/p?q=1"`, "status=200", "bytes=7", "agent=tests", "peer=127.0.0.1")) == 1
	})
}

func TestAccessLogOfAClientThatLeaves(t *testing.T) {
	begun := make(chan struct{}, 2)
	s, w := serveWith(t, kind{Network: "tcp"}, "http", func(s *service, w *workerman.Worker) {
		w.OnRequest = func(c *workerman.Conn, r *web.Request) {
			if r.Path() == "/stream" {
				c.Stream(web.EventStream())
			}
			begun <- struct{}{}
		}
		w.AccessLog = s.Master.Logger
	})
	for _, path := range []string{"/stream", "/never"} {
		c := dial(t, w)
		io.WriteString(c, get(path))
		receive(t, begun, "the request")
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
		eventually(t, "the line is there", func() bool { return len(s.Log.Lines("msg=request", "target="+path, "status=499")) == 1 })
	}
}

func TestHTTPByteByByte(t *testing.T) {
	_, w := serve(t, kind{Network: "tcp"}, "http", paths)
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
		if _, body := r.Answer("GET"); body != want {
			t.Errorf("%q, want %q", body, want)
		}
	}
}

// A protocol of one's own may begin as a request of HTTP.
