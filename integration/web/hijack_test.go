package web

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

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

func TestHijackIsANetConn(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := mount(t, k, upgraded(t, func(c net.Conn) {
			n, err := io.Copy(c, c)
			if err != nil || n < 16<<20 {
				t.Error(n, err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if _, err := c.Read(make([]byte, 1)); err != net.ErrClosed {
				t.Error(err)
			}
			if _, err := c.Write(make([]byte, 1)); err != net.ErrClosed {
				t.Error(err)
			}
		}), func(w *workerman.Worker) { w.MaxSendBuffer = 128 << 10 })
		c := dial(t, w)
		content := numbered(1, 16<<20)
		go func() {
			io.WriteString(c, upgrade+"early ") // with the request
			c.Write(content)
			c.(interface{ CloseWrite() error }).CloseWrite()
		}()
		got, err := io.ReadAll(switched(t, c))
		if err != nil || string(got) != "early "+string(content) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}

func TestHijackedConnectionOutlivesTheHandler(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		conns := make(chan net.Conn, 1)
		s, w := mount(t, k, upgraded(t, func(c net.Conn) { conns <- c }), func(w *workerman.Worker) { w.IdleTimeout = time.Millisecond })
		c := dial(t, w)
		io.WriteString(c, upgrade)
		r := switched(t, c)
		conn := receive(t, conns, "the connection")
		if conn.LocalAddr().String() != c.RemoteAddr().String() || conn.RemoteAddr().String() != c.LocalAddr().String() {
			t.Error(conn.LocalAddr(), conn.RemoteAddr())
		}
		conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond)) // and longer than IdleTimeout
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		conn.SetDeadline(time.Time{})
		for range 3 {
			io.WriteString(c, "ping")
			got := make([]byte, 4)
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != "ping" {
				t.Errorf("%q, %v", got, err)
			}
			io.WriteString(conn, "pong")
			if _, err := io.ReadFull(r, got); err != nil || string(got) != "pong" {
				t.Errorf("%q, %v", got, err)
			}
		}
		conn.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		for {
			if _, err := conn.Write(make([]byte, 64<<10)); err != nil {
				if err != os.ErrDeadlineExceeded {
					t.Error(err)
				}
				break
			}
		}
		go io.Copy(io.Discard, r)
		s.Stop()
		if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
	})
}

func TestHandleOverTLS(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		content := numbered(4, 1<<20)
		mux := http.NewServeMux()
		mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
			if r.TLS == nil || r.TLS.ServerName != "a.test" || !r.TLS.HandshakeComplete {
				t.Error(r.TLS)
			}
			b, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			w.Write(b)
		})
		mux.HandleFunc("/upgrade", upgraded(t, func(c net.Conn) {
			defer c.Close()
			io.Copy(c, c)
		}))
		_, w, a := workertest.ServeTLS(t, k, "http", func(w *workerman.Worker) { w.Handle(mux) })
		c := workertest.DialTLS(t, w, a.ClientConfig("a.test"))
		go func() {
			fmt.Fprintf(c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", len(content))
			c.Write(content)
		}()
		if _, body := newReader(t, c).Answer("POST"); body != string(content) {
			t.Errorf("%d bytes", len(body))
		}
		io.WriteString(c, strings.Replace(upgrade, "/", "/upgrade", 1))
		r := switched(t, c)
		go c.Write(content)
		got := make([]byte, len(content))
		if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, content) {
			t.Error(err)
		}
		c.Close()
	})
}

func TestHijackAfterAPartOfTheBody(t *testing.T) {
	_, w := mount(t, kind{Network: "tcp"}, func(w http.ResponseWriter, r *http.Request) {
		io.ReadFull(r.Body, make([]byte, 2))
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		got := make([]byte, 8)
		if _, err := io.ReadFull(c, got); err != nil || string(got) != "llo then" {
			t.Errorf("%q, %v", got, err)
		}
		io.WriteString(c, "bye")
	})
	c := dial(t, w)
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel")
	io.WriteString(c, "lo then")
	if got, err := io.ReadAll(c); string(got) != "bye" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestReverseProxy(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		mux := http.NewServeMux()
		mux.HandleFunc("/upgrade", upgraded(t, func(c net.Conn) {
			defer c.Close()
			io.Copy(c, c)
		}))
		mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-Sum")
			io.Copy(w, r.Body)
			w.Header().Set("X-Sum", "7")
		})
		mux.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
			for i := range 3 {
				fmt.Fprint(w, i)
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done() // the proxy tells that its client has left
		})
		mux.HandleFunc("/cut", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "some")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		})
		_, behind := mount(t, kind{Portable: k.Portable, Network: "tcp"}, mux.ServeHTTP)
		talk(t, behind, get("/", "Connection: close")) // it is up with all its goroutines
		proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: behind.Addr().String()})
		transport := new(http.Transport)
		t.Cleanup(transport.CloseIdleConnections)
		proxy.Transport = transport
		proxy.ErrorLog = log.New(io.Discard, "", 0)
		proxy.FlushInterval = -1
		_, w := mount(t, k, proxy.ServeHTTP)
		c := client(t, w)

		content := numbered(3, 4<<20)
		answer, err := c.Post("http://a/echo", "", struct{ io.Reader }{bytes.NewReader(content)})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if !bytes.Equal(body, content) || err != nil || answer.Trailer.Get("X-Sum") != "7" {
			t.Errorf("%d bytes, %v, %v", len(body), err, answer.Trailer)
		}

		if answer := talk(t, w, get("/cut")); !strings.HasSuffix(answer, "\r\n4\r\nsome\r\n") {
			t.Errorf("%q looks complete", answer)
		}

		answer, err = c.Get("http://a/stream")
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 3)
		if _, err := io.ReadFull(answer.Body, got); err != nil || string(got) != "012" {
			t.Errorf("%q, %v", got, err)
		}
		answer.Body.Close()

		raw := dial(t, w)
		io.WriteString(raw, strings.Replace(upgrade, "/", "/upgrade", 1))
		r := switched(t, raw)
		for range 3 {
			io.WriteString(raw, "ping")
			got := make([]byte, 4)
			if _, err := io.ReadFull(r, got); err != nil || string(got) != "ping" {
				t.Errorf("%q, %v", got, err)
			}
		}
	})
}
