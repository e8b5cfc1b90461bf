package conns

import (
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
	"github.com/workerman-go/workerman/web"
)

const header1 = "PROXY TCP4 203.0.113.7 198.51.100.1 4711 443\r\n"

// header2 is the same of version 2.
const header2 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x07\xc6\x33\x64\x01\x12\x67\x01\xbb"

func TestProxyProtocol(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		connected := make(chan string, 1)
		s, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.ProxyProtocol = true
			w.MaxConnectionsPerIP = 2
			w.HandshakeTimeout = 200 * time.Millisecond
			w.OnConnect = func(c *workerman.Conn) { connected <- c.RemoteAddr().String() }
			echo(w)
		})
		for _, header := range []string{header1, header2} {
			for _, size := range []int{len(header) + 6, 1} {
				c := dial(t, w)
				for in := header + "hello\n"; in != ""; in = in[min(size, len(in)):] {
					io.WriteString(c, in[:min(size, len(in))])
				}
				if got := receive(t, connected, "OnConnect"); got != "203.0.113.7:4711" {
					t.Error(got)
				}
				answer := make([]byte, 6)
				if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "hello\n" {
					t.Errorf("%q, %v", answer, err)
				}
				c.Close()
				eventually(t, "the connection is gone", func() bool { return w.Stats().Connections == 0 })
			}
		}
		for range 2 {
			io.WriteString(dial(t, w), header1)
			receive(t, connected, "OnConnect")
		}
		third := dial(t, w)
		io.WriteString(third, header1+"hello\n")
		if rest, err := io.ReadAll(third); len(rest) > 0 || err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%q, %v", rest, err)
		}
		if n := w.Stats().Refused; n != 1 {
			t.Errorf("%d refused", n)
		}
		none := dial(t, w)
		io.WriteString(none, "hello\n")
		if rest, _ := io.ReadAll(none); len(rest) > 0 {
			t.Errorf("%q", rest)
		}
		silent := dial(t, w)
		if rest, _ := io.ReadAll(silent); len(rest) > 0 {
			t.Errorf("%q", rest)
		}
		for _, want := range []string{"is it one of the proxy", "no PROXY header within 200ms"} {
			if len(s.Log.Lines(want)) != 1 {
				t.Errorf("no line with %q\n%s", want, s.Log)
			}
		}
	})
}

func TestClientIP(t *testing.T) {
	_, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
		w.TrustedProxies.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		w.OnRequest = func(c *workerman.Conn, r *web.Request) { c.Respond(web.Text(c.ClientIP(r).String())) }
	})
	c := dial(t, w)
	io.WriteString(c, workertest.Get("/")+workertest.Get("/", "X-Forwarded-For: 10.1.1.1, 203.0.113.7, 127.0.0.2"))
	r := workertest.NewReader(t, c)
	for _, want := range []string{"127.0.0.1", "203.0.113.7"} {
		if _, body := r.Answer("GET"); body != want {
			t.Errorf("%s, want %s", body, want)
		}
	}
}
