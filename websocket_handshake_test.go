package workerman

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

func TestWebSocketHandshake(t *testing.T) {
	type visit struct{ path, cookie, origin string }
	seen := make(chan visit, 1)
	order := make(chan string, 10)
	_, w := serve(t, kind{network: "tcp"}, "websocket", func(w *Worker) {
		w.WebSocket.Subprotocols = []string{"b", "a"}
		w.OnUpgrade = func(c *Conn, r *web.Request) *web.Response {
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
		w.OnConnect = func(c *Conn) {
			order <- "connect " + c.Subprotocol()
			c.Send([]byte("welcome"))
		}
		w.OnClose = func(c *Conn) { order <- "close" }
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
			c := &wsClient{Conn: dial(t, w), t: t}
			err := c.handshake(test.target, offer, []web.Field{{Name: "Cookie", Value: "id=7"}})
			path, _, _ := strings.Cut(test.target, "?")
			if v := receive(t, seen, "OnUpgrade"); v != (visit{path, "7", ""}) {
				t.Errorf("OnUpgrade sees %+v, want path %s and the cookie 7", v, path)
			}
			if c.answer == nil || c.answer.Status != test.status || (err == nil) != (test.status == 101) || !test.check(c.answer) {
				t.Errorf("the answer is %+v, %v, want status %d", c.answer, err, test.status)
			}
			if err == nil {
				c.expect(websocket.Text, []byte("welcome"))
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
	s, w := serve(t, kind{network: "tcp"}, "websocket", echoKind)
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
	if n := len(s.log.lines("connection closed", "127.0.0.1")); n != 6 {
		t.Errorf("%d connections were logged, want 6\n%s", n, s.log)
	}
}

func TestWebSocketOnAnHTTPWorker(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		for _, blocking := range []bool{false, true} {
			_, w := serve(t, k, "http", func(w *Worker) {
				echoKind(w)
				w.Blocking = blocking
				w.OnRequest = func(c *Conn, r *web.Request) {
					switch r.Path() {
					case "/ws":
						if err := c.Upgrade(r, web.Field{Name: "X-Hello", Value: "you"}); err == nil {
							c.Send([]byte("welcome"))
							if err := c.Respond(web.Status(200)); err != ErrNoRequest {
								t.Errorf("Respond: %v, want %v", err, ErrNoRequest)
							}
						}
					default:
						c.Respond(web.Text("page"))
					}
				}
			})
			c := &wsClient{Conn: dial(t, w), t: t}
			io.WriteString(c, get("/"))
			newReader(t, c).answer("GET")
			if err := c.handshake("/ws", nil, nil); err != nil || c.answer.Header("X-Hello") != "you" {
				t.Fatalf("the answer is %+v, %v, want X-Hello: you", c.answer, err)
			}
			c.expect(websocket.Text, []byte("welcome"))
			c.send(websocket.Binary, []byte("data"))
			c.expect(websocket.Binary, []byte("data"))
			if answer := talk(t, w, get("/ws")); !strings.HasPrefix(answer, "HTTP/1.1 426 ") {
				t.Errorf("the answer is %q, want status 426", answer)
			}
			idle := dial(t, w) // no WebSocket: a broadcast is not for it
			io.WriteString(idle, get("/"))
			r := newReader(t, idle)
			r.answer("GET")
			if n, err := w.Broadcast([]byte("all")); n != 1 || err != nil {
				t.Errorf("Broadcast: %d, %v, want 1", n, err)
			}
			c.expect(websocket.Text, []byte("all"))
			io.WriteString(idle, get("/"))
			if _, body := r.answer("GET"); body != "page" {
				t.Errorf("the page is %q, want %q", body, "page")
			}
		}
	})
}

// A frame may come in one packet with the handshake.
func TestWebSocketFramesRightBehindTheHandshake(t *testing.T) {
	_, w := serve(t, kind{network: "tcp"}, "websocket", func(w *Worker) {
		echoKind(w)
		w.Blocking = true
	})
	c := &wsClient{Conn: dial(t, w), t: t}
	h := websocket.ClientHandshake{Host: "localhost", Options: new(websocket.Options)}
	in, _ := h.AppendRequest(nil)
	c.codec = websocket.NewCodec(websocket.Client, h.Options, websocket.Deflate{})
	in, _ = c.codec.AppendMessage(in, websocket.Text, []byte("early"))
	c.Write(in)
	for c.answer == nil {
		if err := c.more(); err != nil {
			t.Fatalf("read: %v", err)
		}
		answer, n, err := h.ParseResponse(c.pending)
		if err != nil {
			t.Fatalf("handshake: %v", err)
		}
		if answer != nil {
			c.answer, c.pending = answer, c.pending[n:]
		}
	}
	c.expect(websocket.Text, []byte("early"))
}

func TestWebSocketHandshakeTimeout(t *testing.T) {
	s, w := serve(t, kind{network: "tcp"}, "websocket", func(w *Worker) {
		w.HandshakeTimeout = 30 * time.Millisecond
		w.OnClose = func(c *Conn) { t.Error("OnClose without OnConnect") }
	})
	talk(t, w, "GET / HTTP/1.1\r\n")
	if len(s.log.lines("no WebSocket handshake within 30ms")) != 1 {
		t.Errorf("want one line about the handshake, the log is\n%s", s.log)
	}
}

// With OnUpgrade a worker for HTTP serves WebSockets beside its pages or its handler.
func TestWebSocketBesideHTTP(t *testing.T) {
	page := func(w *Worker) { w.OnRequest = func(c *Conn, r *web.Request) { c.Respond(web.Text("page")) } }
	handler := func(w *Worker) {
		w.Handle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "page") }))
	}
	for _, configure := range []func(w *Worker){page, handler} {
		for _, blocking := range []bool{false, true} {
			connects := make(chan struct{}, 1)
			_, w := serve(t, kind{network: "tcp"}, "http", func(w *Worker) {
				configure(w)
				echoKind(w)
				w.Blocking = blocking
				w.OnConnect = func(c *Conn) { connects <- struct{}{} }
				w.OnUpgrade = func(c *Conn, r *web.Request) *web.Response {
					if r.Path() != "/ws" {
						return web.Status(403)
					}
					return web.Status(101).Set("X-Hello", "you")
				}
			})
			c := &wsClient{Conn: dial(t, w), t: t}
			receive(t, connects, "OnConnect")
			for range 2 {
				io.WriteString(c, get("/"))
				if _, body := newReader(t, c).answer("GET"); body != "page" {
					t.Errorf("the page is %q, want %q", body, "page")
				}
			}
			if err := c.handshake("/ws", nil, nil); err != nil || c.answer.Header("X-Hello") != "you" {
				t.Fatalf("the answer is %+v, %v, want X-Hello: you", c.answer, err)
			}
			c.send(websocket.Binary, []byte("data"))
			c.expect(websocket.Binary, []byte("data"))
			refused := &wsClient{Conn: dial(t, w), t: t}
			receive(t, connects, "OnConnect")
			if err := refused.handshake("/", nil, nil); err == nil || refused.answer.Status != 403 {
				t.Errorf("the answer is %+v, %v, want status 403", refused.answer, err)
			}
			if len(connects) > 0 {
				t.Error("OnConnect was called again")
			}
		}
	}
}
