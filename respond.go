package workerman

import (
	"strconv"
	"time"

	"github.com/workerman-go/workerman/http"
	"github.com/workerman-go/workerman/internal/loop"
)

// answerRoom is the memory that is reserved for the head of an answer at first.
const answerRoom = 512

// Respond answers the request that the connection's OnRequest has got: in OnRequest, or
// later from any goroutine. A connection handles one request at a time; while it has no
// answer, later ones wait. r may be used again and for other connections.
//
// The answer is accepted whatever waits for the client already, since the connection takes no
// further request while MaxSendBuffer bytes do. ErrNoRequest means that the request has
// been answered, or that the connection does not speak HTTP; ErrClosed that it is gone.
//
// A response with a status from 102 to 199 is sent ahead and answers nothing yet.
func (c *Conn) Respond(r *http.Response) error {
	h := c.httpConn()
	if h == nil {
		return ErrNoRequest
	}
	return h.respond(c, r)
}

func (h *httpConn) respond(c *Conn, r *http.Response) error {
	if r.Status > 101 && r.Status < 200 {
		return h.announce(c, r)
	}
	state, err := h.claim(c, 0)
	if err != nil {
		return err
	}
	if r.Stream {
		whole := *r
		whole.Stream = false
		r = &whole
	}
	x := h.exchange
	if state&(exchangeCut|exchangeLast) != 0 {
		x = x.Last()
	}
	if err := r.Err(); err != nil {
		c.svc.log.Warn("response is not what it was meant to be", "peer", c.peer(), "error", err)
	}
	if r.Planned() {
		return h.respondPlan(c, r.Plan(x))
	}
	s := &c.stream
	if _, ok := s.Begin(); !ok {
		return ErrClosed
	}
	date := c.svc.date(s.Bursting(), s.Loop())
	switch body := r.Payload(); {
	case len(body) < largeMessage || !r.HasBody(x):
		s.Append(r.Append(s.Reserve(answerRoom+len(body)), x, date))
	case c.svc.http.Compress.Enabled:
		s.Write(nil, r.Append(nil, x, date), nil)
	default:
		s.Write(r.AppendHead(make([]byte, 0, answerRoom), x, date, int64(len(body))), body, nil)
	}
	h.record.log(c, r, int64(len(r.Payload())))
	h.finish(c, r.KeepAlive(x))
	return nil
}

// respondPlan sends a file, or parts of it.
func (h *httpConn) respondPlan(c *Conn, p *http.Plan) error {
	r := p.Response
	if err := r.Err(); err != nil && r.Status != 404 {
		c.svc.log.Warn("cannot serve a file", "peer", c.peer(), "status", r.Status, "error", err)
	}
	s := &c.stream
	if _, ok := s.Begin(); !ok {
		p.Close()
		return ErrClosed
	}
	s.Append(p.AppendHead(s.Reserve(answerRoom), c.svc.date(s.Bursting(), s.Loop())))
	for _, part := range p.Segments {
		switch {
		case part.File != nil:
			s.SendFile(part.File, part.Offset, part.Length)
		case len(part.Bytes) >= largeMessage:
			s.Write(nil, part.Bytes, nil)
		default:
			s.Append(part.Bytes)
		}
	}
	h.record.log(c, r, p.Size)
	h.finish(c, p.KeepAlive())
	return nil
}

// announce sends an interim response, as 103 Early Hints (RFC 8297).
func (h *httpConn) announce(c *Conn, r *http.Response) error {
	s := &c.stream
	if _, ok := s.Begin(); !ok {
		return ErrClosed
	}
	if h.state.Load()&exchangeAsked == 0 {
		s.Abort()
		return ErrNoRequest
	}
	s.Append(r.Append(s.Reserve(answerRoom), h.exchange, nil))
	s.Commit(c.maxSend())
	return nil
}

// claim takes the right to answer the current request; next are the bits that replace
// exchangeAsked.
func (h *httpConn) claim(c *Conn, next uint64) (state uint64, err error) {
	for {
		state = h.state.Load()
		switch {
		case !c.Connected():
			return 0, ErrClosed
		case state&exchangeAsked == 0:
			return 0, ErrNoRequest
		}
		// The bit stays until the answer is queued, so that no later one gets before it.
		if h.state.CompareAndSwap(state, state&^exchangeAsked|exchangeStream|next) {
			return state, nil
		}
	}
}

// finish ends an exchange and the transaction that the end of the answer was sent in.
func (h *httpConn) finish(c *Conn, keep bool) {
	h.upload.remove()
	s := &c.stream
	state := h.state.And(^uint64(exchangeBusy | exchangeWaiting | exchangeEvents))
	if !keep || state&exchangeLast != 0 {
		s.CommitClose()
		return
	}
	limit := c.maxSend()
	full := s.Commit(limit)
	if full {
		s.NeedAttention(noticeFull)
		s.Pause(pausedByAnswers)
		if !s.Waiting() {
			s.Resume(pausedByAnswers)
		}
	}
	if state&exchangeWaiting != 0 {
		s.Continue(pausedByRequest)
	}
}

// dateLine is the value of a Date field and the second that it is for.
type dateLine struct {
	second int64
	text   []byte
}

// date is the value of the Date field for an answer now. On the loop the time of the turn
// is good enough, which spares a look at the clock.
func (s *service) date(onLoop bool, l *loop.Loop) []byte {
	var second int64
	if onLoop {
		second = l.Time(l.Now()).Unix()
	} else {
		second = time.Now().Unix()
	}
	if d := s.dateNow.Load(); d != nil && d.second == second {
		return d.text
	}
	d := &dateLine{second: second, text: http.AppendDate(nil, time.Unix(second, 0))}
	s.dateNow.Store(d)
	return d.text
}

// chunkRoom is what a chunk needs besides its data.
const chunkRoom = 16 + 4

// Stream answers the current request with r as its head and a body that follows in pieces:
// in chunks, or to a client of HTTP/1.0 as it is up to the end of the connection. A body
// that r has is the first piece. Errors are those of Respond.
func (c *Conn) Stream(r *http.Response) (*Stream, error) {
	h := c.httpConn()
	if h == nil {
		return nil, ErrNoRequest
	}
	var events uint64
	if r.IsEventStream() {
		events = exchangeEvents
	}
	state, err := h.claim(c, events)
	if err != nil {
		return nil, err
	}
	s := &c.stream
	if _, ok := s.Begin(); !ok {
		return nil, ErrClosed
	}
	head := *r
	head.Stream = true
	x := h.exchange
	if state&(exchangeCut|exchangeLast) != 0 {
		x = x.Last()
	}
	packed, encoder := head.CompressStream(x)
	st := &Stream{
		conn: c, http: h, number: state / exchangeOne, head: packed, encoder: encoder,
		body: head.HasBody(x), chunked: head.Chunked(x), keep: head.KeepAlive(x),
	}
	s.Append(packed.Append(s.Reserve(answerRoom+len(r.Payload())), x, c.svc.date(s.Bursting(), s.Loop())))
	s.Commit(c.maxSend())
	return st, nil
}

// Stream is an answer whose body is sent in pieces. Its methods may be called from every
// goroutine.
type Stream struct {
	conn    *Conn
	http    *httpConn
	head    *http.Response
	number  uint64        // of the request
	sent    int64         // bytes of the body; guarded by the connection's lock, as is encoder
	encoder *http.Encoder // nil if the body is sent as it is
	body    bool          // there is one: not to a HEAD
	chunked bool
	keep    bool // the connection goes on afterwards
}

// begin opens a transaction, if the stream has not ended.
func (t *Stream) begin() (queued int, err error) {
	queued, ok := t.conn.stream.Begin()
	if !ok {
		return 0, ErrClosed
	}
	if state := t.http.state.Load(); state/exchangeOne != t.number || state&exchangeStream == 0 {
		t.conn.stream.Abort()
		return 0, ErrNoRequest
	}
	return queued, nil
}

// Write sends a piece of the body, which may be used again afterwards. Like Send it does
// not wait for the client: ErrBufferFull means that MaxSendBuffer bytes wait already and
// nothing of p was accepted; go on in OnBufferDrain. Only in a Blocking worker, whose
// callbacks may wait, it waits for room. ErrClosed and ErrNoRequest mean that the
// connection or the stream has ended.
func (t *Stream) Write(p []byte) (n int, err error) {
	c := t.conn
	for {
		switch err := t.write(p); {
		case err == nil:
			return len(p), nil
		case err != ErrBufferFull || !c.svc.blocking:
			return 0, err
		}
		if err := c.waitForRoom(nil); err != nil {
			return 0, err
		}
	}
}

func (t *Stream) write(p []byte) error {
	queued, err := t.begin()
	if err != nil {
		return err
	}
	c, s := t.conn, &t.conn.stream
	limit := c.maxSend()
	if queued >= limit && s.Flush() >= limit {
		s.Abort()
		if c.svc.blocking {
			return ErrBufferFull
		}
		return c.refused()
	}
	if t.encoder != nil {
		p = t.encoder.Write(p)
	}
	t.piece(p)
	if s.Commit(limit) {
		s.NeedAttention(noticeFull)
	}
	return nil
}

// piece queues a part of the body.
func (t *Stream) piece(p []byte) {
	s := &t.conn.stream
	t.sent += int64(len(p))
	switch {
	case !t.body || len(p) == 0:
	case len(p) < largeMessage && t.chunked:
		s.Append(http.AppendChunk(s.Reserve(len(p)+chunkRoom), p))
	case len(p) < largeMessage:
		s.Append(p)
	case t.chunked:
		s.Write(append(strconv.AppendInt(make([]byte, 0, chunkRoom), int64(len(p)), 16), '\r', '\n'), p, lineEnd)
	default:
		s.Write(nil, p, nil)
	}
}

var lineEnd = []byte("\r\n")

// Event sends an event of a stream that was begun with http.EventStream. Errors are those
// of Write.
func (t *Stream) Event(e http.ServerSentEvent) error {
	_, err := t.Write(e.Append(make([]byte, 0, 64+len(e.Data))))
	return err
}

// Heartbeat sends an empty comment every interval as long as the stream lasts, which keeps
// proxies from cutting a silent one and finds clients that are gone.
func (t *Stream) Heartbeat(interval time.Duration) {
	var timer *Timer
	timer = t.conn.Every(interval, func() {
		if t.write([]byte(":\n\n")) == ErrNoRequest {
			timer.Stop()
		}
	})
}

// End ends the body, with trailer fields if there are any and the client knows them. It is
// accepted whatever waits for the client. ErrClosed and ErrNoRequest mean that the
// connection or the stream has ended already.
func (t *Stream) End(trailers ...http.Field) error {
	if _, err := t.begin(); err != nil {
		return err
	}
	if t.encoder != nil {
		t.piece(t.encoder.Close())
	}
	if t.chunked {
		s := &t.conn.stream
		s.Append(http.AppendLastChunk(s.Reserve(answerRoom), trailers...))
	}
	t.http.record.log(t.conn, t.head, t.sent)
	t.http.finish(t.conn, t.keep)
	return nil
}
