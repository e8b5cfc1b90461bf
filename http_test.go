package workerman_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
	"github.com/workerman-go/workerman/web"
)

func TestHTTPAnswersAPipelineInOrderWithOneWrite(t *testing.T) {
	_, w := serve(t, kind{Network: "tcp"}, "http", paths)
	var in strings.Builder
	for i := range 100 {
		in.WriteString(workertest.Get(fmt.Sprintf("/%d", i)))
	}
	c := dial(t, w)
	counters := w.Counters()
	before := counters.Writes.Load()
	io.WriteString(c, in.String())
	r := workertest.NewReader(t, c)
	for i := range 100 {
		if _, body := r.Answer("GET"); body != fmt.Sprintf("GET /%d ", i) {
			t.Fatalf("answer %d: %q", i, body)
		}
	}
	if n := counters.Writes.Load() - before; n > 3 {
		t.Errorf("%d writes", n)
	}
}

func TestHTTPHoldsAPipelineBack(t *testing.T) {
	release := make(chan struct{})
	_, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
		w.OnRequest = func(c *workerman.Conn, r *web.Request) {
			answer := c.Responder()
			go func() {
				<-release
				answer.Respond(web.Text("x"))
			}()
		}
	})
	c := dial(t, w)
	const n = 20_000 // some 800 KB of requests
	go io.WriteString(c, strings.Repeat(workertest.Get("/"), n))
	conn := <-connections(w)
	eventually(t, "reading is paused", func() bool { return conn.Paused() })
	in := conn.BytesIn()
	if in > 2*workerman.MaxPipelined {
		t.Errorf("%d bytes taken in", in)
	}
	close(release)
	r := workertest.NewReader(t, c)
	for range n {
		r.Answer("GET")
	}
}

func TestHTTPLargeAnswersToASlowReader(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		body := numbered(7, 4<<20)
		_, w := serve(t, k, "http", func(w *workerman.Worker) {
			w.MaxSendBuffer = 64 << 10
			w.OnRequest = func(c *workerman.Conn, r *web.Request) { c.Respond(web.Bytes("text/plain", body)) }
		})
		c := dial(t, w)
		workertest.ReadSlowly(c)
		const n = 8
		io.WriteString(c, strings.Repeat(workertest.Get("/"), n-1)+workertest.Get("/", "Connection: close"))
		conn := <-connections(w)
		eventually(t, "reading is paused", func() bool { return conn.Paused() })
		if q := conn.Stats().SendQueue; q > len(body)+128<<10 {
			t.Errorf("%d bytes queued", q)
		}
		r := workertest.NewReader(t, c)
		for range n {
			if _, got := r.Answer("GET"); got != string(body) {
				t.Fatal("another body")
			}
		}
		r.Ends()
	})
}

// OnRequest of a Blocking worker has answered and still runs when the next request is there.
func TestHTTPSecondAnswerInABlockingCallbackReachesNoOtherRequest(t *testing.T) {
	_, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
		w.Blocking = true
		w.OnRequest = func(c *workerman.Conn, r *web.Request) {
			if err := c.Respond(web.Text(r.Path())); err != nil {
				t.Errorf("%s: %v", r.Path(), err)
			}
			if r.Path() == "/2" {
				return
			}
			eventually(t, "the next request is there", func() bool { return c.Asked(2) })
			for name, form := range plainForms {
				if err := form(c, r); name != "Upgrade" && err != workerman.ErrNoRequest {
					t.Errorf("%s: got %v, want ErrNoRequest", name, err)
				}
			}
		}
	})
	c := dial(t, w)
	io.WriteString(c, workertest.Get("/1")+workertest.Get("/2"))
	r := workertest.NewReader(t, c)
	for _, want := range []string{"/1", "/2"} {
		if _, got := r.Answer("GET"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestUploadWaitsForTheHandler(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		size := 50 << 20
		if k.Portable || k.Network == "unix" {
			size = 8 << 20
		}
		content := numbered(5, 1<<20)
		release := make(chan struct{})
		_, w := mount(t, k, func(w http.ResponseWriter, r *http.Request) {
			<-release
			piece := make([]byte, len(content))
			for range size / len(content) {
				if _, err := io.ReadFull(r.Body, piece); err != nil || !bytes.Equal(piece, content) {
					t.Errorf("another piece, %v", err)
					return
				}
			}
			n, err := r.Body.Read(piece)
			fmt.Fprint(w, n, err)
		}, func(w *workerman.Worker) { w.HTTP.MaxBody = -1 })
		c := dial(t, w)
		go func() {
			fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", size)
			for range size / len(content) {
				c.Write(content)
			}
		}()
		conn := <-connections(w)
		eventually(t, "reading is paused", func() bool { return conn.Paused() })
		in := conn.BytesIn()
		if in > 4*maxBodyAhead {
			t.Errorf("%d bytes taken in although nobody reads", in)
		}
		close(release)
		if _, body := workertest.NewReader(t, c).Answer("POST"); body != "0 EOF" {
			t.Error(body)
		}
	})
}

func TestWriteWaitsForTheClient(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		const limit = 128 << 10
		content := numbered(9, 12<<20)
		_, w := mount(t, k, func(w http.ResponseWriter, r *http.Request) {
			step := len(content)
			if r.URL.Path == "/pieces" {
				step = 100_000
			}
			for p := content; len(p) > 0; p = p[min(step, len(p)):] {
				if _, err := w.Write(p[:min(step, len(p))]); err != nil {
					t.Error(err)
				}
				if n := workerman.ConnOf(r.Context()).Stats().SendQueue; n > limit+128<<10 {
					t.Errorf("%d bytes queued", n)
				}
			}
		}, func(w *workerman.Worker) { w.MaxSendBuffer = limit })
		c := dial(t, w)
		conn := <-connections(w)
		r := workertest.NewReader(t, c)
		for _, path := range []string{"/pieces", "/once"} {
			io.WriteString(c, workertest.Get(path))
			eventually(t, "the output waits", conn.OutputWaits)
			if _, body := r.Answer("GET"); body != string(content) {
				t.Errorf("another body of %d bytes", len(body))
			}
		}
	})
}

func TestAnIdleConnectionHoldsNoRequest(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		_, w := mount(t, k, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) })
		c := dial(t, w)
		io.WriteString(c, workertest.Get("/path"))
		if _, body := workertest.NewReader(t, c).Answer("GET"); body != "/path" {
			t.Errorf("got %q, want %q", body, "/path")
		}
		for c := range w.Connections() {
			eventually(t, "an idle connection holds no request", func() bool { return !c.HoldsRequest() })
		}
	})
}

func TestHijackWaitsForItsReader(t *testing.T) {
	conns := make(chan net.Conn, 1)
	_, w := mount(t, kind{Network: "tcp"}, upgraded(t, func(c net.Conn) { conns <- c }))
	c := dial(t, w)
	content := numbered(2, 8<<20)
	go func() {
		io.WriteString(c, upgrade)
		c.Write(content)
	}()
	switched(t, c)
	conn := <-connections(w)
	eventually(t, "reading is paused", func() bool { return conn.Paused() })
	if in := conn.BytesIn(); in > 4*maxBodyAhead {
		t.Errorf("%d bytes taken in although nobody reads", in)
	}
	raw := testkit.Receive(t, conns, "the connection")
	got := make([]byte, len(content))
	if _, err := io.ReadFull(raw, got); err != nil || !bytes.Equal(got, content) {
		t.Error(err)
	}
	raw.Close()
}

// plainForms are the ways to answer that do not say which request they mean.
var plainForms = map[string]func(c *workerman.Conn, r *web.Request) error{
	"Respond":   func(c *workerman.Conn, r *web.Request) error { return c.Respond(web.Text("plain")) },
	"announce":  func(c *workerman.Conn, r *web.Request) error { return c.Respond(web.Status(103)) },
	"Send":      func(c *workerman.Conn, r *web.Request) error { return c.Send([]byte("plain")) },
	"SendText":  func(c *workerman.Conn, r *web.Request) error { return c.SendText([]byte("plain")) },
	"Upgrade":   func(c *workerman.Conn, r *web.Request) error { return c.Upgrade(r) },
	"Responder": func(c *workerman.Conn, r *web.Request) error { return c.Responder().Respond(web.Text("plain")) },
	"Stream": func(c *workerman.Conn, r *web.Request) error {
		_, err := c.Stream(web.Text("plain"))
		return err
	},
}

// maxBodyAhead is how much of a body, or of what comes on a hijacked connection, is read from
// the client before anybody asks for it.
const maxBodyAhead = 64 << 10

// What hijacked connections of these tests begin with.
var (
	upgraded = workertest.Upgraded
	upgrade  = workertest.Upgrade
)

// switched reads the answer to an upgrade.
func switched(t *testing.T, c net.Conn) *bufio.Reader {
	t.Helper()
	r := bufio.NewReader(c)
	answer, err := http.ReadResponse(r, nil)
	if err != nil || answer.StatusCode != 101 {
		t.Fatal(answer, err)
	}
	return r
}

// paths answers with what was asked.
func paths(w *workerman.Worker) {
	w.OnRequest = func(c *workerman.Conn, r *web.Request) {
		c.Respond(web.Text(r.Method() + " " + r.Path() + " " + string(r.Body())))
	}
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
