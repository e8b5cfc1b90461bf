package web

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

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
	"github.com/workerman-go/workerman/web"
)

func TestHTTPStreams(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "http", func(w *workerman.Worker) {
			w.OnRequest = func(c *workerman.Conn, r *web.Request) {
				st, err := c.Stream(web.Text("head "))
				if err != nil {
					t.Error(err)
					return
				}
				large := numbered(1, 100_000)
				send := func() {
					for i := range 3 {
						fmt.Fprintf(st, "piece %d ", i)
					}
					st.Write(nil)
					st.Write(large)
					if err := st.End(web.Field{Name: "X-Sum", Value: "6"}); err != nil {
						t.Error(err)
					}
					if _, err := st.Write([]byte("late")); err != workerman.ErrNoRequest && err != workerman.ErrClosed {
						t.Error(err)
					}
				}
				if r.Path() == "/later" {
					go send()
				} else {
					send()
				}
			}
		})
		want := "head piece 0 piece 1 piece 2 " + string(numbered(1, 100_000))
		c := dial(t, w)
		io.WriteString(c, get("/")+get("/later")+strings.Replace(get("/"), "GET", "HEAD", 1)+get("/"))
		r := newReader(t, c)
		for _, method := range []string{"GET", "GET", "HEAD", "GET"} {
			expected, sum := want, "6"
			if method == "HEAD" {
				expected, sum = "", ""
			}
			if answer, body := r.Answer(method); body != expected || answer.Trailer.Get("X-Sum") != sum {
				t.Errorf("%s: %.40q %v", method, body, answer.Trailer)
			}
		}
		answer := talk(t, w, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
		if head, body, _ := strings.Cut(answer, "\r\n\r\n"); body != want || strings.Contains(head, "chunked") {
			t.Errorf("%q %.40q", head, body)
		}
	})
}

func TestHTTPEvents(t *testing.T) {
	closed := make(chan error, 1)
	_, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
		w.OnRequest = func(c *workerman.Conn, r *web.Request) {
			st, _ := c.Stream(web.EventStream())
			st.Event(web.ServerSentEvent{Event: "tick", ID: "1", Data: "a\nb"})
			st.Heartbeat(time.Millisecond)
		}
		w.OnClose = func(c *workerman.Conn) { closed <- c.Err() }
	})
	c := dial(t, w)
	io.WriteString(c, get("/"))
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(answer, err)
	}
	want := "event: tick\nid: 1\ndata: a\ndata: b\n\n:\n\n:\n\n"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(answer.Body, got); err != nil || string(got) != want {
		t.Fatalf("%q, %v", got, err)
	}
	c.(*net.TCPConn).CloseWrite() // the tab was closed
	if err := receive(t, closed, "OnClose"); err != nil {
		t.Error(err)
	}
}

func TestHTTPEventsEndAtTheStop(t *testing.T) {
	begun := make(chan struct{}, 1)
	s, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
		w.OnRequest = func(c *workerman.Conn, r *web.Request) {
			c.Stream(web.EventStream())
			begun <- struct{}{}
		}
	})
	s.Master.StopTimeout = patience
	c := dial(t, w)
	io.WriteString(c, get("/"))
	receive(t, begun, "the request")
	s.Stop()
	if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
		t.Error(err)
	}
	if len(s.Log.Lines("connections cut")) > 0 {
		t.Error(s.Log)
	}
}

func TestHTTPStreamKeepsToTheSendBuffer(t *testing.T) {
	full := make(chan struct{}, 1)
	_, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
		w.MaxSendBuffer = 64 << 10
		chunk := make([]byte, 8<<10)
		left := 32 << 20
		var st *workerman.Stream
		pump := func() {
			for left > 0 {
				if _, err := st.Write(chunk); err != nil {
					if err != workerman.ErrBufferFull {
						t.Error(err)
					}
					return
				}
				left -= len(chunk)
			}
			st.End()
		}
		w.OnRequest = func(c *workerman.Conn, r *web.Request) {
			st, _ = c.Stream(web.Bytes("text/plain", nil))
			pump()
		}
		w.OnBufferDrain = func(c *workerman.Conn) { pump() }
		w.OnBufferFull = func(c *workerman.Conn) {
			select {
			case full <- struct{}{}:
			default:
			}
		}
	})
	c := dial(t, w)
	workertest.ReadSlowly(c)
	io.WriteString(c, get("/"))
	receive(t, full, "OnBufferFull")
	if _, body := newReader(t, c).Answer("GET"); len(body) != 32<<20 {
		t.Errorf("%d bytes", len(body))
	}
}

func TestHTTPStreamWaitsInABlockingWorker(t *testing.T) {
	_, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
		w.MaxSendBuffer = 64 << 10
		w.Blocking = true
		w.OnRequest = func(c *workerman.Conn, r *web.Request) {
			st, err := c.Stream(web.Bytes("text/plain", nil))
			if err != nil {
				t.Error(err)
				return
			}
			if n, err := io.Copy(st, bytes.NewReader(numbered(3, 4<<20))); n != 4<<20 || err != nil {
				t.Error(n, err)
			}
			st.End()
		}
	})
	c := dial(t, w)
	io.WriteString(c, get("/")+get("/", "Connection: close"))
	r := newReader(t, c)
	for range 2 {
		if _, body := r.Answer("GET"); body != string(numbered(3, 4<<20)) {
			t.Errorf("%d bytes", len(body))
		}
	}
	r.Ends()
}

func TestHTTPBodyInPieces(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		for _, blocking := range []bool{false, true} {
			_, w := serve(t, k, "http", func(w *workerman.Worker) {
				w.Blocking = blocking
				w.HTTP.Body = web.Stream
				w.OnRequest = func(c *workerman.Conn, r *web.Request) {
					if r.Path() == "/early" {
						c.Respond(web.Status(403))
						return
					}
					c.Data = new(bytes.Buffer)
				}
				w.OnBody = func(c *workerman.Conn, r *web.Request, last bool) {
					b := c.Data.(*bytes.Buffer)
					b.Write(r.Body())
					if last {
						c.Respond(web.Text(fmt.Sprint(b.Len(), " ", r.Trailer("X-Sum"))))
						return
					}
					c.PauseRecv() // as if it were slow
					c.After(time.Microsecond, c.ResumeRecv)
				}
			})
			c := dial(t, w)
			r := newReader(t, c)
			body := strings.Repeat("x", 1<<20)
			chunked := "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("5\r\nhello\r\n", 200) + "0\r\nX-Sum: 9\r\n\r\n"
			go io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n"+body+chunked+
				"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"+get("/")+
				"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n"+body)
			for _, want := range []string{"1048576 ", "1000 9", "403 Forbidden", "0 ", "403 Forbidden"} {
				if _, got := r.Answer("POST"); got != want {
					t.Errorf("%q, want %q", got, want)
				}
			}
			r.Ends()
		}
	})
}

func TestHTTPGivesWayToAnotherProtocol(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		lines := workertest.Builtin(t, "text")
		_, w := serve(t, k, "http", func(w *workerman.Worker) {
			echo(w)
			w.OnRequest = func(c *workerman.Conn, r *web.Request) {
				c.Respond(web.Status(101).Set("Upgrade", "lines").Set("Connection", "Upgrade"))
				c.SetProtocol(lines)
			}
		})
		c := dial(t, w)
		io.WriteString(c, get("/")+"first\nGET / HTTP/1.1\nlast\n")
		c.(interface{ CloseWrite() error }).CloseWrite()
		answer, err := io.ReadAll(c)
		if head, lines, _ := strings.Cut(string(answer), "\r\n\r\n"); !strings.Contains(head, "Upgrade: lines") || lines != "first\nGET / HTTP/1.1\nlast\n" || err != nil {
			t.Errorf("%q, %v", answer, err)
		}
	})
}

// Who sends a body by single bytes does not get more time by each of them.
func TestHTTPClosesAClientThatDripsABody(t *testing.T) {
	head := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n"
	for name, test := range map[string]struct {
		in        string
		configure func(w *workerman.Worker)
	}{
		"collected": {head + "\r\n", paths},
		"in pieces": {head + "\r\n", func(w *workerman.Worker) {
			w.HTTP.Body = web.Stream
			w.OnRequest = func(*workerman.Conn, *web.Request) {}
			w.OnBody = func(*workerman.Conn, *web.Request, bool) {}
		}},
		"form": {head + "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: form-data; name=a\r\n\r\n", paths},
		"handler": {head + "\r\n", func(w *workerman.Worker) {
			w.Handle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.Copy(io.Discard, r.Body); err == nil {
					t.Error("the body has an end")
				}
				w.WriteHeader(408)
			}))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			_, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
				test.configure(w)
				w.HTTP.BodyTimeout = 200 * time.Millisecond
			})
			c := dial(t, w)
			io.WriteString(c, test.in)
			answered := make(chan struct{})
			go func() {
				drip := time.NewTicker(10 * time.Millisecond)
				defer drip.Stop()
				for {
					select {
					case <-drip.C:
						c.Write([]byte("x"))
					case <-answered:
						return
					}
				}
			}()
			answer, _ := newReader(t, c).Answer("POST")
			close(answered)
			if answer.StatusCode != 408 {
				t.Error(answer.Status)
			}
		})
	}
}
