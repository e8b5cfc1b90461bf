package workerman

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// A dialog is what HTTP and WebSocket are instead of a Protocol: more than a sequence of
// messages, with a state for each connection. Its methods run on the loop, except send
// and close.
type dialog interface {
	// receive takes what it can from the front of b, as loop.Owner.Receive does, and says
	// how many messages or requests that were.
	receive(c *Conn, b []byte) (used, want, messages int)
	// endOfInput is told that the peer sends no more; false: ask again later.
	endOfInput(c *Conn) (done bool)
	// deadline is the loop's time of the next check, 0 for none, or why the connection
	// must go.
	deadline(c *Conn, now int64) (next int64, err error)
	// send sends a message.
	send(c *Conn, data []byte) error
	// end sends data, if it is not nil, and the last word that err calls for, and closes in
	// good order; nil is an ordinary close.
	end(c *Conn, data []byte, err error) error
}

// dialogKind says which dialog the connections of a worker begin with.
type dialogKind uint8

const (
	noDialog dialogKind = iota
	httpDialog
	webSocketDialog // HTTP up to the handshake, which is all it is for
)

// dialogSchemes are the schemes of dialogs. A registered Protocol of that name wins.
var dialogSchemes = map[string]dialogKind{"http": httpDialog, "websocket": webSocketDialog, "ws": webSocketDialog}

// errStopping ends the connections when the master stops.
var errStopping = errors.New("server stops")

// dialog returns the connection's dialog, nil if it has none.
func (c *Conn) dialog() dialog {
	x := c.rare()
	if x == nil {
		return nil
	}
	if w := x.ws.Load(); w != nil {
		return w
	}
	if h := x.http.Load(); h != nil {
		return h
	}
	if o := x.opening.Load(); o != nil && !c.ready() {
		return o
	}
	return nil
}

// httpConn returns the HTTP side of the connection, nil if it speaks something else by now.
func (c *Conn) httpConn() *httpConn {
	if x := c.rare(); x != nil && x.ws.Load() == nil {
		return x.http.Load()
	}
	return nil
}

// wsConn returns the WebSocket side of the connection, nil if it is none.
func (c *Conn) wsConn() *wsConn {
	if x := c.rare(); x != nil {
		return x.ws.Load()
	}
	return nil
}

// request is the memory for requests of the connection's loop, which serves one at a time.
func (s *service) request(c *Conn) *web.Request {
	return &s.parsed[slices.Index(s.loops, c.stream.Loop())]
}

// forgotten says which callback the worker lacks, or has although it is never called.
func (s *service) forgotten() string {
	cb := &s.callbacks
	switch {
	case s.kind == httpDialog && s.server == nil && cb.OnRequest == nil:
		return "without OnRequest or Handle every request is answered by 404"
	case s.kind == webSocketDialog && cb.OnRequest != nil:
		return "a websocket:// worker has no OnRequest: use http:// and, for the WebSocket, OnUpgrade or c.Upgrade"
	case s.kind == noDialog && (cb.OnRequest != nil || cb.OnUpgrade != nil):
		return "OnRequest and OnUpgrade are for workers of the schemes http and websocket"
	}
	return ""
}

// prepareDialogs copies the worker's settings of HTTP and WebSocket and fills in defaults.
func (s *service) prepareDialogs(w *Worker) error {
	h := w.HTTP
	for _, v := range []struct {
		name  string
		value time.Duration
	}{{"HTTP.HeaderTimeout", h.HeaderTimeout}, {"HTTP.BodyTimeout", h.BodyTimeout}} {
		if v.value < 0 {
			return fmt.Errorf("%s is negative", v.name)
		}
	}
	setDefault(&h.MaxBody, int64(s.limits.MaxPackageSize))
	setDefault(&h.HeaderTimeout, defaultHeaderTimeout)
	setDefault(&h.BodyTimeout, defaultBodyTimeout)
	h.Uploads = h.Body == web.Collect
	s.http = &h
	s.prepareWebSocket(w.WebSocket, w.PingInterval)
	s.keepAlive = s.limits.IdleTimeout
	setDefault(&s.keepAlive, DefaultKeepAlive)
	s.accessLog = w.AccessLog
	proxies := w.TrustedProxies
	s.proxies = &proxies
	return nil
}

// prepareWebSocket keeps the settings of WebSockets, with defaults filled in.
func (s *service) prepareWebSocket(o websocket.Options, ping time.Duration) {
	setDefault(&o.MaxMessageSize, s.limits.MaxPackageSize)
	s.webSocket = &o
	s.messageKind = websocket.Text
	if o.Binary {
		s.messageKind = websocket.Binary
	}
	s.ping = ping
	setDefault(&s.ping, DefaultPingInterval)
}

const (
	defaultHeaderTimeout = 20 * time.Second
	defaultBodyTimeout   = time.Minute
)
