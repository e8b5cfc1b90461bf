package workerman

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// wsClient is a WebSocket client over a plain connection.
type wsClient struct {
	net.Conn
	t       *testing.T
	codec   *websocket.Codec
	answer  *websocket.Response
	pending []byte
}

// dialWebSocket connects and shakes hands.
func dialWebSocket(t *testing.T, w *Worker, target string, o *websocket.Options, fields ...web.Field) *wsClient {
	t.Helper()
	c := &wsClient{Conn: dial(t, w), t: t}
	if err := c.handshake(target, o, fields); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *wsClient) handshake(target string, o *websocket.Options, fields []web.Field) error {
	if o == nil {
		o = new(websocket.Options)
	}
	h := websocket.ClientHandshake{Host: "localhost", Target: target, Options: o, Fields: fields}
	request, err := h.AppendRequest(nil)
	if err != nil {
		return err
	}
	c.Write(request)
	for {
		answer, n, err := h.ParseResponse(c.pending)
		c.answer = answer
		if err != nil {
			return err
		}
		if answer != nil {
			c.codec = websocket.NewCodec(websocket.Client, o, answer.Deflate)
			c.pending = append([]byte(nil), c.pending[n:]...)
			return nil
		}
		if err := c.more(); err != nil {
			return err
		}
	}
}

func (c *wsClient) more() error {
	var buf [64 << 10]byte
	n, err := c.Read(buf[:])
	c.pending = append(c.pending, buf[:n]...)
	if n > 0 {
		return nil
	}
	return err
}

func (c *wsClient) send(op websocket.Opcode, data []byte) {
	c.t.Helper()
	out, err := c.codec.AppendMessage(nil, op, data)
	if err != nil {
		c.t.Fatal(err)
	}
	c.Write(out)
}

func (c *wsClient) control(op websocket.Opcode, data string) {
	c.t.Helper()
	out, err := c.codec.AppendControl(nil, op, []byte(data))
	if err != nil {
		c.t.Fatal(err)
	}
	c.Write(out)
}

// next returns the next event; its data is a copy.
func (c *wsClient) next() websocket.Event {
	c.t.Helper()
	for {
		ev, n, _, err := c.codec.Next(c.pending)
		ev.Data = bytes.Clone(ev.Data)
		c.pending = append([]byte(nil), c.pending[n:]...)
		if err != nil {
			c.t.Fatal(err)
		}
		if ev.Op != websocket.Continuation {
			return ev
		}
		if err := c.more(); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *wsClient) expect(op websocket.Opcode, data []byte) {
	c.t.Helper()
	if ev := c.next(); ev.Op != op || !bytes.Equal(ev.Data, data) {
		c.t.Fatalf("%v %.80q, want %v %.80q", ev.Op, ev.Data, op, data)
	}
}

// closed expects a close frame and the end of the connection.
func (c *wsClient) closed(code int) string {
	c.t.Helper()
	ev := c.next()
	if ev.Op != websocket.Close || ev.Code != code {
		c.t.Fatalf("%v %d %q, want close %d", ev.Op, ev.Code, ev.Data, code)
	}
	if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
		c.t.Errorf("%q, %v behind the close", rest, err)
	}
	return string(ev.Data)
}

// echoKind sends messages back as what they are.
func echoKind(w *Worker) {
	w.OnMessage = func(c *Conn, data []byte) {
		if c.MessageKind() == websocket.Binary {
			c.SendBinary(data)
		} else {
			c.SendText(data)
		}
	}
}

var compressed = websocket.Compression{Enabled: true, ContextTakeover: true}

func TestWebSocketEcho(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		for _, blocking := range []bool{false, true} {
			for _, deflate := range []bool{false, true} {
				t.Run(fmt.Sprintf("blocking %v, compressed %v", blocking, deflate), func(t *testing.T) {
					var o websocket.Options
					if deflate {
						o.Compression = compressed
					}
					_, w := serve(t, k, "websocket", func(w *Worker) {
						echoKind(w)
						w.Blocking = blocking
						w.WebSocket = o
					})
					c := dialWebSocket(t, w, "/", &o)
					if c.answer.Deflate.Enabled != deflate {
						t.Error("compression was not agreed on as asked")
					}
					for i, size := range []int{0, 1, 125, 126, 2000, 65535, 65536, 1 << 20} {
						data := numbered(i, size)
						op := []websocket.Opcode{websocket.Text, websocket.Binary}[i%2]
						c.send(op, data)
						c.expect(op, data)
					}
				})
			}
		}
	})
}

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
				t.Errorf("%+v", v)
			}
			if c.answer == nil || c.answer.Status != test.status || (err == nil) != (test.status == 101) || !test.check(c.answer) {
				t.Errorf("%+v, %v", c.answer, err)
			}
			if err == nil {
				c.expect(websocket.Text, []byte("welcome"))
			}
			c.Close()
			for want := range strings.SplitSeq(test.order, ",") {
				if got := receive(t, order, want); got != want {
					t.Errorf("%q, want %q", got, want)
				}
			}
			eventually(t, "the connection is gone", func() bool { return w.Stats().Connections == 0 })
			if len(order) > 0 {
				t.Errorf("%q too much", <-order)
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
					t.Errorf("%q lacks %q", answer, want)
				}
			}
		})
	}
	if n := len(s.log.lines("connection closed", "127.0.0.1")); n != 6 {
		t.Errorf("%d lines\n%s", n, s.log)
	}
}

func TestWebSocketCloses(t *testing.T) {
	type end struct {
		err    string
		code   int
		reason string
	}
	ends := make(chan end, 1)
	s, w := serve(t, kind{network: "tcp"}, "websocket", func(w *Worker) {
		w.MaxPackageSize = 1000
		w.OnMessage = func(c *Conn, data []byte) {
			switch string(data) {
			case "close":
				c.Close()
			case "code":
				c.CloseWithCode(4001, "enough")
			case "last":
				c.CloseWith([]byte("last words"))
			case "panic":
				panic("no good")
			}
		}
		w.OnClose = func(c *Conn) {
			code, reason := c.CloseCode()
			ends <- end{fmt.Sprint(c.Err()), code, reason}
		}
	})
	text := func(s string) func(c *wsClient) { return func(c *wsClient) { c.send(websocket.Text, []byte(s)) } }
	for _, test := range []struct {
		name string
		do   func(c *wsClient)
		code int // that the client gets
		want end
		log  string
	}{
		{"by the server", text("close"), 1000, end{"<nil>", websocket.CloseAbnormal, ""}, ""},
		{"with a code", text("code"), 4001, end{"<nil>", websocket.CloseAbnormal, ""}, ""},
		{"by the client", func(c *wsClient) {
			out, _ := c.codec.AppendClose(nil, 4444, "tired")
			c.Write(out)
		}, 4444, end{"<nil>", 4444, "tired"}, ""},
		{"too large", func(c *wsClient) { c.send(websocket.Binary, make([]byte, 1001)) }, 1009, end{"websocket: close 1009: message of more than 1000 bytes", 1006, ""}, "more than 1000 bytes"},
		{"bad text", func(c *wsClient) { c.send(websocket.Text, []byte("\xff")) }, 1007, end{"websocket: close 1007: text is not UTF-8", 1006, ""}, "UTF-8"},
		{"unmasked", func(c *wsClient) { c.Write([]byte{0x81, 0}) }, 1002, end{"websocket: close 1002: frame of a client without a mask", 1006, ""}, "without a mask"},
		{"panic", text("panic"), 1011, end{"panic: no good", 1006, ""}, "no good"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := len(s.log.lines("127.0.0.1"))
			c := dialWebSocket(t, w, "/", nil)
			test.do(c)
			c.closed(test.code)
			c.Conn.Close()
			got := receive(t, ends, "OnClose")
			if got != test.want {
				t.Errorf("%+v, want %+v", got, test.want)
			}
			lines := s.log.lines("127.0.0.1")[before:]
			if test.log == "" && len(lines) > 0 || test.log != "" && (len(lines) != 1 || !strings.Contains(lines[0], test.log)) {
				t.Errorf("log: %q", lines)
			}
		})
	}
	c := dialWebSocket(t, w, "/", nil)
	c.send(websocket.Text, []byte("last"))
	c.expect(websocket.Text, []byte("last words"))
	c.closed(1000)
	c.Conn.Close()
	receive(t, ends, "OnClose")
	c = dialWebSocket(t, w, "/", nil)
	s.cancel()
	if reason := c.closed(1001); reason != "server stops" {
		t.Errorf("%q", reason)
	}
	c.Conn.Close()
}

func TestWebSocketPings(t *testing.T) {
	got := make(chan string, 2)
	closed := make(chan error, 1)
	_, w := serve(t, kind{network: "tcp"}, "websocket", func(w *Worker) {
		w.PingInterval = 500 * time.Millisecond
		w.OnPing = func(c *Conn, data []byte) { got <- "ping " + string(data) }
		w.OnPong = func(c *Conn, data []byte) { got <- "pong " + string(data) }
		w.OnConnect = func(c *Conn) { c.Ping([]byte("you")) }
		w.OnClose = func(c *Conn) { closed <- c.Err() }
	})
	c := dialWebSocket(t, w, "/", nil)
	c.expect(websocket.Ping, []byte("you"))
	c.control(websocket.Pong, "me")
	if s := receive(t, got, "OnPong"); s != "pong me" {
		t.Error(s)
	}
	c.control(websocket.Ping, "there")
	c.expect(websocket.Pong, []byte("there"))
	if s := receive(t, got, "OnPing"); s != "ping there" {
		t.Error(s)
	}
	c.expect(websocket.Ping, nil) // silent for the interval
	c.control(websocket.Pong, "")
	receive(t, got, "OnPong")
	c.expect(websocket.Ping, nil)
	// No answer now: the peer counts as dead.
	if err := receive(t, closed, "OnClose"); !errors.Is(err, ErrIdle) {
		t.Error(err)
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
								t.Error(err)
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
				t.Fatal(err)
			}
			c.expect(websocket.Text, []byte("welcome"))
			c.send(websocket.Binary, []byte("data"))
			c.expect(websocket.Binary, []byte("data"))
			if answer := talk(t, w, get("/ws")); !strings.HasPrefix(answer, "HTTP/1.1 426 ") {
				t.Errorf("%q", answer)
			}
			idle := dial(t, w) // no WebSocket: a broadcast is not for it
			io.WriteString(idle, get("/"))
			r := newReader(t, idle)
			r.answer("GET")
			if n, err := w.Broadcast([]byte("all")); n != 1 || err != nil {
				t.Error(n, err)
			}
			c.expect(websocket.Text, []byte("all"))
			io.WriteString(idle, get("/"))
			if _, body := r.answer("GET"); body != "page" {
				t.Error(body)
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
			t.Fatal(err)
		}
		answer, n, err := h.ParseResponse(c.pending)
		if err != nil {
			t.Fatal(err)
		}
		if answer != nil {
			c.answer, c.pending = answer, c.pending[n:]
		}
	}
	c.expect(websocket.Text, []byte("early"))
}

func TestWebSocketBroadcastIsSharedByAllKindsOfClients(t *testing.T) {
	o := websocket.Options{Compression: websocket.Compression{Enabled: true, ContextTakeover: true, Threshold: 1}}
	kinds(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "websocket", func(w *Worker) {
			w.WebSocket = o
			w.WebSocket.Binary = true
			w.OnConnect = func(c *Conn) { c.Join("room") }
			echoKind(w)
		})
		var clients []*wsClient
		for i := range 8 {
			own := o
			own.Compression.Enabled = i%2 == 0
			own.Compression.ContextTakeover = i%4 == 0
			clients = append(clients, dialWebSocket(t, w, "/", &own))
		}
		eventually(t, "all are in the room", func() bool { return w.Group("room").Count() == len(clients) })
		for i := range 20 {
			data := numbered(i/3, 500)
			if n, err := w.Group("room").Send(data); n != len(clients) || err != nil {
				t.Fatal(n, err)
			}
			prepared, _ := websocket.NewPrepared(websocket.Text, data)
			for c := range w.Connections() {
				c.SendPrepared(prepared)
			}
			for _, c := range clients {
				c.expect(websocket.Binary, data)
				c.expect(websocket.Text, data)
				c.send(websocket.Text, data)
				c.expect(websocket.Text, data)
			}
		}
	})
}

func TestWebSocketHandshakeTimeout(t *testing.T) {
	s, w := serve(t, kind{network: "tcp"}, "websocket", func(w *Worker) {
		w.HandshakeTimeout = 30 * time.Millisecond
		w.OnClose = func(c *Conn) { t.Error("OnClose without OnConnect") }
	})
	talk(t, w, "GET / HTTP/1.1\r\n")
	if len(s.log.lines("no WebSocket handshake within 30ms")) != 1 {
		t.Error(s.log)
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
					t.Error(body)
				}
			}
			if err := c.handshake("/ws", nil, nil); err != nil || c.answer.Header("X-Hello") != "you" {
				t.Fatal(err)
			}
			c.send(websocket.Binary, []byte("data"))
			c.expect(websocket.Binary, []byte("data"))
			refused := &wsClient{Conn: dial(t, w), t: t}
			receive(t, connects, "OnConnect")
			if err := refused.handshake("/", nil, nil); err == nil || refused.answer.Status != 403 {
				t.Error(err)
			}
			if len(connects) > 0 {
				t.Error("OnConnect was called again")
			}
		}
	}
}

// Pongs that a client does not read are no messages of the program that were refused.
func TestWebSocketPingsOfAClientThatDoesNotRead(t *testing.T) {
	_, w := serve(t, kind{network: "tcp"}, "websocket", func(w *Worker) {
		w.MaxSendBuffer = 1000
		w.OnMessage = func(c *Conn, data []byte) {
			if len(data) > 0 {
				c.Send(make([]byte, 8<<20))
			}
		}
		w.OnError = func(c *Conn, err error) { t.Error(err) }
	})
	c := dialWebSocket(t, w, "/", nil)
	readSlowly(c.Conn)
	c.send(websocket.Text, []byte("fill"))
	for range 100 {
		c.control(websocket.Ping, "there?")
	}
	c.send(websocket.Binary, nil)                                                // is read behind the pings
	eventually(t, "all is read", func() bool { return w.Stats().Requests == 3 }) // the handshake is one
	if n := w.Stats().SendFail; n != 0 {
		t.Errorf("%d sends failed", n)
	}
}
