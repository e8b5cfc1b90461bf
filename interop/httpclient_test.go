package interop

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/httpclient"
)

// request is a GET, with fields as "Name: value".
func (w *nginxSite) request(path string, fields ...string) *http.Request {
	w.t.Helper()
	r, err := http.NewRequest("GET", w.url(path), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Set(name, value)
	}
	return r
}

// Requests one after the other share a connection, those at the same time as many as there
// may be. The nginx counts.
func TestHTTPClientKeepsConnections(t *testing.T) {
	webs(t, func(t *testing.T, w *nginxSite) {
		c := w.client()
		c.MaxConnsPerHost = 2
		used := make(map[string]int) // requests by connection
		count := func(a outcome) {
			t.Helper()
			if a.err != nil {
				t.Fatal(a.err)
			}
			proto, connection, _ := strings.Cut(string(a.Body), " ")
			if proto != w.proto {
				t.Errorf("%s, want %s", proto, w.proto)
			}
			used[connection]++
		}
		for range 20 {
			count(w.get(c, "/count"))
		}
		if len(used) != 1 {
			t.Errorf("connections of 20 requests: %v", used)
		}
		const together = 40
		answers := make(chan outcome, together)
		for range together {
			c.Get(w.on, w.url("/count"), func(r *httpclient.Response, err error) { answers <- outcome{r, err} })
		}
		for range together {
			count(w.wait(answers))
		}
		if len(used) > 2 {
			t.Errorf("connections of %d requests at a time: %v", together, used)
		}
		before := len(used)
		c.CloseIdle()
		if count(w.get(c, "/count")); len(used) != before+1 {
			t.Errorf("connections after CloseIdle: %v", used)
		}
	})
}

// transfer is an answer while it comes.
type transfer struct {
	total int64 // as announced
	body  []byte
	err   error
}

// fetch streams an answer; progress is called with each piece, on the loop.
func (w *nginxSite) fetch(c *httpclient.Client, path string, progress func(call *httpclient.Call, t *transfer)) *transfer {
	w.t.Helper()
	tr := new(transfer)
	answers := make(chan outcome, 1)
	w.on.Post(func() {
		var call *httpclient.Call
		call = c.Stream(w.on, w.request(path), httpclient.Events{
			OnHead: func(r *httpclient.Response) { tr.total = r.ContentLength },
			OnBody: func(data []byte) {
				tr.body = append(tr.body, data...)
				progress(call, tr)
			},
			OnEnd: func(r *httpclient.Response, err error) { answers <- outcome{r, err} },
		})
	})
	tr.err = w.wait(answers).err
	return tr
}

// Ten megabytes come in order, and how far they are is known all the time.
func TestHTTPClientDownloads(t *testing.T) {
	webs(t, func(t *testing.T, w *nginxSite) {
		c := w.client()
		c.MaxBody = 1 << 20 // is not for streams
		var tenths []int64
		got := w.fetch(c, "/large.bin", func(call *httpclient.Call, tr *transfer) {
			tenth := int64(len(tr.body)) * 10 / tr.total
			if len(tenths) > 0 && tenths[len(tenths)-1] == tenth {
				return
			}
			if tenths = append(tenths, tenth); tenth == 5 { // holds the nginx back for a moment
				call.Pause()
				w.on.EventLoop().After(10*time.Millisecond, call.Resume)
			}
		})
		if got.err != nil || got.total != int64(len(download())) || digest(got.body) != digest(download()) {
			t.Errorf("%v, %d bytes of %d", got.err, len(got.body), got.total)
		}
		if want := []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}; !slices.Equal(tenths, want) {
			t.Errorf("progress in tenths: %v", tenths)
		}
		if a := w.get(c, "/large.bin"); !errors.Is(a.err, workerman.ErrTooLarge) {
			t.Errorf("beyond MaxBody: %v", a.err)
		}
	})
}

func TestHTTPClientUnpacks(t *testing.T) {
	webs(t, func(t *testing.T, w *nginxSite) {
		c := w.client()
		if a := w.get(c, "/page.txt"); a.err != nil || !a.Uncompressed || string(a.Body) != page {
			t.Errorf("%v, %+v", a.err, a.Response)
		}
		answers := make(chan outcome, 1)
		c.Do(w.on, w.request("/page.txt", "Accept-Encoding: gzip"), func(r *httpclient.Response, err error) { answers <- outcome{r, err} })
		a := w.wait(answers)
		if a.err != nil || a.Header.Get("Content-Encoding") != "gzip" || len(a.Body) >= len(page)/10 {
			t.Fatalf("who unpacks it himself: %v, %+v", a.err, a.Response)
		}
		z, err := gzip.NewReader(bytes.NewReader(a.Body))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(z); err != nil || string(text) != page {
			t.Errorf("%v, %d bytes", err, len(text))
		}
	})
}

func TestHTTPClientFollowsRedirects(t *testing.T) {
	webs(t, func(t *testing.T, w *nginxSite) {
		c := w.client()
		if a := w.get(c, "/moved"); a.err != nil || a.StatusCode != 200 || a.Request.URL.String() != w.url("/page.txt") || string(a.Body) != page {
			t.Errorf("%v, %+v", a.err, a.Response)
		}
		if a := w.get(c, "/loop"); a.err == nil || !strings.Contains(a.err.Error(), "more than 5 redirects") {
			t.Errorf("a loop: %v", a.err)
		}
		none := w.client()
		none.MaxRedirects = -1
		if a := w.get(none, "/moved"); a.err != nil || a.StatusCode != 302 || a.Header.Get("Location") != w.url("/page.txt") {
			t.Errorf("not followed: %v, %+v", a.err, a.Response)
		}
	})
}

func TestHTTPClientGivesUp(t *testing.T) {
	webs(t, func(t *testing.T, w *nginxSite) {
		for _, x := range []struct {
			path          string
			timeout, idle time.Duration
		}{
			{"/silent", 50 * time.Millisecond, 0},
			{"/silent", 0, 50 * time.Millisecond},
			{"/slow/large.bin", 200 * time.Millisecond, 0}, // in the middle
		} {
			c := w.client()
			c.Timeout, c.IdleTimeout = x.timeout, x.idle
			a := w.get(c, x.path)
			if e, ok := errors.AsType[*url.Error](a.err); !ok || !e.Timeout() || !errors.Is(a.err, context.DeadlineExceeded) || e.URL != w.url(x.path) {
				t.Errorf("%+v: %v", x, a.err)
			}
			if a := w.get(c, "/page.txt"); a.err != nil { // the client goes on
				t.Errorf("after %+v: %v", x, a.err)
			}
		}
	})
}

// An nginx that stops breaks what is under way; nothing comes until it is back.
func TestHTTPClientOfAnNginxThatStops(t *testing.T) {
	webs(t, func(t *testing.T, w *nginxSite) {
		c := w.client()
		if a := w.get(c, "/page.txt"); a.err != nil {
			t.Fatal(a.err)
		}
		got := w.fetch(c, "/slow/large.bin", func(_ *httpclient.Call, tr *transfer) {
			w.nginx.Cmd.Process.Signal(syscall.SIGTERM) // with the first piece
		})
		w.stop()
		if !errors.Is(got.err, io.ErrUnexpectedEOF) && !errors.Is(got.err, syscall.ECONNRESET) || int64(len(got.body)) >= got.total {
			t.Errorf("%v after %d bytes of %d", got.err, len(got.body), got.total)
		}
		for range 3 {
			if a := w.get(c, "/page.txt"); !errors.Is(a.err, syscall.ECONNREFUSED) || !strings.Contains(a.err.Error(), w.address) {
				t.Errorf("without the nginx: %v", a.err)
			}
		}
		w.start()
		if a := w.get(c, "/page.txt"); a.err != nil || string(a.Body) != page {
			t.Errorf("with it again: %v", a.err)
		}
	})
}

func TestHTTPClientVerifiesTheServer(t *testing.T) {
	webs(t, func(t *testing.T, w *nginxSite) {
		if w.scheme != "https" {
			return
		}
		c := w.client()
		c.TLS = nil
		if a := w.get(c, "/page.txt"); a.err == nil {
			t.Error("an authority that nobody trusts is trusted")
		} else if _, ok := errors.AsType[x509.UnknownAuthorityError](a.err); !ok {
			t.Errorf("%v", a.err)
		}
		c = w.client()
		c.TLS.ServerName = "other.example"
		if _, ok := errors.AsType[x509.HostnameError](w.get(c, "/page.txt").err); !ok {
			t.Error("a certificate for another name is taken")
		}
	})
}
