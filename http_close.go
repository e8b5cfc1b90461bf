package workerman

import (
	"errors"
	"fmt"
	"time"

	"github.com/workerman-go/workerman/web"
)

// shutDown answers what is not answered yet, if err or data says how, and closes.
func (h *httpConn) shutDown(c *Conn, data []byte, err error) error {
	var refused *web.Error
	var failed *PanicError
	var answer *web.Response
	if g := h.hijacked(); g != nil {
		g.request.Gone()
		c.stream.Close()
		return nil
	}
	if g := h.handling.Load(); g != nil && h.busy() && g.fault(err) {
		return nil
	}
	switch {
	case data != nil:
		answer = page(data)
	case errors.As(err, &refused) && h.body && !h.busy():
		// The mistake is in the body of a request that has its answer already.
	case errors.As(err, &refused):
		answer = refused.Response()
	case errors.As(err, &failed) && h.state.load().pending():
		answer = web.Status(500)
	case (err == errStopping || err == errRestarting) && h.busy() && !h.state.load().events():
		h.state.markLast() // the request that is being handled gets its answer before the end
		if h.busy() {
			return nil
		}
	}
	state := h.state.markLast()
	switch {
	case data != nil && !state.mayAnswer(callbackRequest):
		h.refuseAnswer(c, callbackRequest)
		if !c.stream.Close() {
			return ErrClosed
		}
		return ErrNoRequest
	case answer == nil || state.claimed():
		c.stream.Close()
		return nil
	}
	answer.Close = true
	if state.pending() {
		return h.respondTo(c, answer, state.number())
	}
	tx, err := c.beginAlways()
	if err != nil {
		return err
	}
	tx.Append(answer.Append(tx.Reserve(answerRoom), web.Exchange{}, tx.date()))
	tx.CommitClose()
	return nil
}

// abandon forgets an exchange whose connection is closed, with a line in the access log.
func (h *httpConn) abandon(c *Conn) {
	if u := h.upload.Swap(nil); u != nil {
		u.drop()
	}
	if h.record == nil || !h.busy() {
		return
	}
	status := statusLeft
	if h.state.load().hijacked() {
		status = 101
	}
	h.record.log(c, status, 0)
}

// statusLeft is the status in the access log for a client that closed the connection before
// its answer was complete. It is that of nginx.
const statusLeft = 499

// endOfInput waits for the answer to the request that is being handled: the client may have
// closed only its sending half. It does not wait for a stream of events, which has no end,
// so that nobody would ever notice that the client is gone.
func (h *httpConn) endOfInput(c *Conn) (done bool) {
	if g := h.handling.Load(); g != nil && h.busy() {
		g.request.Gone()
		if h.hijacked() != nil {
			return true // the handler may go on sending
		}
		if h.hold(c, 0) {
			return false
		}
	} else if state := h.state.load(); state.active() && !state.events() && !h.body && h.hold(c, 0) {
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
	if c.settings.kind == webSocketDialog {
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
		limit := c.settings.http.options.HeaderTimeout
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
		limit := c.settings.http.options.BodyTimeout + time.Duration(in-h.arrived)*time.Second/bodyPace
		if next = h.since + limit.Milliseconds(); next > now {
			return next, nil
		}
		return 0, &web.Error{Status: 408, Reason: fmt.Sprintf("body not complete after %v", limit)}
	}
	limit := c.settings.http.keepAlive
	if next = max(h.since, c.stream.LastActive()) + limit.Milliseconds(); next > now {
		return next, nil
	}
	return 0, fmt.Errorf("%w: no request for %v", ErrIdle, limit)
}
