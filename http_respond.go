package workerman

import (
	"time"

	"github.com/workerman-go/workerman/web"
)

// answerRoom is the memory that is reserved for the head of an answer at first.
const answerRoom = 512

// Respond answers the request whose OnRequest or OnBody runs. Call it there; for an answer
// that is given later or by another goroutine take a Responder there. r may be used again and
// for other connections.
//
// Outside of these callbacks it answers nothing and returns ErrNoRequest, since the connection
// may have come to the client's next request. The first time it is logged. The same holds for
// Stream, Send and Upgrade.
//
// A connection handles one request at a time; while it has no answer, later ones wait.
// Answers are accepted whatever waits for the client already, since the connection takes no
// further request while MaxSendBuffer bytes do. ErrNoRequest also means that the request has
// been answered, or that the connection does not speak HTTP; ErrClosed that it is gone.
//
// A response with a status from 102 to 199 is sent ahead and answers nothing yet.
func (c *Conn) Respond(r *web.Response) error {
	h := c.httpConn()
	if h == nil {
		return ErrNoRequest
	}
	return h.respondTo(c, r, callbackRequest)
}

// respondTo answers the request of that number.
func (h *httpConn) respondTo(c *Conn, r *web.Response, number uint64) error {
	if r.Status > 101 && r.Status < 200 {
		return h.announce(c, r, number)
	}
	state, err := h.claim(c, number, false)
	if err != nil {
		return err
	}
	if r.Stream {
		whole := *r
		whole.Stream = false
		r = &whole
	}
	x := h.exchange
	if state.closes() {
		x = x.Last()
	}
	if err := r.Err(); err != nil {
		c.settings.log.Warn("response is not what it was meant to be", "peer", c.peer(), "error", err)
	}
	if r.Planned() {
		return h.respondPlan(c, r.Plan(x))
	}
	tx, err := c.beginAlways()
	if err != nil {
		return err
	}
	date := tx.date()
	switch body := r.Payload(); {
	case len(body) < largeMessage || !r.HasBody(x):
		tx.Append(r.Append(tx.Reserve(answerRoom+len(body)), x, date))
	case c.settings.http.options.Compress.Enabled:
		tx.Write(nil, r.Append(nil, x, date), nil)
	default:
		tx.Write(r.AppendHead(make([]byte, 0, answerRoom), x, date, int64(len(body))), body, nil)
	}
	h.finish(tx, r.KeepAlive(x), r.Status, int64(len(r.Payload())))
	return nil
}

// respondPlan sends a file, or parts of it.
func (h *httpConn) respondPlan(c *Conn, p *web.Plan) error {
	r := p.Response
	if err := r.Err(); err != nil && r.Status != 404 {
		c.settings.log.Warn("cannot serve a file", "peer", c.peer(), "status", r.Status, "error", err)
	}
	tx, err := c.beginAlways()
	if err != nil {
		p.Close()
		return err
	}
	tx.Append(p.AppendHead(tx.Reserve(answerRoom), tx.date()))
	for _, part := range p.Segments {
		switch {
		case part.File != nil:
			tx.SendFile(part.File, part.Offset, part.Length)
		case len(part.Bytes) >= largeMessage:
			tx.Write(nil, part.Bytes, nil)
		default:
			tx.Append(part.Bytes)
		}
	}
	h.finish(tx, p.KeepAlive(), r.Status, p.Size)
	return nil
}

// announce sends an interim response, as 103 Early Hints (RFC 8297).
func (h *httpConn) announce(c *Conn, r *web.Response, number uint64) error {
	tx, err := c.beginAlways()
	if err != nil {
		return err
	}
	if !h.state.load().mayAnswer(number) {
		tx.Abort()
		h.refuseAnswer(c, number)
		return ErrNoRequest
	}
	tx.Append(r.Append(tx.Reserve(answerRoom), h.exchange, nil))
	tx.commitQuietly()
	return nil
}

// claim takes the right to answer the request of that number, by a stream of events or by
// an answer that ends.
func (h *httpConn) claim(c *Conn, number uint64, events bool) (state exchangeBits, err error) {
	if !c.Connected() {
		return 0, ErrClosed
	}
	state, ok := h.state.claim(number, events)
	if !ok {
		h.refuseAnswer(c, number)
		return 0, ErrNoRequest
	}
	return state, nil
}

// refuseAnswer tells the programmer, once for each worker, about an answer that belongs into a
// callback of its request and comes outside of it. The request that waits may never get one.
func (h *httpConn) refuseAnswer(c *Conn, number uint64) {
	state := h.state.load()
	misplaced := number == callbackRequest && state.pending() && !state.is(callbackRequest)
	if misplaced && c.settings.http.misplacedAnswer.CompareAndSwap(false, true) {
		c.settings.log.Error("an answer outside of OnRequest and OnBody is refused: "+
			"take c.Responder() in OnRequest and answer by it", "peer", c.peer())
	}
}

// finish ends an exchange and the sending that has the end of the answer. The
// status and the size of its body are for the access log.
func (h *httpConn) finish(tx sending, keep bool, status int, size int64) {
	record, upload := h.record, h.upload.Swap(nil) // the next request may bring its own
	h.release(tx, keep)
	if upload != nil {
		upload.remove()
	}
	if record != nil {
		record.log(tx.conn, status, size)
	}
}

// release makes the connection free for the next request and ends the sending.
func (h *httpConn) release(tx sending, keep bool) {
	state := h.state.finish()
	if !keep || state.last() {
		tx.CommitClose()
		return
	}
	s := &tx.conn.stream
	if tx.Commit() {
		s.Pause(pausedByAnswers)
		if !s.Waiting() {
			s.Resume(pausedByAnswers)
		}
	}
	if state.held() {
		s.Continue(pausedByRequest)
	}
}

// dateLine is the value of a Date field and how long it is right.
type dateLine struct {
	until int64 // the loop's time
	text  []byte
}

// date is the value of the Date field for an answer now. While the loop serves the connection
// the time of the turn is good enough, which spares a look at the clock.
func (t sending) date() []byte {
	if !t.Bursting() {
		return web.AppendDate(nil, time.Now())
	}
	c, l := t.conn, t.conn.stream.Loop()
	slot := &c.httpLoop().date
	now := l.Now()
	if d := slot.Load(); d != nil && now < d.until {
		return d.text
	}
	at := l.Time(now)
	d := &dateLine{until: now + 1000 - int64(at.Nanosecond()/1e6), text: web.AppendDate(nil, at)}
	slot.Store(d)
	return d.text
}

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
