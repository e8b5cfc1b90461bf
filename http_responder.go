package workerman

import "github.com/workerman-go/workerman/web"

// Responder answers one request and no other, later and from any goroutine. Of several that
// answer, as a result and the timer that gives it up, the first one wins. It is a small value
// to be copied. The zero value answers nothing: all its errors are ErrNoRequest.
//
//	w.OnRequest = func(c *workerman.Conn, r *web.Request) {
//		id, answer := r.Query("id"), c.Responder()
//		workerman.Async(c, func() (User, error) { return db.Find(id) }, func(u User, err error) {
//			answer.Respond(web.JSON(u))
//		})
//	}
type Responder struct {
	conn   *Conn
	http   *httpConn
	number uint64
}

// Responder returns the right to answer the request whose OnRequest or OnBody runs. Call it
// there, and use the result on any goroutine. It is the zero value if the request has been
// answered, outside of these callbacks, and on a connection that does not speak HTTP.
func (c *Conn) Responder() Responder {
	h := c.httpConn()
	if h == nil {
		return Responder{}
	}
	state := h.state.load()
	if !state.mayAnswer(callbackRequest) {
		h.refuseAnswer(c, callbackRequest)
		return Responder{}
	}
	return Responder{c, h, state.number()}
}

// Respond is Conn.Respond for this request: ErrNoRequest if it has its answer.
func (p Responder) Respond(r *web.Response) error {
	if p.http == nil {
		return ErrNoRequest
	}
	return p.http.respondTo(p.conn, r, p.number)
}

// Stream is Conn.Stream for this request: ErrNoRequest if it has its answer.
func (p Responder) Stream(r *web.Response) (*Stream, error) {
	if p.http == nil {
		return nil, ErrNoRequest
	}
	return p.http.stream(p.conn, r, p.number)
}

// Send is Conn.Send for this request, on HTTP: data is the page that answers it.
func (p Responder) Send(data []byte) error { return p.Respond(page(data)) }

// Upgrade is Conn.Upgrade for this request. r is a copy of it, which r.Clone made in OnRequest.
func (p Responder) Upgrade(r *web.Request, fields ...web.Field) error {
	if p.http == nil {
		return ErrNoRequest
	}
	return p.http.upgrade(p.conn, r, fields, p.number)
}

// Run calls fn as a callback of the request: in fn the connection's Respond, Stream, Send,
// Upgrade and Responder mean this request. It is for code that is written for OnRequest and
// has to wait for something before, as a middleware that loads a session. Call it where the
// callbacks of the connection run, as in the done of Async. ErrNoRequest means that the request
// has its answer, so that fn was not called.
func (p Responder) Run(fn func()) error {
	if p.http == nil || !p.http.within(p.number, fn) {
		return ErrNoRequest
	}
	return nil
}
