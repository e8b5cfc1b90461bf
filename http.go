package workerman

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/workerman-go/workerman/web"
)

// httpConn is the HTTP side of a connection. It handles one request at a time: what the
// client sends meanwhile waits, and the answers so leave in the order of the requests.
type httpConn struct {
	parser   web.Parser
	exchange web.Exchange               // of the request that waits for its answer
	state    atomic.Uint64              // bits below, and above them a number for each request
	record   *accessRecord              // of that request, nil if nobody wants to know
	upload   atomic.Pointer[formUpload] // the multipart form of that request, or of the one that arrives
	handling atomic.Pointer[handling]   // of that request by a net/http handler, else nil

	since   int64  // the loop's time when the client began what it has not finished
	arrived uint64 // bytes that the connection had received by then
	unread  int    // bytes of a body that came when nobody was to read it any more
	phase   httpPhase
	body    bool // the request's body is handed out in pieces, and goes on
	form    bool // the body is a form that is being read
	held    bool // input was left alone because of the exchange
	ended   bool // the client has sent its end of stream
}

// Bits of httpConn.state. The loop sets them when a request comes, who answers clears them.
const (
	exchangeAsked    = 1 << iota // a request waits for an answer
	exchangeStream               // the answer is being streamed
	exchangeWaiting              // the loop waits for the end of the exchange
	exchangeCut                  // so much of the body is outstanding that an answer ends the connection
	exchangeLast                 // the connection ends with this exchange
	exchangeEvents               // the stream is one of events, which ends when the client leaves
	exchangeHijacked             // the exchange has no end: a handler has the connection

	exchangeBusy = exchangeAsked | exchangeStream
	exchangeOne  = 1 << 8 // the number of the request
)

// httpPhase is what the connection waits for, outside of callbacks.
type httpPhase uint8

const (
	httpIdle httpPhase = iota // the next request
	httpHead                  // the rest of a head
	httpBody                  // the rest of a body
)

const (
	// maxPipelined is how many bytes of later requests wait while one is being handled.
	maxPipelined = 64 << 10
	// maxDrained is the largest body that is read to its end although its request was
	// answered; a connection with more to come is closed instead.
	maxDrained = 256 << 10
	// bodyPace is what a body has to come at beyond BodyTimeout, in bytes per second.
	bodyPace = 16 << 10
	// httpLook is how often a connection whose request is being handled is looked at.
	httpLook = 5000
)

var continueLine = []byte("HTTP/1.1 100 Continue\r\n\r\n")

func newHTTPConn(s *service, now int64) *httpConn {
	h := &httpConn{phase: httpHead, since: now}
	h.parser.Options = s.http
	return h
}

func (h *httpConn) busy() bool { return h.state.Load()&exchangeBusy != 0 }

func (h *httpConn) receive(c *Conn, b []byte) (used, want int) {
	messages := 0
	defer func() { c.count(messages) }()
	r := c.svc.request(c)
	h.held = false
	for {
		c.notices()
		if g := h.hijacked(); g != nil {
			g.in.feed(b[used:])
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
		case step == web.GotHead && c.svc.http.Body != web.Stream:
			messages++
			err = h.beginForm(c, r)
		default:
			messages++
			h.ask(c, r, step == web.GotHead)
		}
		if err != nil {
			c.fault(err)
			return len(b), 0
		}
		if c.svc.poison {
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

// hold leaves n bytes of later requests alone until the exchange is over; false if it is.
func (h *httpConn) hold(c *Conn, n int) bool {
	h.state.Or(exchangeWaiting)
	if !h.busy() { // it ended in between, and maybe without seeing the bit
		h.state.And(^uint64(exchangeWaiting))
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
// is there.
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
		return // the timer that is armed will look
	}
	now := c.stream.Loop().Now()
	h.since = now
	h.arrived, _, _ = c.stream.Counts()
	if next, _ := c.deadline(now); next > 0 {
		c.stream.SetDeadline(next)
	}
}

// ask passes a request on, or its head if the body is to come in pieces.
func (h *httpConn) ask(c *Conn, r *web.Request, head bool) {
	h.phase = httpIdle
	h.exchange = r.Exchange()
	h.record = c.svc.newRecord(r)
	h.body = head
	state := (h.state.Load()/exchangeOne+1)*exchangeOne | exchangeAsked
	if head && (r.ContentLength() < 0 || r.ContentLength() > maxDrained || r.ExpectContinue()) {
		state |= exchangeCut
	}
	h.state.Store(state)
	switch {
	case c.svc.kind == webSocketDialog, c.callbacks().OnUpgrade != nil && wantsWebSocket(r):
		h.handshake(c, r)
		return
	case c.svc.server != nil:
		h.handle(c, r)
		return
	}
	expects := head && r.ExpectContinue()
	c.onRequest(r)
	if expects && h.state.Load()&exchangeBusy == exchangeAsked && c.stream.Open() {
		h.state.And(^uint64(exchangeCut))
		c.SendRaw(continueLine)
	}
}

// onRequest calls OnRequest now, or in its turn on the connection's goroutine with a copy.
func (c *Conn) onRequest(r *web.Request) {
	fn := c.callbacks().OnRequest
	if fn == nil {
		c.Respond(web.Status(404))
		return
	}
	if x := c.rare(); x.serial != nil {
		r = r.Clone()
		x.serial.push(c, call{fn: func() {
			if c.Connected() {
				fn(c, r)
			}
		}})
		return
	}
	fn(c, r)
}

// piece passes a part of a body on, unless the request has its answer.
func (h *httpConn) piece(c *Conn, r *web.Request) {
	if c.svc.server != nil {
		h.feed(c, r.Body())
		return
	}
	if h.state.Load()&exchangeAsked != 0 {
		h.onBody(c, r, false)
	}
}

func (h *httpConn) bodyEnd(c *Conn, r *web.Request) {
	h.body = false
	h.phase = httpIdle
	if g := h.handling.Load(); g != nil {
		g.in.end(r.TrailerMap())
		return
	}
	if h.state.And(^uint64(exchangeCut))&exchangeAsked != 0 {
		h.onBody(c, r, true)
	}
}

func (h *httpConn) onBody(c *Conn, r *web.Request, last bool) {
	fn := c.callbacks().OnBody
	if fn == nil {
		return
	}
	if x := c.rare(); x.serial != nil {
		r = r.Clone()
		number := h.state.Load() / exchangeOne
		x.serial.push(c, call{data: r.Body(), fn: func() {
			// The answer may have been given since.
			if state := h.state.Load(); state&exchangeAsked != 0 && state/exchangeOne == number && c.Connected() {
				fn(c, r, last)
			}
		}})
		return
	}
	fn(c, r, last)
}

// leave ends an exchange whose connection is gone.
func (h *httpConn) leave(c *Conn) {
	if u := h.upload.Swap(nil); u != nil {
		u.drop()
	}
	if h.record == nil || !h.busy() {
		return
	}
	status := statusLeft
	if h.state.Load()&exchangeHijacked != 0 {
		status = 101
	}
	h.record.log(c, status, 0)
}

// statusLeft is what the access log says of a client that left before its answer was
// complete, as nginx does.
const statusLeft = 499

// endOfInput waits for the answer to the request that is being handled: the client may
// have closed its half only. Events have no end, so that nobody would ever notice.
func (h *httpConn) endOfInput(c *Conn) (done bool) {
	h.ended = true
	if g := h.handling.Load(); g != nil && h.busy() {
		g.gone()
		if h.hijacked() != nil {
			return true // the handler may go on sending
		}
		if h.hold(c, 0) {
			return false
		}
	} else if state := h.state.Load(); state&exchangeBusy != 0 && state&exchangeEvents == 0 && !h.body && h.hold(c, 0) {
		return false
	}
	if h.held && !h.busy() {
		// The exchange ended just now, and requests that it held back are still to be read.
		c.stream.Continue(pausedByRequest)
		return false
	}
	c.run(c.Close)
	return true
}

// scheme is websocket in a handshake that is all the worker speaks HTTP for.
func (h *httpConn) scheme(c *Conn) string {
	if c.svc.kind == webSocketDialog {
		return "websocket"
	}
	return "http"
}

func (h *httpConn) deadline(c *Conn, now int64) (next int64, err error) {
	switch {
	case h.hijacked() != nil:
		return 0, nil
	case h.busy() && h.phase != httpBody:
		h.since = now
		return now + httpLook, nil
	case h.phase == httpHead:
		limit := c.svc.http.HeaderTimeout
		if next = h.since + limit.Milliseconds(); next > now {
			return next, nil
		}
		if c.stream.Unconsumed() == 0 {
			return 0, fmt.Errorf("%w: no request within %v", ErrIdle, limit)
		}
		return 0, &web.Error{Status: 408, Reason: fmt.Sprintf("head not complete after %v", limit)}
	case h.phase == httpBody:
		if c.stream.Paused() {
			h.since = now
		}
		in, _, _ := c.stream.Counts()
		limit := c.svc.http.BodyTimeout + time.Duration(in-h.arrived)*time.Second/bodyPace
		if next = h.since + limit.Milliseconds(); next > now {
			return next, nil
		}
		return 0, &web.Error{Status: 408, Reason: fmt.Sprintf("body not complete after %v", limit)}
	}
	limit := c.svc.keepAlive
	if next = max(h.since, c.stream.LastActive()) + limit.Milliseconds(); next > now {
		return next, nil
	}
	return 0, fmt.Errorf("%w: no request for %v", ErrIdle, limit)
}

// send answers the request with data as a page, as Workerman does.
func (h *httpConn) send(c *Conn, data []byte) error {
	return h.respond(c, web.Bytes("text/html; charset=utf-8", data))
}

// shutDown answers what is not answered yet, if err or data says how, and closes.
func (h *httpConn) shutDown(c *Conn, data []byte, err error) error {
	var refused *web.Error
	var failed *PanicError
	var answer *web.Response
	if g := h.hijacked(); g != nil {
		g.gone()
		c.stream.Close()
		return nil
	}
	if g := h.handling.Load(); g != nil && h.busy() && g.fault(err) {
		return nil
	}
	switch {
	case data != nil:
		answer = web.Bytes("text/html; charset=utf-8", data)
	case errors.As(err, &refused) && h.body && !h.busy():
		// It is in the body of a request that has its answer.
	case errors.As(err, &refused):
		answer = refused.Response()
	case errors.As(err, &failed) && h.state.Load()&exchangeAsked != 0:
		answer = web.Status(500)
	case (err == errStopping || err == errRestarting) && h.busy() && h.state.Load()&exchangeEvents == 0:
		h.state.Or(exchangeLast) // it may finish its request
		if h.busy() {
			return nil
		}
	}
	state := h.state.Or(exchangeLast)
	if answer == nil || state&exchangeStream != 0 || data != nil && state&exchangeAsked == 0 {
		c.stream.Close()
		return nil
	}
	answer.Close = true
	if state&exchangeAsked != 0 {
		return h.respond(c, answer)
	}
	tx, err := c.beginAlways()
	if err != nil {
		return err
	}
	tx.Append(answer.Append(tx.Reserve(answerRoom), web.Exchange{}, tx.date()))
	tx.CommitClose()
	return nil
}
