package examples

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

// target is a server that proxies lead to, in clear or over TLS.
func target(t *testing.T, secure bool) *httptest.Server {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		switch r.URL.Path {
		case "/large":
			w.Write(random(8<<20, 3))
		case "/digest":
			h := sha256.New()
			n, _ := io.Copy(h, r.Body)
			fmt.Fprintf(w, "%d bytes %x", n, h.Sum(nil))
		case "/refused":
			w.WriteHeader(413)
		case "/broken":
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "half")
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/moved":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		default:
			w.Header().Set("X-Answer", "yes")
			w.Header().Set("Connection", "X-Hop")
			w.Header().Set("X-Hop", "private")
			fmt.Fprintf(w, "%s %s host=%s hop=%s credentials=%s", r.Method, r.URL, r.Host, r.Header.Get("X-Hop"), r.Header.Get("Proxy-Authorization"))
		}
	}))
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// through is a client that uses a proxy.
func through(t *testing.T, s *httptest.Server, proxy string) *http.Client {
	u, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	c := *s.Client()
	tr := c.Transport.(*http.Transport).Clone()
	tr.Proxy = http.ProxyURL(u)
	c.Transport, c.Timeout = tr, patience
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.Cleanup(tr.CloseIdleConnections)
	return &c
}

// fetch asks for a page and reads it.
func fetch(t *testing.T, c *http.Client, method, url, body string) (page, error) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Connection", "X-Hop")
	r.Header.Set("X-Hop", "private")
	answer, err := c.Do(r)
	if err != nil {
		return page{}, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return page{answer, string(b)}, err
}

func TestHTTPProxy(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "httpproxy", "-listen", "http://"+anyPort, "-user", "ann:apple")
		address := p.address()
		for _, secure := range []bool{false, true} {
			s := target(t, secure)
			c := through(t, s, "http://ann:apple@"+address)
			hop := map[bool]string{true: "private"}[secure] // a tunnel is not looked at
			got, err := fetch(t, c, "GET", s.URL+"/a?b=c", "")
			want := fmt.Sprintf("GET /a?b=c host=%s hop=%s credentials=", s.Listener.Addr(), hop)
			if err != nil || got.body != want || got.Header.Get("X-Answer") != "yes" || got.Header.Get("X-Hop") != hop {
				t.Errorf("%v %q, %v, want %q", got.Response, got.body, err, want)
			}
			if got, err := fetch(t, c, "GET", s.URL+"/large", ""); err != nil || got.body != string(random(8<<20, 3)) {
				t.Errorf("%d bytes, %v", len(got.body), err)
			}
			data := random(4<<20, 4)
			want = fmt.Sprintf("%d bytes %x", len(data), sha256.Sum256(data))
			if got, err := fetch(t, c, "POST", s.URL+"/digest", string(data)); err != nil || got.body != want {
				t.Errorf("%q, %v, want %q", got.body, err, want)
			}
			// The server may hang up on the rest of the body, and with it lose its answer.
			if got, err := fetch(t, c, "POST", s.URL+"/refused", string(data)); !secure && (err != nil || got.StatusCode != 413 && got.StatusCode != 502) {
				t.Errorf("a body that is not wanted: %v, %v", got.Response, err)
			}
			if got, err := fetch(t, c, "HEAD", s.URL+"/", ""); err != nil || got.StatusCode != 200 || got.body != "" {
				t.Errorf("HEAD: %v, %v", got.Response, err)
			}
			if got, err := fetch(t, c, "GET", s.URL+"/moved", ""); err != nil || got.StatusCode != 302 || got.Header.Get("Location") != "/elsewhere" {
				t.Errorf("a redirect: %v, %v", got.Response, err)
			}
			if got, err := fetch(t, c, "GET", s.URL+"/broken", ""); err == nil {
				t.Errorf("half an answer looks whole: %q", got.body)
			}

			stranger := through(t, s, "http://ann:pear@"+address)
			got, err = fetch(t, stranger, "GET", s.URL, "")
			if secure && (err == nil || !strings.Contains(err.Error(), "Proxy Authentication Required")) || !secure && (err != nil || got.StatusCode != 407) {
				t.Errorf("a wrong password: %v, %v", got.Response, err)
			}
		}
		p.endsWell(syscall.SIGTERM)
	})
}

func TestHTTPProxyRefuses(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "httpproxy", "-listen", "http://"+anyPort, "-port", "443")
		for request, want := range map[string]string{
			"GET / HTTP/1.1\r\nHost: a\r\n\r\n":                                           "HTTP/1.1 400 Bad Request",
			"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n":                                    "HTTP/1.1 400 Bad Request",
			"CONNECT 127.0.0.1:25 HTTP/1.1\r\nHost: 127.0.0.1:25\r\n\r\n":                 "HTTP/1.1 403 Forbidden",
			"GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n":               "HTTP/1.1 502 Bad Gateway",
			"CONNECT 127.0.0.2:443 HTTP/1.1\r\nHost: 127.0.0.2:443\r\n\r\n":               "HTTP/1.1 502 Bad Gateway",
			"GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: 127.0.0.1:1\r\nUpgrade: x\r\n\r\n": "HTTP/1.1 502 Bad Gateway",
		} {
			c := dial(t, "tcp", p.address())
			c.send(request)
			c.gets(want + "\r")
		}
		p.endsWell(syscall.SIGTERM)
	})
}

// absolute writes targets as they are for a proxy.
type absolute struct {
	net.Conn
	url string
}

func (a absolute) Write(b []byte) (int, error) {
	return a.Conn.Write(bytes.Replace(b, []byte("GET / "), []byte("GET "+a.url+"/ "), 1))
}

// A plain request to upgrade becomes a tunnel if the server agrees.
func TestHTTPProxyUpgrade(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		sockets := start(t, engine, "echo", "-listen", "websocket://"+anyPort).address()
		p := start(t, engine, "httpproxy", "-listen", "http://"+anyPort)
		peer, err := shakeHands(t, absolute{dial(t, "tcp", p.address()).Conn, "http://" + sockets}, sockets, "/")
		if err != nil {
			t.Fatal(err)
		}
		peer.says("hello")
		peer.hears("hello")
		plain := target(t, false)
		if _, err := shakeHands(t, absolute{dial(t, "tcp", p.address()).Conn, plain.URL}, plain.Listener.Addr().String(), "/"); err == nil || !strings.Contains(err.Error(), "502") {
			t.Errorf("a server that does not agree: %v", err)
		}
		p.endsWell(syscall.SIGTERM)
	})
}

func TestSOCKS5(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		open := start(t, engine, "socks5", "-listen", "tcp://"+anyPort)
		closed := start(t, engine, "socks5", "-listen", "tcp://"+anyPort, "-user", "ann:apple")
		s := target(t, true)
		for _, proxy := range []string{"socks5://" + open.address(), "socks5://ann:apple@" + closed.address()} {
			c := through(t, s, proxy)
			if got, err := fetch(t, c, "GET", s.URL+"/large", ""); err != nil || got.body != string(random(8<<20, 3)) {
				t.Errorf("%s: %d bytes, %v", proxy, len(got.body), err)
			}
			data := random(4<<20, 4)
			want := fmt.Sprintf("%d bytes %x", len(data), sha256.Sum256(data))
			if got, err := fetch(t, c, "POST", s.URL+"/digest", string(data)); err != nil || got.body != want {
				t.Errorf("%s: %q, %v", proxy, got.body, err)
			}
		}
		for _, proxy := range []string{"socks5://" + closed.address(), "socks5://ann:pear@" + closed.address(), "socks5://bob:apple@" + closed.address()} {
			if got, err := fetch(t, through(t, s, proxy), "GET", s.URL, ""); err == nil {
				t.Errorf("%s: %v", proxy, got.Response)
			}
		}
		open.endsWell(syscall.SIGTERM)
		closed.endsWell(syscall.SIGTERM)
	})
}

func TestSOCKS5Refuses(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "socks5", "-listen", "tcp://"+anyPort, "-port", "1", "-handshake", testkit.Scale(1000*time.Millisecond).String())
		const nothing = "\x00\x01\x00\x00\x00\x00\x00\x00"
		for request, want := range map[string]string{
			"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x01": "\x05\x05" + nothing, // nobody listens
			"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50": "\x05\x02" + nothing, // the port is not allowed
			"\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x01": "\x05\x07" + nothing, // BIND
			"\x05\x03\x00\x01\x7f\x00\x00\x01\x00\x01": "\x05\x07" + nothing, // UDP ASSOCIATE
			"\x05\x01\x00\x07":                         "\x05\x08" + nothing,
			"\x05\x01\x00\x03\x00\x00\x01":             "\x05\x01" + nothing,
			"\x05\x01\x00\x03\x09not there\x00\x01":    "\x05\x01" + nothing,
		} {
			c := dial(t, "tcp", p.address())
			c.send("\x05\x01\x00")
			c.reads([]byte("\x05\x00"))
			c.send(request)
			c.reads([]byte(want))
			c.ends()
		}
		for greeting, want := range map[string]string{"\x05\x01\x02": "\x05\xff", "\x04\x01\x00\x50": "", "\x05": ""} { // the last one says no more
			c := dial(t, "tcp", p.address())
			c.send(greeting)
			c.reads([]byte(want))
			c.ends()
		}
		p.endsWell(syscall.SIGTERM)
	})
}
