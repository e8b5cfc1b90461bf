package workerman

import (
	"fmt"
	"slices"

	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/internal/tlsfiles"
	"github.com/workerman-go/workerman/web"
)

// stage is how far a connection has got on its way to OnConnect. It goes through those stages only
// that its worker, or its client, wants.
type stage uint32

const (
	stageAccepted    stage = iota // a worker's, of which nothing was asked yet
	stageProxyHeader              // the PROXY header is to come
	stageTLS                      // in the handshake of TLS
	stageHandshake                // in the handshake of the dialog, as of a websocket:// worker
	stageReady                    // known to the worker, and announced by OnConnect
	stageRefused                  // the handshake of TLS has failed, and that was logged
	stageConnecting               // a client's, until its attempt has succeeded
)

// follows are the stages that may come directly behind each.
var follows = [...][]stage{
	stageAccepted:    {stageProxyHeader, stageTLS, stageHandshake, stageReady, stageConnecting},
	stageProxyHeader: {stageTLS, stageHandshake, stageReady},
	stageTLS:         {stageHandshake, stageReady, stageRefused},
	stageHandshake:   {stageReady},
	stageReady:       nil,
	stageRefused:     nil,
	stageConnecting:  {stageReady},
}

func (c *Conn) stage() stage { return stage(c.at.Load()) }

// enter goes on to a stage. On the loop, or on the goroutine of a Blocking worker's connection.
func (c *Conn) enter(s stage) {
	if now := c.stage(); !slices.Contains(follows[now], s) {
		panic(fmt.Sprintf("workerman: a connection cannot go from stage %d to %d", now, s))
	}
	c.at.Store(uint32(s))
}

func (c *Conn) ready() bool { return c.stage() == stageReady }

// arrive begins with the first stage of a new connection.
func (c *Conn) arrive() {
	s := c.settings.server
	t := &dialogTypes[s.kind]
	var d dialog
	if t.begin != nil {
		d = t.begin(c)
	}
	if s.proxyProtocol {
		d = &proxyHeader{next: d}
	}
	if d != nil {
		c.speak(d)
	}
	if s.security == nil && t.handshake == "" && !s.proxyProtocol {
		c.becomeReady()
		return
	}
	s.addArriving(c)
	c.armDeadline()
	if s.proxyProtocol {
		c.enter(stageProxyHeader)
		return
	}
	c.startTLS()
}

// startTLS goes on when it is known whose connection it is, with TLS if there is TLS.
func (c *Conn) startTLS() {
	if c.settings.server.security == nil {
		c.onTLS()
		return
	}
	c.enter(stageTLS)
	if err := c.stream.StartTLS(c.settings.server.security.Config(), loop.Server); err != nil {
		c.fail(err)
	}
}

// onTLS goes on when the connection is encrypted, if it has to be.
func (c *Conn) onTLS() {
	if dialogTypes[c.settings.kind].handshake != "" {
		c.enter(stageHandshake)
		return // the dialog goes on
	}
	c.becomeReady()
}

// becomeReady announces the connection. It runs on the loop or, in a Blocking worker, on
// the connection's goroutine.
func (c *Conn) becomeReady() {
	s := c.settings.server
	s.addReady(c)
	c.enter(stageReady)
	if dialogTypes[s.kind].handshake != "" {
		c.callOnConnect() // its turn has come: this is a callback
		return
	}
	if d, ok := c.dialog().(readyDialog); ok {
		d.ready(c.stream.Loop().Now())
	}
	c.armDeadline()
	c.run(c.callOnConnect)
}

// callOnConnect runs the OnConnect of the protocol and that of the program.
func (c *Conn) callOnConnect() {
	if h, _ := protocolHooks(c.Protocol()); h != nil {
		h.OnConnect(c)
	}
	if fn := c.callbacks().OnConnect; fn != nil {
		fn(c)
	}
}

// armDeadline arms the deadline of a connection.
func (c *Conn) armDeadline() {
	if next, _ := c.deadline(c.stream.Loop().Now()); next > 0 {
		c.stream.SetDeadline(next)
	}
}

// handshakeDeadline is deadline with HandshakeTimeout; next is that for other reasons.
func (c *Conn) handshakeDeadline(now, next int64) (int64, error) {
	limit := c.settings.limits.HandshakeTimeout
	if limit == 0 {
		if c.ready() {
			return next, nil // nobody demands a first message
		}
		limit = DefaultHandshakeTimeout
	}
	at := int64(c.opened+1)*openedUnit + limit.Milliseconds()
	if at <= now {
		return 0, fmt.Errorf("%w: %s within %v", ErrHandshake, c.missing(), limit)
	}
	if next == 0 || at < next {
		next = at
	}
	return next, nil
}

// missing says what a connection that stays in its stage has not done.
func (c *Conn) missing() string {
	switch c.stage() {
	case stageProxyHeader:
		return "no PROXY header"
	case stageTLS:
		return "TLS not established"
	case stageHandshake:
		return "no " + dialogTypes[c.settings.kind].handshake
	}
	return "no message"
}

// Secured ends a handshake of TLS.
func (o *connOwner) Secured(err error) {
	c := (*Conn)(o)
	if cl := c.Client(); cl != nil {
		cl.attempt.onTLS(err)
		return
	}
	if err != nil {
		if dialogTypes[c.settings.kind].overHTTP {
			answerInClear(err)
		}
		c.fail(tlsfiles.Explain(err))
		return
	}
	c.onTLS()
}

// answerInClear tells a client that sent plain HTTP to https:// what is wrong, in the
// language that it understands.
func answerInClear(err error) {
	if conn := tlsfiles.PlainHTTP(err); conn != nil {
		refusal := web.Text("This port speaks HTTPS.\n")
		refusal.Status = 400
		conn.Write(refusal.Append(nil, web.Exchange{}, nil))
	}
}
