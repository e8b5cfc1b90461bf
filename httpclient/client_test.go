package httpclient

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// mirror answers with what it was asked.
func mirror(c *workerman.Conn, r *web.Request) {
	switch r.Path() {
	case "/large":
		c.Respond(web.Bytes("application/octet-stream", bytes.Repeat([]byte("x"), 1<<20)))
	case "/again":
		c.Respond(web.Redirect("/again", 302))
	case "/away":
		c.Respond(web.Redirect("/mirror", 307))
	case "/cookie":
		c.Respond(web.Text(r.Cookie("seen")).AddCookie(web.Cookie{Name: "seen", Value: "yes"}))
	case "/json":
		c.Respond(web.JSON(map[string]int{"n": 7}))
	case "/missing":
		c.Respond(web.Status(404))
	default:
		c.Respond(web.Text(fmt.Sprintf("%s %s %s %s %s", r.Method(), r.Target(), r.Header("Content-Type"), r.Header("X-Key"), r.Body())))
	}
}

func TestRequests(t *testing.T) {
	onEngines(t, mirror, func(t *testing.T, s *service) {
		c := client(t)
		c.Header = http.Header{"x-key": {"k"}}
		onLoop := 0 // the race detector watches it
		results := make(chan outcome, 1)
		done := func(r *Response, err error) {
			onLoop++
			results <- outcome{r, err}
		}
		own, _ := http.NewRequest("PUT", s.url+"/p?q=1", strings.NewReader("body"))
		own.Header.Set("X-Key", "own")
		for want, ask := range map[string]func(){
			"GET /a?b=c  k ":         func() { c.Get(s, s.url+"/a?b=c", done) },
			"POST /p text/csv k a,b": func() { c.Post(s, s.url+"/p", "text/csv", []byte("a,b"), done) },
			"POST /p application/x-www-form-urlencoded k a=b+c": func() { c.PostForm(s, s.url+"/p", url.Values{"a": {"b c"}}, done) },
			"PUT /p?q=1  own body":                              func() { c.Do(s, own, done) },
			"POST /mirror text/plain k kept":                    func() { c.Post(s, s.url+"/away", "text/plain", []byte("kept"), done) },
			"GET /on-the-loop  k ":                              func() { s.Post(func() { c.Get(s.EventLoop(), s.url+"/on-the-loop", done) }) },
			"GET /made-by-hand  k ": func() {
				u, _ := url.Parse(s.url + "/made-by-hand")
				c.Do(s, &http.Request{URL: u}, done)
			},
		} {
			ask()
			if r := receive(t, results, want); r.err != nil || string(r.Body) != want || r.StatusCode != 200 {
				t.Errorf("%v, want %q", r, want)
			}
		}
		if own.Header.Get("X-Key") != "own" || len(own.Header) != 1 {
			t.Errorf("the request has changed: %v", own.Header)
		}
		var v struct{ N int }
		if r := get(t, c, s, s.url+"/json"); r.err != nil || r.JSON(&v) != nil || v.N != 7 {
			t.Errorf("%v, %+v", r, v)
		}
		if r := get(t, c, s, s.url+"/missing"); r.err != nil || r.StatusCode != 404 || r.JSON(&v) == nil {
			t.Errorf("%v", r)
		}
		short := client(t)
		short.KeepAlive = time.Millisecond
		short.Get(s, s.url, nil) // for who does not want to know
	})
}

func TestCookies(t *testing.T) {
	s := start(t, false, mirror)
	c := client(t)
	c.Jar, _ = cookiejar.New(nil)
	get(t, c, s, s.url+"/cookie")
	if r := get(t, c, s, s.url+"/cookie"); string(r.Body) != "yes" {
		t.Errorf("%q, %v", r.Body, r.err)
	}
}

func TestLimits(t *testing.T) {
	s := start(t, false, mirror)
	packed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		z.Write(make([]byte, 2000))
		z.Close()
	}))
	defer packed.Close()
	for limit, fits := range map[int64]bool{0: true, 1 << 20: true, 1<<63 - 1: true, 1<<20 - 1: false, 1: false} {
		c := client(t)
		c.MaxBody = limit
		r := get(t, c, s, s.url+"/large")
		if fits && (r.err != nil || len(r.Body) != 1<<20) || !fits && !errors.Is(r.err, workerman.ErrTooLarge) {
			t.Errorf("limit %d: %v", limit, r.err)
		}
	}
	c := client(t)
	c.MaxBody = 1999
	if r := get(t, c, s, packed.URL); !errors.Is(r.err, workerman.ErrTooLarge) {
		t.Errorf("a small body that unpacks to a large one: %v", r.err)
	}

	for max, want := range map[int]int{0: 6, 1: 2, -1: 1} {
		var asked atomic.Int64
		c := client(t)
		c.MaxRedirects, c.Transport = max, counting{&asked}
		r := get(t, c, s, s.url+"/again")
		if asked.Load() != int64(want) || max < 0 && (r.err != nil || r.StatusCode != 302) || max >= 0 && (r.err == nil || !strings.Contains(r.err.Error(), "redirects")) {
			t.Errorf("MaxRedirects %d: %d requests, %v", max, asked.Load(), r.err)
		}
	}
}

// counting counts requests.
type counting struct{ n *atomic.Int64 }

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	t := &http.Transport{DisableKeepAlives: true}
	return t.RoundTrip(r)
}

func TestTimeouts(t *testing.T) {
	s := start(t, false, mirror)
	const begun = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"
	for name, test := range map[string]struct {
		words     string
		configure func(c *Client)
	}{
		"in all, before the answer":   {"", func(c *Client) { c.Timeout = 30 * time.Millisecond }},
		"in all, in the answer":       {begun, func(c *Client) { c.Timeout = 30 * time.Millisecond }},
		"silence before the answer":   {"", func(c *Client) { c.IdleTimeout = 30 * time.Millisecond }},
		"silence in the answer":       {begun, func(c *Client) { c.IdleTimeout = 30 * time.Millisecond }},
		"silence, and no other limit": {begun, func(c *Client) { c.Timeout, c.IdleTimeout = -1, 30*time.Millisecond }},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t)
			test.configure(c)
			r := get(t, c, s, silent(t, test.words))
			outer, ok := errors.AsType[*url.Error](r.err)
			if !ok || !errors.Is(r.err, context.DeadlineExceeded) || !outer.Timeout() || outer.Op != "Get" || r.Response != nil {
				t.Errorf("%v", r.err)
			}
		})
	}
}

// The timeouts that net/http knows by names of its own are known as the others are.
func TestTimeoutsOfTLS(t *testing.T) {
	s := start(t, false, mirror)
	mute, err := net.Listen("tcp", "127.0.0.1:0") // accepts nothing
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	held := make(chan struct{})
	defer close(held)
	two := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-held }))
	two.EnableHTTP2 = true
	two.StartTLS()
	t.Cleanup(two.Close)
	for name, test := range map[string]struct {
		url       string
		configure func(c *Client)
	}{
		"the handshake":         {"https://" + mute.Addr().String(), func(c *Client) { c.ConnectTimeout = 30 * time.Millisecond }},
		"an answer over HTTP 2": {two.URL, func(c *Client) { c.IdleTimeout = 30 * time.Millisecond }},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t)
			c.TLS = &tls.Config{InsecureSkipVerify: true}
			test.configure(c)
			r := get(t, c, s, test.url)
			if e, ok := errors.AsType[*url.Error](r.err); !ok || !errors.Is(r.err, context.DeadlineExceeded) || !e.Timeout() {
				t.Errorf("%v", r.err)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	s := start(t, false, mirror)
	c := client(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	if r := get(t, c, s, "http://"+closed.Addr().String()); !errors.Is(r.err, syscall.ECONNREFUSED) {
		t.Errorf("%v", r.err)
	}
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	if _, ok := errors.AsType[x509.UnknownAuthorityError](get(t, c, s, secure.URL).err); !ok {
		t.Error("a certificate of nobody is believed")
	}
	results := make(chan error, 1)
	c.Get(s, "http://user:secret@[broken/", func(_ *Response, err error) { results <- err })
	if _, ok := errors.AsType[*url.Error](receive(t, results, "the error")); !ok {
		t.Error("no error of a broken URL")
	}
	broken := get(t, c, s, "http://user:secret@"+closed.Addr().String())
	if broken.err == nil || strings.Contains(broken.err.Error(), "secret") {
		t.Errorf("%v", broken.err)
	}
	upload, _ := http.NewRequest("POST", s.url, panicking{})
	if p, ok := errors.AsType[*workerman.PanicError](do(t, &Client{Transport: panicking{}}, s, upload).err); !ok || p.Value != "in RoundTrip" {
		t.Error("a panic got lost")
	}
	for _, proxy := range []string{"127.0.0.1:8080", "ftp://127.0.0.1:1", "http://", "http://user:secret@\x00"} {
		c := client(t)
		c.Proxy = proxy
		if r := get(t, c, s, s.url); r.err == nil || !strings.Contains(r.err.Error(), "Proxy is") || strings.Contains(r.err.Error(), "secret") {
			t.Errorf("Proxy %q: %v", proxy, r.err)
		}
	}
}

type panicking struct{}

func (panicking) RoundTrip(*http.Request) (*http.Response, error) { panic("in RoundTrip") }
func (panicking) Read([]byte) (int, error)                        { panic("in Read") }

func TestSecureAndHTTP2(t *testing.T) {
	s := start(t, false, mirror)
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	secure.EnableHTTP2 = true
	secure.StartTLS()
	defer secure.Close()
	c := client(t)
	c.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	c.TLS.RootCAs.AddCert(secure.Certificate())
	if r := get(t, c, s, secure.URL); r.err != nil || string(r.Body) != "HTTP/2.0" {
		t.Errorf("%q, %v", r.Body, r.err)
	}
}

func TestProxy(t *testing.T) {
	s := start(t, false, mirror)
	asked := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.RequestURI + " " + r.Header.Get("Proxy-Authorization")
	}))
	defer proxy.Close()
	c := client(t)
	c.Proxy = strings.Replace(proxy.URL, "http://", "http://ann:apple@", 1)
	if r := get(t, c, s, "http://server.test/x"); r.err != nil {
		t.Error(r.err)
	}
	if got := receive(t, asked, "a request"); got != "http://server.test/x Basic YW5uOmFwcGxl" {
		t.Errorf("the proxy was asked %q", got)
	}
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	none := client(t)
	none.Proxy = "none"
	if r := get(t, none, s, s.url); r.err != nil {
		t.Error(r.err)
	}
}

// Many requests at once share few connections, which are kept.
func TestConnectionsAreBoundedAndKept(t *testing.T) {
	onEngines(t, mirror, func(t *testing.T, s *service) {
		c := client(t)
		c.MaxConnsPerHost = 3
		results := make(chan error, 100)
		for range 2 {
			for range 100 {
				c.Get(s, s.url, func(_ *Response, err error) { results <- err })
			}
			for range 100 {
				if err := receive(t, results, "an answer"); err != nil {
					t.Fatal(err)
				}
			}
		}
		if n := s.Stats().Accepted; n > 3 {
			t.Errorf("%d connections", n)
		}
	})
}

func TestCancel(t *testing.T) {
	s := start(t, false, mirror)
	c := client(t)
	for _, words := range []string{"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"} {
		address := silent(t, words)
		cancelled := make(chan struct{})
		s.Post(func() {
			call := c.Get(s, address, func(*Response, error) { t.Error("done is called after Cancel") })
			s.EventLoop().After(5*time.Millisecond, func() {
				call.Cancel()
				close(cancelled)
			})
		})
		receive(t, cancelled, "Cancel")
	}
	// The context of the request ends it too, with a word.
	ctx, cancel := context.WithCancelCause(context.Background())
	r, _ := http.NewRequestWithContext(ctx, "GET", silent(t, ""), nil)
	cancel(io.ErrNoProgress)
	if got := do(t, c, s, r); !errors.Is(got.err, io.ErrNoProgress) {
		t.Errorf("%v", got.err)
	}
}

// What is asked for a connection is given up with it.
func TestConnectionEnds(t *testing.T) {
	c := client(t)
	begun, left := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(left)
	}))
	defer slow.Close()
	s := start(t, false, func(conn *workerman.Conn, r *web.Request) {
		c.Get(conn, slow.URL, func(*Response, error) { t.Error("done is called for a connection that is gone") })
	})
	peer, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	receive(t, begun, "the request")
	peer.(*net.TCPConn).SetLinger(0)
	peer.Close()
	receive(t, left, "the end of the request")
}
