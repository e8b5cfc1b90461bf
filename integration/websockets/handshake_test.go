package websockets

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

func TestWebSocketHandshake(t *testing.T) {
	type visit struct{ path, cookie, origin string }
	seen := make(chan visit, 1)
	order := make(chan string, 10)
	_, w := serve(t, kind{Network: "tcp"}, "websocket", func(w *workerman.Worker) {
		w.WebSocket.Subprotocols = []string{"b", "a"}
		w.OnUpgrade = func(c *workerman.Conn, r *web.Request) *web.Response {
			order <- "upgrade"
			seen <- visit{r.Path(), r.Cookie("id"), r.Header("Origin")}
			switch r.Query("want") {
			case "401":
				return web.Status(401).Set("WWW-Authenticate", "Basic")
			case "field":
				return web.Status(101).Set("X-Hello", "you")
			case "c":
				return (&web.Response{}).Set("Sec-WebSocket-Protocol", "c")
			}
			return nil
		}
		w.OnConnect = func(c *workerman.Conn) {
			order <- "connect " + c.Subprotocol()
			c.Send([]byte("welcome"))
		}
		w.OnClose = func(c *workerman.Conn) { order <- "close" }
	})
	offer := &websocket.Options{Subprotocols: []string{"a", "b", "c"}}
	for _, test := range []struct {
		target string
		status int
		order  string
		check  func(*websocket.Response) bool
	}{
		{"/x?want=field", 101, "upgrade,connect a,close", func(r *websocket.Response) bool { return r.Header("X-Hello") == "you" }},
		{"/?want=c", 101, "upgrade,connect c,close", func(r *websocket.Response) bool { return r.Subprotocol == "c" }},
		{"/?want=401", 401, "upgrade", func(r *websocket.Response) bool { return r.Header("WWW-Authenticate") == "Basic" }},
	} {
		t.Run(test.target, func(t *testing.T) {
			c := newWebSocket(t, dial(t, w))
			err := c.ShakeHands(test.target, offer, web.Field{Name: "Cookie", Value: "id=7"})
			path, _, _ := strings.Cut(test.target, "?")
			if v := receive(t, seen, "OnUpgrade"); v != (visit{path, "7", ""}) {
				t.Errorf("OnUpgrade sees %+v, want path %s and the cookie 7", v, path)
			}
			if c.Answer == nil || c.Answer.Status != test.status || (err == nil) != (test.status == 101) || !test.check(c.Answer) {
				t.Errorf("the answer is %+v, %v, want status %d", c.Answer, err, test.status)
			}
			if err == nil {
				c.Expect(websocket.Text, []byte("welcome"))
			}
			c.Close()
			for want := range strings.SplitSeq(test.order, ",") {
				if got := receive(t, order, want); got != want {
					t.Errorf("callback %q, want %q", got, want)
				}
			}
			eventually(t, "the connection is gone", func() bool { return w.Stats().Connections == 0 })
			if len(order) > 0 {
				t.Errorf("callback %q, want no more", <-order)
			}
		})
	}
}

func TestWebSocketRefusals(t *testing.T) {
	upgrade := "Connection: Upgrade\r\nUpgrade: websocket\r\n"
	key := "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	s, w := serve(t, kind{Network: "tcp"}, "websocket", echoKind)
	for _, test := range []struct{ name, request, want string }{
		{"no upgrade", get("/"), "HTTP/1.1 426 Upgrade Required\r\n|Sec-Websocket-Version: 13|Upgrade: websocket"},
		{"old version", get("/", upgrade+key+"Sec-WebSocket-Version: 8"), "HTTP/1.1 426 |Sec-Websocket-Version: 13"},
		{"no key", get("/", upgrade+"Sec-WebSocket-Version: 13"), "HTTP/1.1 400 "},
		{"another method", strings.Replace(get("/", upgrade+key+"Sec-WebSocket-Version: 13"), "GET", "POST", 1), "HTTP/1.1 405 |Allow: GET"},
		{"another origin", get("/", upgrade+key+"Sec-WebSocket-Version: 13", "Origin: http://evil"), "HTTP/1.1 403 "},
		{"no HTTP", "hello\n", "HTTP/1.1 400 "},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := talk(t, w, test.request)
			for want := range strings.SplitSeq(test.want, "|") {
				if !strings.Contains(answer, want) {
					t.Errorf("the answer is %q, want %q in it", answer, want)
				}
			}
		})
	}
	if n := len(s.Log.Lines("connection closed", "127.0.0.1")); n != 6 {
		t.Errorf("%d connections were logged, want 6\n%s", n, s.Log)
	}
}

func TestWebSocketOnAnHTTPWorker(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		for _, blocking := range []bool{false, true} {
			_, w := serve(t, k, "http", func(w *workerman.Worker) {
				echoKind(w)
				w.Blocking = blocking
				w.OnRequest = func(c *workerman.Conn, r *web.Request) {
					switch r.Path() {
					case "/ws":
						if err := c.Upgrade(r, web.Field{Name: "X-Hello", Value: "you"}); err == nil {
							c.Send([]byte("welcome"))
							if err := c.Respond(web.Status(200)); err != workerman.ErrNoRequest {
								t.Errorf("Respond: %v, want %v", err, workerman.ErrNoRequest)
							}
						}
					default:
						c.Respond(web.Text("page"))
					}
				}
			})
			c := newWebSocket(t, dial(t, w))
			io.WriteString(c, get("/"))
			newReader(t, c).Answer("GET")
			if err := c.ShakeHands("/ws", nil); err != nil || c.Answer.Header("X-Hello") != "you" {
				t.Fatalf("the answer is %+v, %v, want X-Hello: you", c.Answer, err)
			}
			c.Expect(websocket.Text, []byte("welcome"))
			c.Send(websocket.Binary, []byte("data"))
			c.Expect(websocket.Binary, []byte("data"))
			if answer := talk(t, w, get("/ws")); !strings.HasPrefix(answer, "HTTP/1.1 426 ") {
				t.Errorf("the answer is %q, want status 426", answer)
			}
			idle := dial(t, w) // no WebSocket: a broadcast is not for it
			io.WriteString(idle, get("/"))
			r := newReader(t, idle)
			r.Answer("GET")
			if n, err := w.Broadcast([]byte("all")); n != 1 || err != nil {
				t.Errorf("Broadcast: %d, %v, want 1", n, err)
			}
			c.Expect(websocket.Text, []byte("all"))
			io.WriteString(idle, get("/"))
			if _, body := r.Answer("GET"); body != "page" {
				t.Errorf("the page is %q, want %q", body, "page")
			}
		}
	})
}

// A frame may come in one packet with the handshake.
func TestWebSocketFramesRightBehindTheHandshake(t *testing.T) {
	_, w := serve(t, kind{Network: "tcp"}, "websocket", func(w *workerman.Worker) {
		echoKind(w)
		w.Blocking = true
	})
	c := newWebSocket(t, dial(t, w))
	h := websocket.ClientHandshake{Host: "localhost", Options: new(websocket.Options)}
	in, _ := h.AppendRequest(nil)
	c.Codec = websocket.NewCodec(websocket.Client, h.Options, websocket.Deflate{})
	in, _ = c.Codec.AppendMessage(in, websocket.Text, []byte("early"))
	c.Write(in)
	for c.Answer == nil {
		if err := c.More(); err != nil {
			t.Fatalf("read: %v", err)
		}
		answer, n, err := h.ParseResponse(c.Pending)
		if err != nil {
			t.Fatalf("handshake: %v", err)
		}
		if answer != nil {
			c.Answer, c.Pending = answer, c.Pending[n:]
		}
	}
	c.Expect(websocket.Text, []byte("early"))
}

func TestWebSocketHandshakeTimeout(t *testing.T) {
	s, w := serve(t, kind{Network: "tcp"}, "websocket", func(w *workerman.Worker) {
		w.HandshakeTimeout = 30 * time.Millisecond
		w.OnClose = func(c *workerman.Conn) { t.Error("OnClose without OnConnect") }
	})
	talk(t, w, "GET / HTTP/1.1\r\n")
	if len(s.Log.Lines("no WebSocket handshake within 30ms")) != 1 {
		t.Errorf("want one line about the handshake, the log is\n%s", s.Log)
	}
}

// With OnUpgrade a worker for HTTP serves WebSockets beside its pages or its handler.
func TestWebSocketBesideHTTP(t *testing.T) {
	page := func(w *workerman.Worker) {
		w.OnRequest = func(c *workerman.Conn, r *web.Request) { c.Respond(web.Text("page")) }
	}
	handler := func(w *workerman.Worker) {
		w.Handle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "page") }))
	}
	for _, configure := range []func(w *workerman.Worker){page, handler} {
		for _, blocking := range []bool{false, true} {
			connects := make(chan struct{}, 1)
			_, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
				configure(w)
				echoKind(w)
				w.Blocking = blocking
				w.OnConnect = func(c *workerman.Conn) { connects <- struct{}{} }
				w.OnUpgrade = func(c *workerman.Conn, r *web.Request) *web.Response {
					if r.Path() != "/ws" {
						return web.Status(403)
					}
					return web.Status(101).Set("X-Hello", "you")
				}
			})
			c := newWebSocket(t, dial(t, w))
			receive(t, connects, "OnConnect")
			for range 2 {
				io.WriteString(c, get("/"))
				if _, body := newReader(t, c).Answer("GET"); body != "page" {
					t.Errorf("the page is %q, want %q", body, "page")
				}
			}
			if err := c.ShakeHands("/ws", nil); err != nil || c.Answer.Header("X-Hello") != "you" {
				t.Fatalf("the answer is %+v, %v, want X-Hello: you", c.Answer, err)
			}
			c.Send(websocket.Binary, []byte("data"))
			c.Expect(websocket.Binary, []byte("data"))
			refused := newWebSocket(t, dial(t, w))
			receive(t, connects, "OnConnect")
			if err := refused.ShakeHands("/", nil); err == nil || refused.Answer.Status != 403 {
				t.Errorf("the answer is %+v, %v, want status 403", refused.Answer, err)
			}
			if len(connects) > 0 {
				t.Error("OnConnect was called again")
			}
		}
	}
}
