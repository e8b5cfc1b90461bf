package workerman

import (
	"errors"
	"fmt"
	"io"

	"github.com/workerman-go/workerman/internal/tunnel"
	"github.com/workerman-go/workerman/websocket"
)

// opening is the dialog of a client's connection until it is ready: with its proxy, and then,
// inside TLS if there is TLS, the handshake of a WebSocket.
type opening struct {
	attempt   *attempt
	tunnel    tunnel.Negotiation         // nil if there is no proxy, or when it has opened the way
	handshake *websocket.ClientHandshake // nil before its request was sent
}

var _ dialog = (*opening)(nil)

// receive goes on with the dialog.
func (o *opening) receive(c *Conn, b []byte) (used, want int) {
	var err error
	switch {
	case o.tunnel != nil:
		used, err = o.readProxy(c, b)
	case o.handshake != nil:
		used, err = o.readHandshake(c, b)
	default:
		return 0, 0 // input from before our request was sent: the next dialog reads it
	}
	if err != nil {
		c.fail(err)
		return len(b), 0
	}
	return used, 0
}

// readProxy reads what the proxy answers.
func (o *opening) readProxy(c *Conn, b []byte) (used int, err error) {
	proxy := o.attempt.config.proxy
	used, send, done, err := o.tunnel.Next(b)
	if err != nil {
		return used, &ProxyError{Proxy: proxy.Address().String(), Err: err}
	}
	if len(send) > 0 {
		c.SendRaw(send)
	}
	if done {
		o.tunnel = nil
		o.attempt.startTLS()
	}
	return used, nil
}

// readHandshake reads the answer to the handshake of a WebSocket.
func (o *opening) readHandshake(c *Conn, b []byte) (used int, err error) {
	r, used, err := o.handshake.ParseResponse(b)
	if r != nil {
		c.ensureRare().response.Store(r)
	}
	if err != nil || r == nil {
		return used, err
	}
	w := &wsConn{codec: websocket.NewCodec(websocket.Client, c.webSocketOptions(), r.Deflate), subprotocol: r.Subprotocol}
	c.speak(w)
	o.attempt.becomeReady()
	return used, nil
}

// openWebSocket sends the request of the handshake.
func openWebSocket(a *attempt) {
	a.step = "WebSocket handshake"
	c := a.conn
	o := &opening{attempt: a, handshake: a.config.handshake(a.route)}
	request, err := o.handshake.AppendRequest(nil)
	if err != nil {
		c.fail(err)
		return
	}
	c.speak(o)
	c.SendRaw(request)
}

// endOfInput ends the attempt.
func (o *opening) endOfInput(c *Conn) (done bool) {
	who := "the server"
	if o.tunnel != nil {
		who = "the proxy"
	}
	c.fail(fmt.Errorf("%s closed the connection in the %s: %w", who, o.attempt.step, io.ErrUnexpectedEOF))
	return true
}

// deadline returns none: the attempt has a timer for ConnectTimeout.
func (o *opening) deadline(*Conn, int64) (next int64, err error) { return 0, nil }

// send refuses, as the connection is not ready.
func (o *opening) send(*Conn, []byte) error { return ErrClosed }

func (o *opening) scheme(c *Conn) string { return o.attempt.route.endpoint.scheme }

// shutDown ends the attempt.
func (o *opening) shutDown(c *Conn, _ []byte, err error) error {
	if err == nil {
		err = errors.New("closed")
	}
	c.stream.Destroy(err)
	return nil
}

// ProxyError is why a Client's proxy did not open the way.
type ProxyError struct {
	Proxy string // HOST:PORT
	Err   error
}

// Error names the proxy and the cause.
func (e *ProxyError) Error() string { return fmt.Sprintf("proxy %s: %v", e.Proxy, e.Err) }

// Unwrap returns the cause.
func (e *ProxyError) Unwrap() error { return e.Err }

// UpgradeResponse is the server's answer to the handshake of a client's WebSocket, in OnError
// also one that refused: its status, fields and cookies. It is nil if there was none.
func (c *Conn) UpgradeResponse() *websocket.Response {
	if x := c.rare(); x != nil {
		return x.response.Load()
	}
	return nil
}
