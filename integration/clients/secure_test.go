package clients

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// secureClient is a client of a worker with a certificate for the name "a.test".
func secureClient(s *service, w *workerman.Worker, a *testkit.Authority, scheme string) *workerman.Client {
	cl := clientOf(s, w, scheme)
	cl.TLS = a.ClientConfig("a.test")
	return cl
}

func TestClientTLS(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		names := make(chan string, 10)
		s, w, a := serveTLS(t, k, "text", func(w *workerman.Worker) {
			echo(w)
			w.OnConnect = func(c *workerman.Conn) { names <- c.TLSState().ServerName }
		})
		big := string(numbered(1, 3<<20))
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			cl := secureClient(s, w, a, "text")
			cl.TLS.MaxVersion = version
			h := make(happened, 10)
			h.Watch(cl)
			cl.Send([]byte("early"))
			connect(t, cl)
			h.Expect(t, "connect", "message early")
			if state := cl.Conn().TLSState(); state == nil || state.Version != version || !state.HandshakeComplete {
				t.Errorf("TLS state %+v", state)
			}
			if name := testkit.Receive(t, names, "the server's OnConnect"); name != "a.test" {
				t.Errorf("the server was asked for %q", name)
			}
			cl.Send([]byte(big))
			h.Expect(t, "message "+big)
			cl.Reconnect(0)
			h.Expect(t, "close <nil>", "connect")
			testkit.Receive(t, names, "the server's OnConnect")
			cl.Close()
			h.Expect(t, "close <nil>")
		}
	})
}

// Whatever is wrong with a certificate fails the attempt, before anything was sent.
func TestClientVerifies(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w, a := serveTLS(t, k, "text", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) { t.Errorf("%q arrived", data) }
		})
		plain := add(t, s, "text://127.0.0.1:0", func(w *workerman.Worker) {
			w.OnConnect = func(c *workerman.Conn) { c.Send([]byte("hello, this is no TLS")) }
		})
		var unknown x509.UnknownAuthorityError
		var name x509.HostnameError
		var record tls.RecordHeaderError
		for _, c := range []struct {
			what   string
			worker *workerman.Worker
			config *tls.Config
			is     any
		}{
			{"unknown authority", w, &tls.Config{ServerName: "a.test"}, &unknown},
			{"another authority", w, testkit.NewAuthority("other").ClientConfig("a.test"), &unknown},
			{"another name", w, a.ClientConfig("b.test"), &name},
			{"the address is no name", w, &tls.Config{RootCAs: a.Pool()}, &name},
			{"no TLS", plain, a.ClientConfig("a.test"), &record},
		} {
			cl := clientOf(s, c.worker, "text")
			cl.TLS = c.config
			cl.Send([]byte("secret"))
			failed, err := failure(t, cl)
			if !errors.As(err, c.is) {
				t.Errorf("%s: %T %v", c.what, err, err)
			}
			if failed.TLSState() != nil || failed.Connected() || failed.Send([]byte("secret")) != workerman.ErrClosed {
				t.Errorf("%s: the Conn is open", c.what)
			}
		}
		// Who asks for it gets a connection that nobody has verified.
		cl := clientOf(s, w, "ssl")
		cl.TLS = &tls.Config{InsecureSkipVerify: true}
		h := make(happened, 10)
		h.Watch(cl)
		connect(t, cl)
		h.Expect(t, "connect")
	})
}

func TestClientCertificate(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		visitors := testkit.NewAuthority("visitors")
		who := make(chan string, 1)
		s, w, a := serveTLS(t, k, "text", func(w *workerman.Worker) {
			f := t.TempDir() + "/visitors.crt"
			testkit.ReplaceFile(t, f, visitors.PEM())
			w.TLS.ClientCAFile = f
			echo(w)
			w.OnConnect = func(c *workerman.Conn) { who <- c.TLSState().PeerCertificates[0].Subject.CommonName }
		})
		f := workertest.Files(t, visitors, "alice")
		cert, err := tls.LoadX509KeyPair(f.CertFile, f.KeyFile)
		if err != nil {
			t.Fatal(err)
		}
		cl := secureClient(s, w, a, "text")
		cl.TLS.Certificates = []tls.Certificate{cert}
		h := make(happened, 10)
		h.Watch(cl)
		connect(t, cl)
		h.Expect(t, "connect")
		if got := testkit.Receive(t, who, "OnConnect"); got != "alice" {
			t.Errorf("the server sees %q", got)
		}
		// Without one TLS 1.2 fails in the handshake; in 1.3 the client is through by then.
		cl = secureClient(s, w, a, "text")
		cl.TLS.MaxVersion = tls.VersionTLS12
		if _, err := failure(t, cl); err == nil || !strings.Contains(err.Error(), "certificate required") && !strings.Contains(err.Error(), "bad certificate") && !strings.Contains(err.Error(), "handshake failure") {
			t.Errorf("%v", err)
		}
		cl = secureClient(s, w, a, "text")
		closed := make(chan error, 1)
		cl.OnClose = func(c *workerman.Conn) { closed <- c.Err() }
		connect(t, cl)
		if err := testkit.Receive(t, closed, "OnClose"); err == nil || !strings.Contains(err.Error(), "certificate required") {
			t.Errorf("%v", err)
		}
	})
}

func TestClientWebSocket(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		for _, secure := range []bool{false, true} {
			type request struct{ target, host, auth, origin string }
			requests := make(chan request, 10)
			kinds := make(chan websocket.Opcode, 10)
			configure := func(w *workerman.Worker) {
				w.WebSocket.Compression = websocket.Compression{Enabled: true, ContextTakeover: true}
				w.WebSocket.Subprotocols = []string{"chat.v2"}
				w.WebSocket.Origins = []string{"*"}
				w.OnUpgrade = func(c *workerman.Conn, r *web.Request) *web.Response {
					requests <- request{r.Target(), r.Host(), r.Header("Authorization"), r.Header("Origin")}
					answer := new(web.Response)
					return answer.Set("Set-Cookie", "id=7").Set("X-Room", "blue")
				}
				w.OnConnect = func(c *workerman.Conn) { c.Send([]byte("hello")) } // glued to the answer
				w.OnMessage = func(c *workerman.Conn, data []byte) {
					kinds <- c.MessageKind()
					if c.MessageKind() == websocket.Text {
						c.SendText(data)
					} else {
						c.SendBinary(data)
					}
				}
			}
			var s *service
			var w *workerman.Worker
			var cl *workerman.Client
			if secure {
				var a *testkit.Authority
				s, w, a = serveTLS(t, k, "websocket", configure)
				cl = secureClient(s, w, a, "wss")
			} else {
				s, w = serve(t, k, "websocket", configure)
				cl = clientOf(s, w, "ws")
			}
			if k.Network == "tcp" {
				room := s.Master.NewClient(cl.Address() + "/chat?room=1")
				room.ClientOptions = cl.ClientOptions
				cl = room
			}
			cl.Header = []web.Field{{Name: "Authorization", Value: "Bearer x"}, {Name: "host", Value: "chat.test"}, {Name: "Origin", Value: "https://chat.test"}}
			cl.WebSocket.Subprotocols = []string{"chat.v1", "chat.v2"}
			cl.WebSocket.Compression = websocket.Compression{Enabled: true, ContextTakeover: true}
			h := make(happened, 10)
			h.Watch(cl)
			cl.Send([]byte("early"))
			connect(t, cl)
			h.Expect(t, "connect", "message hello", "message early")
			want := request{"/chat?room=1", "chat.test", "Bearer x", "https://chat.test"}
			if k.Network == "unix" {
				want.target = "/"
			}
			if got := testkit.Receive(t, requests, "OnUpgrade"); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			c := cl.Conn()
			r := c.UpgradeResponse()
			if c.Subprotocol() != "chat.v2" || r == nil || !r.Deflate.Enabled {
				t.Errorf("subprotocol %q, response %+v, want chat.v2 with compression", c.Subprotocol(), r)
			}
			if r == nil || r.Status != 101 || r.Header("set-cookie") != "id=7" || r.Header("X-Room") != "blue" {
				t.Errorf("response %+v", r)
			}
			if kind := testkit.Receive(t, kinds, "the message"); kind != websocket.Text {
				t.Errorf("kind %v", kind)
			}
			big := strings.Repeat("all work and no play ", 50_000)
			c.SendBinary([]byte(big))
			h.Expect(t, "message "+big)
			if kind := testkit.Receive(t, kinds, "the message"); kind != websocket.Binary {
				t.Errorf("kind %v", kind)
			}
			prepared, _ := websocket.NewPrepared(websocket.Text, []byte("prepared"))
			if err := c.SendPrepared(prepared); err != nil {
				t.Error(err)
			}
			h.Expect(t, "message prepared")
			codes := make(chan int, 1)
			cl.Callbacks.OnClose = nil
			c.Callbacks().OnClose = func(c *workerman.Conn) {
				code, _ := c.CloseCode()
				codes <- code
			}
			c.CloseWithCode(4001, "enough")
			if code := testkit.Receive(t, codes, "OnClose"); code != 4001 && code != websocket.CloseAbnormal {
				t.Errorf("the server closed with %d", code)
			}
			if err := c.SendPrepared(prepared); err != workerman.ErrClosed {
				t.Errorf("after the close: %v", err)
			}
		}
	})
}

func TestClientWebSocketRefused(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "http", func(w *workerman.Worker) {
			w.OnRequest = func(c *workerman.Conn, r *web.Request) {
				c.Respond(web.Status(401).Set("WWW-Authenticate", "Bearer"))
			}
		})
		text := add(t, s, "text://127.0.0.1:0", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send([]byte("what?")) }
		})
		c, err := failure(t, clientOf(s, w, "ws"))
		var refused *websocket.HandshakeError
		if !errors.As(err, &refused) || refused.Status != 401 {
			t.Errorf("%v", err)
		}
		if r := c.UpgradeResponse(); r == nil || r.Header("WWW-Authenticate") != "Bearer" {
			t.Errorf("response %+v", r)
		}
		c, err = failure(t, clientOf(s, text, "ws"))
		if !errors.As(err, &refused) || c.UpgradeResponse() != nil {
			t.Errorf("%v", err)
		}
	})
}

// The client pings a silent server, and gives up one that does not answer.
func TestClientPings(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "websocket", nil)
		cl := clientOf(s, w, "ws")
		cl.PingInterval = 20e6
		pongs := make(chan struct{}, 100)
		cl.OnPong = func(c *workerman.Conn, data []byte) { pongs <- struct{}{} }
		connect(t, cl)
		for range 2 {
			testkit.Receive(t, pongs, "a pong")
		}
		cl.Close()
		dead := clientOf(s, w, "ws")
		dead.PingInterval = 20e6
		closed := make(chan error, 1)
		dead.OnConnect = func(c *workerman.Conn) {
			for server := range w.Connections() {
				server.PauseRecv()
			}
		}
		dead.OnClose = func(c *workerman.Conn) { closed <- c.Err() }
		connect(t, dead)
		if err := testkit.Receive(t, closed, "OnClose"); !errors.Is(err, workerman.ErrIdle) {
			t.Errorf("%v", err)
		}
	})
}
