package session

import (
	"context"
	"errors"
	"log/slog"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// A Handler answers a request that has a session. It runs as OnRequest does: r is lent until it
// returns, and c.Respond, c.Responder and their like mean the request. If it returns nil, it has
// answered, or will by a Responder, and may keep s for that; what has changed in s is lost unless
// it calls Attach or Save.
type Handler func(c *workerman.Conn, r *web.Request, s *Session) *web.Response

// Handle makes an OnRequest of a Handler: it loads the session, calls fn, saves what has
// changed and sends the response with the cookie.
//
// A MemoryStore and a FileStore are used right on the loop. Any other store may wait for
// the network: the loop goes on meanwhile, fn gets a copy of the request, and the response
// leaves when the session is saved, at the latest after Timeout. A request without a session
// does not wait for the store.
//
// If the store fails, the client gets a 503, before fn is called or in place of its response.
// A session that is gone meanwhile changes nothing for the response.
func (ss *Sessions) Handle(fn Handler) func(c *workerman.Conn, r *web.Request) {
	return func(c *workerman.Conn, r *web.Request) {
		answer := c.Responder()
		if err := ss.prepare(); err != nil {
			ss.refuse(c, answer, err)
			return
		}
		id := ss.requested(r)
		if id == "" || ss.isNearby() {
			s, err := ss.load(context.Background(), id)
			ss.call(fn, c, r, answer, s, err)
			return
		}
		r = r.Clone()
		load := func() (*Session, error) {
			ctx, cancel := context.WithTimeout(context.Background(), ss.keep.timeout)
			defer cancel()
			return ss.load(ctx, id)
		}
		workerman.Async(c, load, func(s *Session, err error) {
			answer.Run(func() { ss.call(fn, c, r, answer, s, err) })
		})
	}
}

func (ss *Sessions) isNearby() bool {
	_, ok := ss.keep.store.(nearby)
	return ok
}

// call calls fn with a session that was loaded, or was not because of err, and answers.
func (ss *Sessions) call(fn Handler, c *workerman.Conn, r *web.Request, answer workerman.Responder, s *Session, err error) {
	if err != nil {
		ss.refuse(c, answer, err)
		return
	}
	if ss.Encrypted != nil && ss.Encrypted(c, r) {
		s.secure = true
	}
	resp := fn(c, r, s)
	if resp == nil {
		return
	}
	if ss.isNearby() || !s.due() {
		ss.answer(c, answer, resp, s.Attach(context.Background(), resp))
		return
	}
	attach := func() (struct{}, error) {
		ctx, cancel := context.WithTimeout(context.Background(), ss.keep.timeout)
		defer cancel()
		return struct{}{}, s.Attach(ctx, resp)
	}
	workerman.Async(c, attach, func(_ struct{}, err error) { ss.answer(c, answer, resp, err) })
}

// answer sends the response, if the session was saved or there is none any more.
func (ss *Sessions) answer(c *workerman.Conn, answer workerman.Responder, resp *web.Response, err error) {
	if err != nil && !errors.Is(err, ErrGone) {
		ss.refuse(c, answer, err)
		return
	}
	answer.Respond(resp)
}

func (ss *Sessions) refuse(c *workerman.Conn, answer workerman.Responder, err error) {
	log := ss.Logger
	if log == nil {
		log = slog.Default()
	}
	log.Error("session failed", "worker", c.Worker().Name, "peer", c.RemoteAddr().String(), "error", err)
	answer.Respond(web.Status(503))
}
