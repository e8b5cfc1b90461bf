package websockets

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
	"github.com/workerman-go/workerman/websocket"
)

func TestWebSocketEcho(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		for _, blocking := range []bool{false, true} {
			for _, deflate := range []bool{false, true} {
				t.Run(fmt.Sprintf("blocking %v, compressed %v", blocking, deflate), func(t *testing.T) {
					var o websocket.Options
					if deflate {
						o.Compression = workertest.Compressed
					}
					_, w := serve(t, k, "websocket", func(w *workerman.Worker) {
						echoKind(w)
						w.Blocking = blocking
						w.WebSocket = o
					})
					c := dialWebSocket(t, w, "/", &o)
					if c.Answer.Deflate.Enabled != deflate {
						t.Errorf("compression is %v, want %v", c.Answer.Deflate.Enabled, deflate)
					}
					for i, size := range []int{0, 1, 125, 126, 2000, 65535, 65536, 1 << 20} {
						data := numbered(i, size)
						op := []websocket.Opcode{websocket.Text, websocket.Binary}[i%2]
						c.Send(op, data)
						c.Expect(op, data)
					}
				})
			}
		}
	})
}

func TestWebSocketCloses(t *testing.T) {
	type end struct {
		err    string
		code   int
		reason string
	}
	ends := make(chan end, 1)
	s, w := serve(t, kind{Network: "tcp"}, "websocket", func(w *workerman.Worker) {
		w.MaxPackageSize = 1000
		w.OnMessage = func(c *workerman.Conn, data []byte) {
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
		w.OnClose = func(c *workerman.Conn) {
			code, reason := c.CloseCode()
			ends <- end{fmt.Sprint(c.Err()), code, reason}
		}
	})
	text := func(s string) func(c *webSocket) { return func(c *webSocket) { c.Send(websocket.Text, []byte(s)) } }
	for _, test := range []struct {
		name string
		do   func(c *webSocket)
		code int // that the client gets
		want end
		log  string
	}{
		{"by the server", text("close"), 1000, end{"<nil>", websocket.CloseAbnormal, ""}, ""},
		{"with a code", text("code"), 4001, end{"<nil>", websocket.CloseAbnormal, ""}, ""},
		{"by the client", func(c *webSocket) {
			out, _ := c.Codec.AppendClose(nil, 4444, "tired")
			c.Write(out)
		}, 4444, end{"<nil>", 4444, "tired"}, ""},
		{"too large", func(c *webSocket) { c.Send(websocket.Binary, make([]byte, 1001)) }, 1009, end{"websocket: close 1009: message of more than 1000 bytes", 1006, ""}, "more than 1000 bytes"},
		{"bad text", func(c *webSocket) { c.Send(websocket.Text, []byte("\xff")) }, 1007, end{"websocket: close 1007: text is not UTF-8", 1006, ""}, "UTF-8"},
		{"unmasked", func(c *webSocket) { c.Write([]byte{0x81, 0}) }, 1002, end{"websocket: close 1002: frame of a client without a mask", 1006, ""}, "without a mask"},
		{"panic", text("panic"), 1011, end{"panic: no good", 1006, ""}, "no good"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := len(s.Log.Lines("127.0.0.1"))
			c := dialWebSocket(t, w, "/", nil)
			test.do(c)
			c.Closed(test.code)
			c.Conn.Close()
			got := receive(t, ends, "OnClose")
			if got != test.want {
				t.Errorf("OnClose with %+v, want %+v", got, test.want)
			}
			lines := s.Log.Lines("127.0.0.1")[before:]
			if test.log == "" && len(lines) > 0 || test.log != "" && (len(lines) != 1 || !strings.Contains(lines[0], test.log)) {
				t.Errorf("the log says %q, want %q", lines, test.log)
			}
		})
	}
	c := dialWebSocket(t, w, "/", nil)
	c.Send(websocket.Text, []byte("last"))
	c.Expect(websocket.Text, []byte("last words"))
	c.Closed(1000)
	c.Conn.Close()
	receive(t, ends, "OnClose")
	c = dialWebSocket(t, w, "/", nil)
	s.BeginStop()
	if reason := c.Closed(1001); reason != "server stops" {
		t.Errorf("the reason is %q, want %q", reason, "server stops")
	}
	c.Conn.Close()
}

func TestWebSocketPings(t *testing.T) {
	got := make(chan string, 2)
	closed := make(chan error, 1)
	_, w := serve(t, kind{Network: "tcp"}, "websocket", func(w *workerman.Worker) {
		w.PingInterval = testkit.Scale(500 * time.Millisecond)
		w.OnPing = func(c *workerman.Conn, data []byte) { got <- "ping " + string(data) }
		w.OnPong = func(c *workerman.Conn, data []byte) { got <- "pong " + string(data) }
		w.OnConnect = func(c *workerman.Conn) { c.Ping([]byte("you")) }
		w.OnClose = func(c *workerman.Conn) { closed <- c.Err() }
	})
	c := dialWebSocket(t, w, "/", nil)
	c.Expect(websocket.Ping, []byte("you"))
	c.Control(websocket.Pong, "me")
	if s := receive(t, got, "OnPong"); s != "pong me" {
		t.Errorf("got %q, want %q", s, "pong me")
	}
	c.Control(websocket.Ping, "there")
	c.Expect(websocket.Pong, []byte("there"))
	if s := receive(t, got, "OnPing"); s != "ping there" {
		t.Errorf("got %q, want %q", s, "ping there")
	}
	c.Expect(websocket.Ping, nil) // silent for the interval
	c.Control(websocket.Pong, "")
	receive(t, got, "OnPong")
	c.Expect(websocket.Ping, nil)
	// No answer now: the peer counts as dead.
	if err := receive(t, closed, "OnClose"); !errors.Is(err, workerman.ErrIdle) {
		t.Errorf("Err is %v, want %v", err, workerman.ErrIdle)
	}
}

// Pongs that a client does not read are no messages of the program that were refused.
func TestWebSocketPingsOfAClientThatDoesNotRead(t *testing.T) {
	_, w := serve(t, kind{Network: "tcp"}, "websocket", func(w *workerman.Worker) {
		w.MaxSendBuffer = 1000
		w.OnMessage = func(c *workerman.Conn, data []byte) {
			if len(data) > 0 {
				c.Send(make([]byte, 8<<20))
			}
		}
		w.OnError = func(c *workerman.Conn, err error) { t.Errorf("OnError: %v", err) }
	})
	c := dialWebSocket(t, w, "/", nil)
	workertest.ReadSlowly(c.Conn)
	c.Send(websocket.Text, []byte("fill"))
	for range 100 {
		c.Control(websocket.Ping, "there?")
	}
	c.Send(websocket.Binary, nil)                                                // is read behind the pings
	eventually(t, "all is read", func() bool { return w.Stats().Requests == 3 }) // the handshake is one
	if n := w.Stats().SendFail; n != 0 {
		t.Errorf("%d sends failed, want none", n)
	}
}

func TestWebSocketBroadcastIsSharedByAllKindsOfClients(t *testing.T) {
	o := websocket.Options{Compression: websocket.Compression{Enabled: true, ContextTakeover: true, Threshold: 1}}
	kinds(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "websocket", func(w *workerman.Worker) {
			w.WebSocket = o
			w.WebSocket.Binary = true
			w.OnConnect = func(c *workerman.Conn) { c.Join("room") }
			echoKind(w)
		})
		var clients []*webSocket
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
				t.Fatalf("Send to the group: %d, %v, want %d", n, err, len(clients))
			}
			prepared, _ := websocket.NewPrepared(websocket.Text, data)
			for c := range w.Connections() {
				c.SendPrepared(prepared)
			}
			for _, c := range clients {
				c.Expect(websocket.Binary, data)
				c.Expect(websocket.Text, data)
				c.Send(websocket.Text, data)
				c.Expect(websocket.Text, data)
			}
		}
	})
}
