package workerman

import (
	"errors"
	"strings"
	"time"

	"github.com/workerman-go/workerman/internal/handover"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// webSocketType describes the dialog of a websocket:// worker: that of HTTP up to the handshake.
func webSocketType() dialogType {
	return dialogType{
		schemes: []string{"websocket", "ws"}, secure: []string{"wss"}, overHTTP: true, handshake: "WebSocket handshake",
		prepare: func(s *server, w *Worker) error {
			s.webSocket = newWebSocketSettings(w.WebSocket, w.PingInterval, s.limits.MaxPackageSize)
			return nil
		},
		advice: func(s *server) string {
			if s.callbacks.OnRequest != nil {
				return "a websocket:// worker has no OnRequest: use http:// and, for the WebSocket, OnUpgrade or c.Upgrade"
			}
			return ""
		},
		begin:       beginHTTP,
		takeRequest: (*httpConn).handshake,
		language:    handover.WebSocket,
		languages:   []handover.Language{handover.WebSocket},
		restore:     restoreWebSocket,
		client: &clientDialog{
			prepare: func(s *connSettings, o *ClientOptions) {
				s.webSocket = newWebSocketSettings(o.WebSocket, o.PingInterval, s.limits.MaxPackageSize)
			},
			check: func(config *clientConfig, r *route) error {
				_, err := config.handshake(r).AppendRequest(nil)
				return err
			},
			open: openWebSocket,
		},
	}
}

// DefaultPingInterval is the default of Worker.PingInterval. It is below the minute after
// which many proxies cut a silent connection.
const DefaultPingInterval = 50 * time.Second

// webSocketSettings is what the WebSockets of a worker or a client need, with defaults filled in.
type webSocketSettings struct {
	options websocket.Options
	kind    websocket.Opcode // the kind of message that Send sends
	ping    time.Duration
}

// newWebSocketSettings fills in the defaults.
func newWebSocketSettings(o websocket.Options, ping time.Duration, maxMessage int) *webSocketSettings {
	s := &webSocketSettings{options: o, kind: websocket.Text, ping: ping}
	setDefault(&s.options.MaxMessageSize, maxMessage)
	if o.Binary {
		s.kind = websocket.Binary
	}
	setDefault(&s.ping, DefaultPingInterval)
	return s
}

// Upgrade answers r, the request that OnRequest has got, by turning the connection into a
// WebSocket: from now on OnMessage gets its messages. Like Respond it is for OnRequest; later
// there is Responder.Upgrade. fields are added to the answer; a Sec-WebSocket-Protocol among
// them chooses the subprotocol. OnUpgrade and OnConnect are not called.
//
// A request that asks for no WebSocket, or from an origin that WebSocket.Origins does not
// allow, is answered with the status that says so and closed, and the
// *websocket.HandshakeError is returned. Other errors are those of Respond, and a field
// that cannot be sent.
func (c *Conn) Upgrade(r *web.Request, fields ...web.Field) error {
	h := c.httpConn()
	if h == nil {
		return ErrNoRequest
	}
	return h.upgrade(c, r, fields, callbackRequest)
}

func (h *httpConn) upgrade(c *Conn, r *web.Request, fields []web.Field, number uint64) error {
	o := c.webSocketOptions()
	agreed, err := o.Negotiate(r)
	if err != nil {
		var refused *websocket.HandshakeError
		if errors.As(err, &refused) {
			h.respondTo(c, refused.Response(), number)
		}
		return err
	}
	agreed, fields = chooseSubprotocol(agreed, fields)
	answer, err := websocket.AppendAccept(make([]byte, 0, answerRoom), r, agreed, fields...)
	if err != nil {
		h.respondTo(c, web.Status(500), number)
		return err
	}
	if _, err := h.claim(c, number, false); err != nil {
		return err
	}
	tx, err := c.beginAlways()
	if err != nil {
		return err
	}
	tx.Append(answer)
	w := &wsConn{codec: websocket.NewCodec(websocket.Server, o, agreed.Deflate), subprotocol: agreed.Subprotocol}
	c.speak(w)
	h.finish(tx, true, 101, 0)
	s := &c.stream
	s.Loop().Post(func() { // other times count from now on
		if s.Open() {
			c.armDeadline()
		}
	})
	return nil
}

// chooseSubprotocol takes a subprotocol of the program's choice out of the fields.
func chooseSubprotocol(a websocket.Agreement, fields []web.Field) (websocket.Agreement, []web.Field) {
	for i, f := range fields {
		if strings.EqualFold(f.Name, "Sec-WebSocket-Protocol") {
			a.Subprotocol = f.Value
			return a, append(fields[:i:i], fields[i+1:]...)
		}
	}
	return a, fields
}

// webSocketOptions are the worker's, with the connection's own limit if it has one.
func (c *Conn) webSocketOptions() *websocket.Options {
	if n := int(c.ensureRare().limits.maxPackage.Load()); n > 0 {
		own := c.settings.webSocket.options
		own.MaxMessageSize = n
		return &own
	}
	return &c.settings.webSocket.options
}

// wantsWebSocket reports whether r asks for a WebSocket, rightly or not.
func wantsWebSocket(r *web.Request) bool { return strings.EqualFold(r.Header("Upgrade"), "websocket") }

// handshake serves a request that becomes a WebSocket or is refused.
func (h *httpConn) handshake(c *Conn, r *web.Request, number uint64) {
	if x := c.rare(); x.queue != nil {
		r = r.Clone()
		x.queue.pushWhileOpen(c, nil, func() {
			h.within(number, func() { h.callOnUpgrade(c, r, number) })
		})
		return
	}
	h.callOnUpgrade(c, r, number)
}

// callOnUpgrade asks OnUpgrade, makes the connection a WebSocket and calls OnConnect.
func (h *httpConn) callOnUpgrade(c *Conn, r *web.Request, number uint64) {
	var fields []web.Field
	if fn := c.callbacks().OnUpgrade; fn != nil {
		answer := fn(c, r)
		if answer != nil && answer.Status != 0 && answer.Status != 101 {
			refusal := *answer
			refusal.Close = true
			h.respondTo(c, &refusal, number)
			return
		}
		if answer != nil {
			fields = answer.Fields()
		}
	}
	switch err := h.upgrade(c, r, fields, number); {
	case err == nil && !c.ready():
		c.becomeReady()
	case err == nil:
	case err != ErrClosed && err != ErrNoRequest:
		c.logReason(err)
	}
}

// save adds the state of the codec.
func (w *wsConn) save(c *Conn, st *handover.State) error {
	st.Language, st.Codec, st.Subprotocol = handover.WebSocket, w.codec.AppendState(nil), w.subprotocol
	st.Pinged = max(w.pinged-c.stream.LastActive(), 0)
	return nil
}

// restoreWebSocket makes the dialog of what save has noted.
func restoreWebSocket(c *Conn, st *handover.State) (dialog, error) {
	codec, err := websocket.RestoreCodec(c.webSocketOptions(), st.Codec)
	return &wsConn{codec: codec, subprotocol: st.Subprotocol}, err
}

func (w *wsConn) restoreTimes(st *handover.State, now int64) { w.pinged = now - st.Idle + st.Pinged }
