package workerman

import (
	"sync/atomic"

	"github.com/workerman-go/workerman/internal/nethttp"
	"github.com/workerman-go/workerman/web"
)

// httpConn is the HTTP side of a connection. It handles one request at a time: what the
// client sends meanwhile waits, and the answers so leave in the order of the requests.
type httpConn struct {
	parser   web.Parser
	exchange web.Exchange               // what the answer has to know about the current request
	state    exchangeState              // where the current request is on its way to an answer
	record   *accessRecord              // the line of the current request in the access log, or nil
	upload   atomic.Pointer[formUpload] // the form of the current request, or of the one that arrives
	handling atomic.Pointer[handling]   // set while a net/http handler serves the current request

	since   int64  // the loop's time when the client began what it has not finished
	arrived uint64 // how many bytes the connection had received at that time
	unread  int    // how much of a body came behind the answer to its request
	phase   httpPhase
	body    bool // the body of the current request is handed out in pieces, and more will come
	form    bool // the body that arrives is a form, which is read before the request is handed out
	held    bool // receive left later requests in the input because of the exchange
}

var (
	_ readyDialog   = (*httpConn)(nil)
	_ closedDialog  = (*httpConn)(nil)
	_ fanoutDialog  = (*httpConn)(nil)
	_ drainedDialog = (*httpConn)(nil)
	_ movingDialog  = (*httpConn)(nil)
)

// httpPhase says what the connection waits for, outside of callbacks.
type httpPhase uint8

const (
	httpIdle httpPhase = iota // the next request
	httpHead                  // the rest of a head
	httpBody                  // the rest of a body
)

const (
	// maxPipelined is how many bytes of later requests may wait while one is being handled.
	maxPipelined = 64 << 10
	// maxDrained is the largest body that is read to its end although its request was
	// answered; a connection with more to come is closed instead.
	maxDrained = nethttp.MaxUnread
	// bodyPace is what a body has to come at beyond BodyTimeout, in bytes per second.
	bodyPace = 16 << 10
	// httpLook is how often a connection whose request is being handled is looked at.
	httpLook = 5000
)

var continueLine = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// beginHTTP is the dialog of a new connection.
func beginHTTP(c *Conn) dialog {
	h := &httpConn{phase: httpHead, since: c.stream.Loop().Now()}
	h.parser.Options = &c.settings.http.options
	return h
}

// ready counts the time for the first request from OnConnect on.
func (h *httpConn) ready(now int64) { h.since = now }

// busy reports whether a request is being handled.
func (h *httpConn) busy() bool { return h.state.load().active() }

func (h *httpConn) receive(c *Conn, b []byte) (used, want int) {
	messages := 0
	defer func() { c.count(messages) }()
	r := &c.httpLoop().request
	h.held = false
	for {
		c.takeNotices()
		if g := h.hijacked(); g != nil {
			g.request.Feed(b[used:])
			return len(b), 0
		}
		if h.busy() && !h.body && h.hold(c, len(b)-used) {
			h.held = used < len(b)
			return used, 0
		}
		n, step, err := h.parser.Parse(r, b[used:])
		taken := b[used : used+n]
		used += n
		switch {
		case err != nil:
		case step == web.NeedMore || step == web.NeedContinue:
			if step == web.NeedContinue {
				c.SendRaw(continueLine)
			}
			h.await(c, used < len(b))
			return used, h.parser.Want()
		case h.form:
			err = h.formStep(c, r, step)
		case step == web.GotPiece:
			h.piece(c, r)
		case h.body:
			h.bodyEnd(c, r)
		case step == web.GotHead && c.settings.http.options.Body != web.Stream:
			messages++
			err = h.beginForm(c, r)
		default:
			messages++
			h.dispatch(c, r, step == web.GotHead)
		}
		if err != nil {
			c.fail(err)
			return len(b), 0
		}
		if c.settings.poison {
			poison(taken)
		}
		switch more := h.parser.Pending(); {
		case c.httpConn() != h, !c.stream.Open(): // it speaks something else now, or nothing
			return used, 0
		case more:
		case !c.receiving():
			return used, 0
		case used == len(b):
			h.await(c, false)
			return used, 0
		}
	}
}

// hold leaves later requests, of which n bytes are there, in the input until the exchange is
// over. It reports false if it is over already.
func (h *httpConn) hold(c *Conn, n int) bool {
	if !h.state.holdInput() {
		return false
	}
	if n >= maxPipelined {
		c.stream.Pause(pausedByRequest)
		if !h.busy() {
			c.stream.Continue(pausedByRequest)
		}
	}
	return true
}

// await notes what the connection waits for. begun says that a part of the next request
// has arrived.
func (h *httpConn) await(c *Conn, begun bool) {
	phase := httpIdle
	switch {
	case h.body || h.parser.InBody():
		phase = httpBody
	case begun:
		phase = httpHead
	}
	if phase == h.phase {
		return
	}
	h.phase = phase
	if phase == httpIdle {
		return // a deadline is armed already, and looks at the time between requests when it comes
	}
	now := c.stream.Loop().Now()
	h.since = now
	h.arrived, _, _ = c.stream.Counts()
	if next, _ := c.deadline(now); next > 0 {
		c.stream.SetDeadline(next)
	}
}

// dispatch passes a request on, or its head if the body is to come in pieces.
func (h *httpConn) dispatch(c *Conn, r *web.Request, head bool) {
	h.phase = httpIdle
	h.exchange = r.Exchange()
	h.record = c.settings.http.newRecord(r)
	h.body = head
	take := dialogTypes[c.settings.kind].takeRequest
	if take == nil && c.callbacks().OnUpgrade != nil && wantsWebSocket(r) {
		take = (*httpConn).handshake
	}
	handler := c.settings.http.server != nil && take == nil
	unread := head && (r.ContentLength() < 0 || r.ContentLength() > maxDrained || r.ExpectContinue())
	inCallback := !handler && c.rare().queue == nil // else a goroutine enters it in its turn
	number := h.state.begin(unread, inCallback)
	switch {
	case handler:
		h.handle(c, r)
		return
	case take != nil:
		take(h, c, r, number)
		if inCallback {
			h.state.leaveCallback()
		}
		return
	}
	expects := head && r.ExpectContinue()
	c.onRequest(h, r, number)
	if inCallback {
		h.state.leaveCallback()
	}
	if expects && h.state.load().pending() && c.stream.Open() {
		h.state.bodyComplete() // the client sends it now, and it will be read
		c.SendRaw(continueLine)
	}
}

// onRequest calls OnRequest now, or in its turn on the connection's goroutine with a copy.
func (c *Conn) onRequest(h *httpConn, r *web.Request, number uint64) {
	fn := c.callbacks().OnRequest
	if fn == nil {
		h.respondTo(c, web.Status(404), number)
		return
	}
	if x := c.rare(); x.queue != nil {
		r = r.Clone()
		x.queue.pushWhileOpen(c, nil, func() { h.within(number, func() { fn(c, r) }) })
		return
	}
	fn(c, r)
}

// within calls fn as a callback of the request of that number, or as a part of the one that
// runs. It reports false, and does not call fn, if the request has been answered.
func (h *httpConn) within(number uint64, fn func()) bool {
	state := h.state.load()
	switch {
	case !state.mayAnswer(number):
		return false
	case state.is(callbackRequest):
	case h.state.enterCallback(number):
		defer h.state.leaveCallback()
	default:
		return false // somebody answered it just now
	}
	fn()
	return true
}

// piece passes a part of a body on, unless the request has its answer.
func (h *httpConn) piece(c *Conn, r *web.Request) {
	if c.settings.http.server != nil {
		h.feed(c, r.Body())
		return
	}
	if h.state.load().pending() {
		h.onBody(c, r, false)
	}
}

func (h *httpConn) bodyEnd(c *Conn, r *web.Request) {
	h.body = false
	h.phase = httpIdle
	if g := h.handling.Load(); g != nil {
		g.request.EndBody(r.TrailerMap())
		return
	}
	if h.state.bodyComplete().pending() {
		h.onBody(c, r, true)
	}
}

func (h *httpConn) onBody(c *Conn, r *web.Request, last bool) {
	fn := c.callbacks().OnBody
	if fn == nil {
		return
	}
	number := h.state.load().number()
	if x := c.rare(); x.queue != nil {
		r = r.Clone()
		x.queue.pushWhileOpen(c, r.Body(), func() { h.within(number, func() { fn(c, r, last) }) })
		return
	}
	h.state.enterCallback(number)
	fn(c, r, last)
	h.state.leaveCallback()
}

// send answers the request whose callback runs with data as a page, as Workerman does.
func (h *httpConn) send(c *Conn, data []byte) error {
	return h.respondTo(c, page(data), callbackRequest)
}

// page is the response that Send makes of data.
func page(data []byte) *web.Response { return web.Bytes("text/html; charset=utf-8", data) }
