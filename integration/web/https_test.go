package web

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// proxyHeader is how a proxy announces a client.
const proxyHeader = "PROXY TCP4 203.0.113.7 198.51.100.1 4711 443\r\n"

// borrowCertificate is a certificate for example.com and 127.0.0.1 and a client that trusts it.
func borrowCertificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	client = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	client.ServerName = "example.com"
	return &tls.Config{Certificates: s.TLS.Certificates}, client
}

func TestHTTPS(t *testing.T) {
	server, client := borrowCertificate(t)
	kinds(t, func(t *testing.T, k kind) {
		path := filepath.Join(t.TempDir(), "f")
		content := numbered(1, 3<<20)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, proxied := range []bool{false, true} {
			_, w := serve(t, k, "http", func(w *workerman.Worker) {
				w.TLS.Config = server
				w.ProxyProtocol = proxied
				w.OnRequest = func(c *workerman.Conn, r *web.Request) {
					switch {
					case c.TLSState() == nil:
						t.Error("no TLS state")
					case r.Path() == "/file":
						c.Respond(web.File(path))
					default:
						c.Respond(web.Text(c.RemoteAddr().String()))
					}
				}
			})
			plain := dial(t, w)
			in := ""
			if proxied {
				in = proxyHeader
			}
			c := tls.Client(&withPrefix{plain, in}, client)
			io.WriteString(c, get("/file")+get("/who", "Connection: close"))
			r := newReader(t, c)
			if _, body := r.Answer("GET"); body != string(content) {
				t.Errorf("%d bytes", len(body))
			}
			if _, body := r.Answer("GET"); proxied && body != "203.0.113.7:4711" {
				t.Error(body)
			}
			r.Ends()
			if answer := talk(t, w, in+get("/")); !strings.HasPrefix(answer, "HTTP/1.1 400 ") || !strings.HasSuffix(answer, "This port speaks HTTPS.\n") {
				t.Errorf("%q", answer)
			}
		}
	})
}

func TestWSS(t *testing.T) {
	server, client := borrowCertificate(t)
	kinds(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "websocket", func(w *workerman.Worker) {
			echoKind(w)
			w.TLS.Config = server
			w.WebSocket.Compression = compressed
		})
		c := newWebSocket(t, tls.Client(dial(t, w), client))
		if err := c.ShakeHands("/", &websocket.Options{Compression: compressed}); err != nil {
			t.Fatal(err)
		}
		for i, size := range []int{0, 100, 70_000, 1 << 20} {
			data := numbered(i, size)
			c.Send(websocket.Binary, data)
			c.Expect(websocket.Binary, data)
		}
		w.Broadcast([]byte("to all"))
		c.Expect(websocket.Text, []byte("to all"))
		for c := range w.Connections() {
			c.CloseWithCode(4000, "done")
		}
		if reason := c.Closed(4000); reason != "done" {
			t.Error(reason)
		}
	})
}

// withPrefix is a connection on which a header goes first.
type withPrefix struct {
	net.Conn
	prefix string
}

func (p *withPrefix) Write(b []byte) (int, error) {
	n, err := p.Conn.Write(append([]byte(p.prefix), b...))
	n -= len(p.prefix)
	p.prefix = ""
	return n, err
}
