package workertest

import (
	"bytes"
	"io"
	"net"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// Compressed is the setting of a WebSocket that compresses as well as it can.
var Compressed = websocket.Compression{Enabled: true, ContextTakeover: true}

// WebSocket is a WebSocket client over a plain connection. Where its methods do not return an
// error, one ends the test. They are called by the test's goroutine.
type WebSocket struct {
	net.Conn
	Codec   *websocket.Codec    // set by the handshake
	Answer  *websocket.Response // the server's side of the handshake, even if it refused
	Pending []byte              // was read and is no part of an event yet

	t *testing.T
}

// NewWebSocket is a client before its handshake.
func NewWebSocket(t *testing.T, c net.Conn) *WebSocket { return &WebSocket{Conn: c, t: t} }

// DialWebSocket connects and shakes hands, which must not fail; o may be nil.
func DialWebSocket(t *testing.T, w *workerman.Worker, target string, o *websocket.Options, fields ...web.Field) *WebSocket {
	t.Helper()
	c := NewWebSocket(t, Dial(t, w))
	if err := c.ShakeHands(target, o, fields...); err != nil {
		t.Fatalf("handshake: %v", err)
	}
	return c
}

// ShakeHands asks for a target and reads the answer; o may be nil. The error is that of a server
// that refuses or of a connection that ends.
func (c *WebSocket) ShakeHands(target string, o *websocket.Options, fields ...web.Field) error {
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
		answer, n, err := h.ParseResponse(c.Pending)
		c.Answer = answer
		if err != nil {
			return err
		}
		if answer != nil {
			c.Codec = websocket.NewCodec(websocket.Client, o, answer.Deflate)
			c.Pending = append([]byte(nil), c.Pending[n:]...)
			return nil
		}
		if err := c.More(); err != nil {
			return err
		}
	}
}

// More reads once more into Pending.
func (c *WebSocket) More() error {
	var buf [64 << 10]byte
	n, err := c.Read(buf[:])
	c.Pending = append(c.Pending, buf[:n]...)
	if n > 0 {
		return nil
	}
	return err
}

// Send sends a message.
func (c *WebSocket) Send(op websocket.Opcode, data []byte) {
	c.t.Helper()
	out, err := c.Codec.AppendMessage(nil, op, data)
	if err != nil {
		c.t.Fatalf("AppendMessage: %v", err)
	}
	c.Write(out)
}

// Control sends a control frame.
func (c *WebSocket) Control(op websocket.Opcode, data string) {
	c.t.Helper()
	out, err := c.Codec.AppendControl(nil, op, []byte(data))
	if err != nil {
		c.t.Fatalf("AppendControl: %v", err)
	}
	c.Write(out)
}

// Next returns the next event; its data is a copy.
func (c *WebSocket) Next() websocket.Event {
	c.t.Helper()
	for {
		ev, n, _, err := c.Codec.Next(c.Pending)
		ev.Data = bytes.Clone(ev.Data)
		c.Pending = append([]byte(nil), c.Pending[n:]...)
		if err != nil {
			c.t.Fatalf("next event: %v", err)
		}
		if ev.Op != websocket.Continuation {
			return ev
		}
		if err := c.More(); err != nil {
			c.t.Fatalf("next event: %v", err)
		}
	}
}

// Expect takes the next event, which has to be a message or control frame with that data.
func (c *WebSocket) Expect(op websocket.Opcode, data []byte) {
	c.t.Helper()
	if ev := c.Next(); ev.Op != op || !bytes.Equal(ev.Data, data) {
		c.t.Fatalf("got %v %.80q, want %v %.80q", ev.Op, ev.Data, op, data)
	}
}

// Closed expects a close frame with that code and the end of the connection, and returns the
// frame's text.
func (c *WebSocket) Closed(code int) string {
	c.t.Helper()
	ev := c.Next()
	if ev.Op != websocket.Close || ev.Code != code {
		c.t.Fatalf("got %v %d %q, want close %d", ev.Op, ev.Code, ev.Data, code)
	}
	if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
		c.t.Errorf("got %q, %v behind the close, want the end", rest, err)
	}
	return string(ev.Data)
}

// EchoKind has a worker send messages back as what they are, text or binary.
func EchoKind(w *workerman.Worker) {
	w.OnMessage = func(c *workerman.Conn, data []byte) {
		if c.MessageKind() == websocket.Binary {
			c.SendBinary(data)
		} else {
			c.SendText(data)
		}
	}
}
