package httpclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

func request(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The body comes in order and the trailers behind it.
func TestStream(t *testing.T) {
	onEngines(t, func(c *workerman.Conn, r *web.Request) {
		st, err := c.Stream(web.Text("").Set("Trailer", "X-Sum"))
		if err != nil {
			t.Error(err)
			return
		}
		for i := range 3 {
			fmt.Fprintf(st, "piece %d,", i)
		}
		st.End(web.Field{Name: "X-Sum", Value: "3"})
	}, func(t *testing.T, s *service) {
		c := client(t)
		var body []byte // the race detector watches it
		head := 0
		done := make(chan outcome, 1)
		c.Stream(s, request(t, s.url), Events{
			OnHead: func(r *Response) { head = r.StatusCode },
			OnBody: func(data []byte) { body = append(body, data...) },
			OnEnd: func(r *Response, err error) {
				if head != 200 || string(body) != "piece 0,piece 1,piece 2," {
					t.Errorf("status %d, %q", head, body)
				}
				done <- outcome{r, err}
			},
		})
		if r := receive(t, done, "OnEnd"); r.err != nil || r.Trailer.Get("X-Sum") != "3" {
			t.Errorf("%v", r)
		}
		c.Stream(s, request(t, s.url), Events{OnEnd: func(r *Response, err error) { done <- outcome{r, err} }})
		if r := receive(t, done, "OnEnd of who does not listen"); r.err != nil {
			t.Errorf("%v", r)
		}
	})
}

// What is paused in OnHead has no pieces before it is resumed.
func TestStreamPauseAtTheHead(t *testing.T) {
	s := start(t, false, mirror)
	c := client(t)
	done := make(chan error, 1)
	s.Post(func() {
		paused := false
		var call *Call
		call = c.Stream(s, request(t, s.url), Events{
			OnHead: func(*Response) {
				paused = true
				call.Pause()
				s.EventLoop().After(20*time.Millisecond, func() {
					paused = false
					call.Resume()
				})
			},
			OnBody: func([]byte) {
				if paused {
					t.Error("a piece while the call is paused")
				}
			},
			OnEnd: func(_ *Response, err error) { done <- err },
		})
	})
	if err := receive(t, done, "OnEnd"); err != nil {
		t.Error(err)
	}
}

// A paused call holds the server back.
func TestStreamPause(t *testing.T) {
	s := start(t, false, mirror)
	const total = 64 << 20
	var written atomic.Int64
	large := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for piece := make([]byte, 1<<20); written.Load() < total; written.Add(1 << 20) {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}))
	defer large.Close()
	c := client(t)
	c.IdleTimeout = 50 * time.Millisecond // a pause is no silence of the server
	size, done := 0, make(chan error, 1)
	calls := make(chan *Call, 1)
	s.Post(func() {
		var call *Call
		call = c.Stream(s, request(t, large.URL), Events{
			OnBody: func(data []byte) {
				if size == 0 {
					call.Pause()
					calls <- call
				}
				size += len(data)
			},
			OnEnd: func(_ *Response, err error) { done <- err },
		})
	})
	call := receive(t, calls, "the first piece")
	rest := make(chan struct{})
	s.EventLoop().After(200*time.Millisecond, func() {
		if size > pieceSize {
			t.Errorf("%d bytes came while the call was paused", size)
		}
		close(rest)
	})
	receive(t, rest, "the rest")
	if n := written.Load(); n >= total {
		t.Errorf("the server wrote %d bytes to a client that is paused", n)
	}
	call.Resume()
	if err := receive(t, done, "OnEnd"); err != nil || size != total {
		t.Errorf("%v, %d bytes, want %d", err, size, total)
	}
}

func TestStreamErrors(t *testing.T) {
	s := start(t, false, mirror)
	broken := silent(t, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
	c := client(t)
	c.IdleTimeout = 30 * time.Millisecond
	var body bytes.Buffer
	done := make(chan outcome, 1)
	c.Stream(s, request(t, broken), Events{
		OnBody: func(data []byte) { body.Write(data) },
		OnEnd:  func(r *Response, err error) { done <- outcome{r, err} },
	})
	if r := receive(t, done, "OnEnd"); !errors.Is(r.err, context.DeadlineExceeded) || body.String() != "abc" || r.StatusCode != 200 {
		t.Errorf("%v, %q", r, &body)
	}

	// Cancelled in a piece: nothing comes any more. While paused it ends too.
	gone := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "piece")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
		gone <- struct{}{}
	}))
	defer slow.Close()
	for _, pause := range []bool{false, true} {
		s.Post(func() {
			var call *Call
			call = client(t).Stream(s, request(t, slow.URL), Events{
				OnBody: func([]byte) {
					if pause {
						call.Pause()
					}
					call.Cancel()
				},
				OnEnd: func(*Response, error) { t.Error("OnEnd after Cancel") },
			})
		})
		receive(t, gone, "the end of the request")
	}

	// A panic in a callback is one of the loop; the answer goes on.
	c.Stream(s, request(t, s.url+"/large"), Events{
		OnHead: func(*Response) { panic("in OnHead") },
		OnEnd:  func(r *Response, err error) { done <- outcome{r, err} },
	})
	if r := receive(t, done, "OnEnd"); r.err != nil || !bytes.Contains([]byte(s.log.String()), []byte("in OnHead")) {
		t.Errorf("%v, log:\n%s", r.err, s.log)
	}
}

// When the loop stops, so do its calls.
func TestStop(t *testing.T) {
	address := silent(t, "")
	c := client(t)
	s := start(t, false, mirror)
	c.Get(s, address, func(*Response, error) { t.Error("done is called after the stop") })
}
