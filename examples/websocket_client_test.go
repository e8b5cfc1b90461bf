package examples

import (
	"bytes"

	"github.com/workerman-go/workerman/websocket"
)

// webSocket is a client's WebSocket to a process under test.
type webSocket struct {
	*client
	codec   *websocket.Codec
	pending []byte
}

// upgrade shakes hands; status is what the server answered, and 101 if there is a WebSocket.
func upgrade(c *client, target, origin string, o *websocket.Options) (ws *webSocket, status int) {
	c.t.Helper()
	ws = &webSocket{client: c}
	h := websocket.ClientHandshake{Host: c.RemoteAddr().String(), Target: target, Origin: origin, Options: o}
	request, err := h.AppendRequest(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(string(request))
	for {
		answer, n, err := h.ParseResponse(ws.pending)
		switch {
		case answer != nil && answer.Status != 101:
			return ws, answer.Status
		case err != nil:
			c.t.Fatal(err)
		case answer != nil:
			ws.codec = websocket.NewCodec(websocket.Client, o, answer.Deflate)
			ws.pending = bytes.Clone(ws.pending[n:])
			return ws, 101
		}
		ws.more()
	}
}

func (c *webSocket) more() {
	c.t.Helper()
	var buf [16 << 10]byte
	n, err := c.in.Read(buf[:])
	if err != nil {
		c.t.Fatalf("no message, but %v", err)
	}
	c.pending = append(c.pending, buf[:n]...)
}

// writes sends a message.
func (c *webSocket) writes(message string) {
	c.t.Helper()
	frame, err := c.codec.AppendMessage(nil, websocket.Text, []byte(message))
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(string(frame))
}

// next reads the next message or the close frame and answers pings.
func (c *webSocket) next() websocket.Event {
	c.t.Helper()
	for {
		ev, n, _, err := c.codec.Next(c.pending)
		if err != nil {
			c.t.Fatal(err)
		}
		ev.Data = bytes.Clone(ev.Data)
		c.pending = bytes.Clone(c.pending[n:])
		switch ev.Op {
		case websocket.Continuation:
			c.more()
		case websocket.Ping:
			pong, err := c.codec.AppendControl(nil, websocket.Pong, ev.Data)
			if err != nil {
				c.t.Fatal(err)
			}
			c.send(string(pong))
		default:
			return ev
		}
	}
}

// closes expects that the server closes the WebSocket with this code, after any messages.
func (c *webSocket) closes(code int) {
	c.t.Helper()
	for {
		ev := c.next()
		if ev.Op != websocket.Close {
			continue
		}
		if ev.Code != code {
			c.t.Fatalf("closed with %d %s, want %d", ev.Code, ev.Data, code)
		}
		return
	}
}
