package workerman

import (
	"bytes"
	"net"
	"testing"

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
		t.Fatalf("handshake: %v", err)
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

// next returns the next event; its data is a copy.
func (c *wsClient) next() websocket.Event {
	c.t.Helper()
	for {
		ev, n, _, err := c.codec.Next(c.pending)
		ev.Data = bytes.Clone(ev.Data)
		c.pending = append([]byte(nil), c.pending[n:]...)
		if err != nil {
			c.t.Fatalf("next event: %v", err)
		}
		if ev.Op != websocket.Continuation {
			return ev
		}
		if err := c.more(); err != nil {
			c.t.Fatalf("next event: %v", err)
		}
	}
}
