package nethttp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/web"
)

var (
	errGone     = errors.New("the connection is gone")
	errAnswered = errors.New("the request has its answer")
)

// fakeConn is a Conn in memory, which notes what happens to it.
type fakeConn struct {
	mu     sync.Mutex
	out    bytes.Buffer
	events []string
	paused bool
	full   chan struct{} // closed when there is room again; nil if there is
	closed bool
	last   bool // what Claim says
}

func (c *fakeConn) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, fmt.Sprintf(format, args...))
}

func (c *fakeConn) setPaused(paused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused = paused
}

func (c *fakeConn) isPaused() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paused
}

// happened is what was noted, and output what was sent.
func (c *fakeConn) happened() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.events, ", ")
}

func (c *fakeConn) output() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.String()
}

func (c *fakeConn) PauseReading()  { c.setPaused(true) }
func (c *fakeConn) ResumeReading() { c.setPaused(false) }

func (c *fakeConn) Claim() (bool, error) { c.note("claim"); return c.last, nil }

func (c *fakeConn) WaitForRoom(cancel <-chan struct{}) (bool, error) {
	c.mu.Lock()
	full, closed := c.full, c.closed
	c.mu.Unlock()
	if closed {
		return false, errGone
	}
	if full == nil {
		return true, nil
	}
	select {
	case <-full:
		return true, nil
	case <-cancel:
		return false, nil
	}
}

func (c *fakeConn) Begin() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return errGone
	}
	return nil
}

func (c *fakeConn) Reserve(size int) []byte { return make([]byte, 0, size) }
func (c *fakeConn) Append(out []byte)       { c.out.Write(out) }

func (c *fakeConn) Write(head, body, tail []byte) {
	c.out.Write(head)
	c.out.Write(body)
	c.out.Write(tail)
}

func (c *fakeConn) Commit() { c.mu.Unlock() }

func (c *fakeConn) Finish(keep bool, status int, size int64) {
	c.mu.Unlock()
	c.note("finish %v %d %d", keep, status, size)
}

func (c *fakeConn) Hijack() { c.note("hijack") }

func (c *fakeConn) Transmit(p []byte) bool {
	if c.Begin() != nil {
		return false
	}
	c.out.Write(p)
	c.Commit()
	return true
}

func (c *fakeConn) Close() bool {
	c.note("close")
	c.mu.Lock()
	defer c.mu.Unlock()
	open := !c.closed
	c.closed = true
	return open
}

func (c *fakeConn) Fail(v any) { c.note("fail %v", v) }
func (c *fakeConn) Warn(mistake, caller string) {
	c.note("%s at %s)", mistake, caller[:strings.IndexByte(caller, ':')])
}
func (c *fakeConn) Done()                          { c.note("done") }
func (c *fakeConn) RemoteName() string             { return "peer" }
func (c *fakeConn) LocalAddr() net.Addr            { return &net.UnixAddr{Name: "here", Net: "unix"} }
func (c *fakeConn) RemoteAddr() net.Addr           { return &net.UnixAddr{Name: "@", Net: "unix"} }
func (c *fakeConn) TLSState() *tls.ConnectionState { return nil }

// begin parses the head in text and begins to serve it by fn.
func begin(t *testing.T, c *fakeConn, text string, fn http.HandlerFunc) *Handling {
	t.Helper()
	p := web.Parser{Options: &web.Options{Body: web.Stream, AnyMethod: true, MaxBody: -1}}
	var r web.Request
	if _, _, err := p.Parse(&r, []byte(text)); err != nil {
		t.Fatal(err)
	}
	h := new(Handling)
	options := &Options{Handler: fn, Server: "tests", MaxBody: 7, ErrAnswered: errAnswered}
	if err := h.Begin(c, options, context.Background(), &r); err != nil {
		t.Fatal(err)
	}
	return h
}

const (
	plain = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	post  = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n"
)

func TestAnswers(t *testing.T) {
	var kept http.ResponseWriter
	for name, test := range map[string]struct {
		head, happened, out string // Date is left out of out
		last                bool
		handler             http.HandlerFunc
	}{
		"whole": {plain, "claim, finish true 200 2, done",
			"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nServer: tests\r\nContent-Length: 2\r\n\r\nhi", false,
			func(w http.ResponseWriter, r *http.Request) { kept = w; io.WriteString(w, "hi") }},
		"in pieces": {plain, "claim, finish true 200 2, done",
			"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nServer: tests\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n", false,
			func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, "h")
				w.(http.Flusher).Flush()
				io.WriteString(w, "i")
			}},
		"the connection's last": {plain, "claim, finish false 204 0, done", "HTTP/1.1 204 No Content\r\nServer: tests\r\nConnection: close\r\n\r\n", true,
			func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }},
		"large body unread": {post, "claim, finish false 403 0, done",
			"HTTP/1.1 403 Forbidden\r\nServer: tests\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false,
			func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(403) }},
		"early hints": {plain, "claim, finish true 204 0, done", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\nServer: tests\r\n\r\n", false,
			func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(103); w.WriteHeader(204) }},
		"two heads": {plain, "superfluous WriteHeader at testing.tRunner (testing.go), claim, finish true 204 0, done",
			"HTTP/1.1 204 No Content\r\nServer: tests\r\n\r\n", false,
			func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204); w.WriteHeader(200) }},
		"panic": {plain, "fail oh, done", "", false, func(w http.ResponseWriter, r *http.Request) { panic("oh") }},
		"abort": {plain, "close, done", "", false, func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		c := &fakeConn{last: test.last}
		begin(t, c, test.head, test.handler).Run()
		lines := strings.SplitAfter(c.output(), "\r\n")
		var out strings.Builder
		for _, line := range lines {
			if !strings.HasPrefix(line, "Date: ") {
				out.WriteString(line)
			}
		}
		if got := c.happened(); got != test.happened || out.String() != test.out {
			t.Errorf("%s: got %q and %q, want %q and %q", name, got, out.String(), test.happened, test.out)
		}
	}
	if _, err := kept.Write([]byte("late")); err != errAnswered {
		t.Errorf("a write behind the answer: got %v, want %v", err, errAnswered)
	}
}

// A body that nobody reads pauses the connection; reading resumes it, and the buffer stays
// small however long the body is.
func TestBodyHoldsTheClientBack(t *testing.T) {
	c := new(fakeConn)
	h := begin(t, c, post, nil)
	piece := bytes.Repeat([]byte("x"), 16<<10)
	got := make([]byte, len(piece))
	for range 1000 {
		for fed := 0; !c.isPaused(); fed += len(piece) {
			if fed > maxInflow {
				t.Fatalf("%d bytes are unread and the connection is not paused", fed)
			}
			h.Feed(piece)
		}
		for c.isPaused() {
			if _, err := h.request.Body.Read(got); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := cap(h.in.data); n > 4*maxInflow {
		t.Errorf("got a buffer of %d bytes, want at most %d", n, 4*maxInflow)
	}
}

func TestEndsOfABody(t *testing.T) {
	tooLarge := &web.Error{Status: 413}
	malformed := &web.Error{Status: 400, Reason: "a chunk"}
	for name, test := range map[string]struct {
		end  func(h *Handling)
		want error
	}{
		"complete":    {func(h *Handling) { h.EndBody(map[string][]string{"X-Sum": {"1"}}) }, io.EOF},
		"client left": {(*Handling).Gone, io.ErrUnexpectedEOF},
		"malformed":   {func(h *Handling) { h.FailBody(malformed) }, malformed},
		"too large":   {func(h *Handling) { h.FailBody(tooLarge) }, &http.MaxBytesError{Limit: 7}},
		"closed":      {func(h *Handling) { h.request.Body.Close() }, http.ErrBodyReadAfterClose},
		"deadline":    {func(h *Handling) { h.response.SetReadDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
	} {
		h := begin(t, new(fakeConn), post, nil)
		read := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, struct{ io.Reader }{h.request.Body})
			if err == nil {
				err = io.EOF
			}
			read <- err
		}()
		h.Feed([]byte("begin"))
		test.end(h)
		err := testkit.Receive(t, read, name+": the reader's error")
		if fmt.Sprintf("%T %v", err, err) != fmt.Sprintf("%T %v", test.want, test.want) {
			t.Errorf("%s: got %T %v, want %T %v", name, err, err, test.want, test.want)
		}
		if name == "complete" && h.request.Trailer.Get("X-Sum") != "1" {
			t.Errorf("got the trailer %v, want X-Sum", h.request.Trailer)
		}
	}
}

func TestInvitesABodyOnce(t *testing.T) {
	c := new(fakeConn)
	h := begin(t, c, strings.Replace(post, "\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n", 1), nil)
	for range 2 {
		h.request.Body.Read(nil)
	}
	if got := c.output(); got != string(continueLine) {
		t.Errorf("got %q, want one %q", got, continueLine)
	}
}

func TestHijackedConnection(t *testing.T) {
	c := new(fakeConn)
	var conn net.Conn
	begin(t, c, plain, func(w http.ResponseWriter, r *http.Request) {
		var err error
		if conn, _, err = w.(http.Hijacker).Hijack(); err != nil {
			t.Error(err)
		}
		if _, err := w.Write(nil); err != http.ErrHijacked {
			t.Errorf("got %v, want %v", err, http.ErrHijacked)
		}
	}).Run()
	if got := c.happened(); got != "claim, hijack" {
		t.Errorf("got %q, want the claim and the hijack", got)
	}
	if _, err := io.WriteString(conn, "bytes"); err != nil || c.output() != "bytes" {
		t.Errorf("got %q, %v, want %q", c.output(), err, "bytes")
	}
	c.full = make(chan struct{})
	conn.SetWriteDeadline(time.Now().Add(time.Millisecond))
	if _, err := io.WriteString(conn, "more"); err != os.ErrDeadlineExceeded {
		t.Errorf("got %v, want %v", err, os.ErrDeadlineExceeded)
	}
	conn.SetWriteDeadline(time.Time{})
	close(c.full)
	if n, err := io.WriteString(conn, " more"); n != 5 || err != nil {
		t.Errorf("got %d, %v, want all written", n, err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if _, err := conn.Write([]byte("x")); err != net.ErrClosed {
		t.Errorf("a write behind Close: got %v, want %v", err, net.ErrClosed)
	}
	if _, err := conn.Read(make([]byte, 1)); err != net.ErrClosed {
		t.Errorf("a read behind Close: got %v, want %v", err, net.ErrClosed)
	}
	if err := conn.Close(); err != net.ErrClosed {
		t.Errorf("a second Close: got %v, want %v", err, net.ErrClosed)
	}
}
