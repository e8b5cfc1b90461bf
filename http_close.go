package workerman

import (
	"errors"
	"fmt"
	"time"

	"github.com/workerman-go/workerman/internal/handover"
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
	if g := h.handling.Load(); g != nil && h.busy() && g.failBody(err) {
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

// closed tells the handler, if one is at work.
func (h *httpConn) closed() {
	if g := h.handling.Load(); g != nil {
		g.request.Gone()
	}
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

// scheme is that of the worker, as websocket where HTTP is spoken only for the handshake.
func (h *httpConn) scheme(c *Conn) string { return dialogTypes[c.settings.kind].schemes[0] }

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

// What becomes of an HTTP connection when its process ends: it moves to another one or drains,
// between two requests.

// resting reports whether no request is being handled and none arrives in pieces that were
// handed out. On the loop.
func (h *httpConn) resting() bool {
	return !h.busy() && !h.body && !h.form && !h.held && h.handling.Load() == nil && !h.state.load().last()
}

// save adds how far a request has arrived.
func (h *httpConn) save(c *Conn, st *handover.State) error {
	st.Language, st.Codec = handover.HTTP, h.parser.AppendState(nil)
	st.Phase, st.Since, st.Arrived = handover.Phase(h.phase), c.stream.Loop().Now()-h.since, h.arrived
	return nil
}

// The phases of HTTP have the same numbers in the binary form.
var (
	_ [0]struct{} = [httpIdle - httpPhase(handover.Idle)]struct{}{}
	_ [0]struct{} = [httpHead - httpPhase(handover.Head)]struct{}{}
	_ [0]struct{} = [httpBody - httpPhase(handover.Body)]struct{}{}
)

// restoreHTTP makes the dialog of what save has noted.
func restoreHTTP(c *Conn, st *handover.State) (dialog, error) {
	h := &httpConn{phase: httpPhase(st.Phase), arrived: st.Arrived}
	var err error
	h.parser, err = web.RestoreParser(&c.settings.http.options, st.Codec)
	return h, err
}

func (h *httpConn) restoreTimes(st *handover.State, now int64) { h.since = now - st.Since }

// drainsInTurn is false: each connection ends as soon as it is between two requests.
func (h *httpConn) drainsInTurn() bool { return false }

// mayDrain closes between two requests, and behind the answer to the one that is being handled.
func (h *httpConn) mayDrain(c *Conn, quiet bool) bool {
	switch {
	case h.busy():
		state := h.state.load()
		return !state.events() && !state.hijacked() && !state.last()
	case h.phase == httpHead && c.received == 0:
		return quiet // it has just come to ask something
	}
	return c.inputDone() && h.phase == httpIdle && !h.body && !h.form
}

// sendShared refuses: the client waits for answers, not for messages.
func (h *httpConn) sendShared(*Conn, *fanout) (taken bool) { return false }
