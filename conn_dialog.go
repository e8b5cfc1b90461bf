package workerman

import (
	"errors"
	"sync/atomic"
)

// A dialog is what a connection speaks. It has one at a time: messages of a Protocol, datagrams,
// HTTP, a WebSocket, or what comes before, as the PROXY header and a client's opening. Its methods
// run on the loop, except send and shutDown, which any goroutine may call.
type dialog interface {
	// receive takes what it can from the front of b, which is not empty. want is the size of
	// the message that begins behind that, 0 if it is not known.
	receive(c *Conn, b []byte) (used, want int)
	// endOfInput is told that the peer sends no more; false: ask again later.
	endOfInput(c *Conn) (done bool)
	// deadline is the loop's time of the next check, 0 for none, or why the connection
	// must go.
	deadline(c *Conn, now int64) (next int64, err error)
	// send sends a message.
	send(c *Conn, data []byte) error
	// shutDown sends data, if it is not nil, and the last word that reason calls for, and closes in
	// good order; nil is an ordinary close.
	shutDown(c *Conn, data []byte, reason error) error
	// scheme names it for operators.
	scheme(c *Conn) string
}

// count adds messages or requests to what was received.
func (c *Conn) count(n int) {
	if n > 0 {
		atomic.StoreUint64(&c.received, c.received+uint64(n)) // the loop alone writes it
		c.settings.requests.Add(uint64(n))
	}
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

// dialog returns what the connection speaks.
func (c *Conn) dialog() dialog {
	if x := c.rare(); x != nil {
		if d := x.dialog.Load(); d != nil {
			return *d
		}
	}
	return messages{}
}

// speak makes d the connection's dialog, as of the bytes behind the current message; nil stands
// for messages.
func (c *Conn) speak(d dialog) {
	if d == nil {
		c.ensureRare().dialog.Store(nil)
		return
	}
	c.ensureRare().dialog.Store(&d)
}

// httpConn returns the HTTP side of the connection, nil if it speaks something else by now.
func (c *Conn) httpConn() *httpConn {
	h, _ := c.dialog().(*httpConn)
	return h
}

// wsConn returns the WebSocket side of the connection, nil if it is none.
func (c *Conn) wsConn() *wsConn {
	w, _ := c.dialog().(*wsConn)
	return w
}

// packets returns the UDP socket that the connection is a peer of, nil if it is none.
func (c *Conn) packets() *packetDialog {
	p, _ := c.dialog().(*packetDialog)
	return p
}

// notices calls what other goroutines' sends have caused, between two messages: it may pause before
// more of them come. It reports whether there was anything.
func (c *Conn) notices() bool {
	bits := c.stream.TakeAttention()
	if bits != 0 {
		(*connOwner)(c).Attention(bits)
	}
	return bits != 0
}

// forgotten says which callback the worker lacks, or has although it is never called.
func (s *server) forgotten() string {
	cb := &s.callbacks
	switch {
	case s.kind == httpDialog && s.http.server == nil && cb.OnRequest == nil:
		return "without OnRequest or Handle every request is answered by 404"
	case s.kind == webSocketDialog && cb.OnRequest != nil:
		return "a websocket:// worker has no OnRequest: use http:// and, for the WebSocket, OnUpgrade or c.Upgrade"
	case s.kind == noDialog && (cb.OnRequest != nil || cb.OnUpgrade != nil):
		return "OnRequest and OnUpgrade are for workers of the schemes http and websocket"
	}
	return ""
}
