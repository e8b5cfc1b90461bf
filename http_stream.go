package workerman

import (
	"strconv"
	"time"

	"github.com/workerman-go/workerman/web"
)

// chunkRoom is what a chunk needs besides its data.
const chunkRoom = 16 + 4

// Stream answers the current request with r as its head and a body that follows in pieces:
// in chunks, or to a client of HTTP/1.0 as it is up to the end of the connection. A body
// that r has is the first piece. Like Respond it is for OnRequest and OnBody; errors are those
// of Respond.
func (c *Conn) Stream(r *web.Response) (*Stream, error) {
	h := c.httpConn()
	if h == nil {
		return nil, ErrNoRequest
	}
	return h.stream(c, r, callbackRequest)
}

func (h *httpConn) stream(c *Conn, r *web.Response, number uint64) (*Stream, error) {
	state, err := h.claim(c, number, r.IsEventStream())
	if err != nil {
		return nil, err
	}
	tx, err := c.beginAlways()
	if err != nil {
		return nil, err
	}
	head := *r
	head.Stream = true
	x := h.exchange
	if state.closes() {
		x = x.Last()
	}
	packed, encoder := head.CompressStream(x)
	st := &Stream{
		conn: c, http: h, number: state.number(), head: packed, encoder: encoder,
		body: head.HasBody(x), chunked: head.Chunked(x), keep: head.KeepAlive(x),
	}
	tx.Append(packed.Append(tx.Reserve(answerRoom+len(r.Payload())), x, tx.date()))
	tx.commitQuietly()
	return st, nil
}

// Stream is an answer whose body is sent in pieces: see Conn.Stream. Its methods may be
// called from every goroutine.
type Stream struct {
	conn    *Conn
	http    *httpConn
	head    *web.Response
	number  uint64       // which request of the connection it answers
	sent    int64        // bytes of the body so far; guarded by the stream's lock, as is encoder
	encoder *web.Encoder // nil if the body is sent as it is
	body    bool         // the answer has one, unlike that to a HEAD
	chunked bool
	keep    bool // the connection goes on afterwards
}

// begin starts a sending, whatever waits for the client, if the stream has not ended.
func (t *Stream) begin() (sending, error) {
	tx, err := t.conn.beginAlways()
	if err != nil {
		return sending{}, err
	}
	if state := t.http.state.load(); !state.is(t.number) || !state.claimed() {
		tx.Abort()
		return sending{}, ErrNoRequest
	}
	return tx, nil
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
		case err != ErrBufferFull || !c.settings.blocking:
			return 0, err
		}
		if err := c.waitForRoom(nil); err != nil {
			return 0, err
		}
	}
}

func (t *Stream) write(p []byte) error {
	tx, err := t.begin()
	if err != nil {
		return err
	}
	if tx.full() {
		tx.Abort()
		if t.conn.settings.blocking {
			return ErrBufferFull
		}
		return t.conn.refused()
	}
	if t.encoder != nil {
		p = t.encoder.Write(p)
	}
	t.piece(tx, p)
	tx.Commit()
	return nil
}

// piece queues a part of the body, in a chunk if that is how the body is framed.
func (t *Stream) piece(tx sending, p []byte) {
	t.sent += int64(len(p))
	switch {
	case !t.body || len(p) == 0:
	case len(p) < largeMessage && t.chunked:
		tx.Append(web.AppendChunk(tx.Reserve(len(p)+chunkRoom), p))
	case len(p) < largeMessage:
		tx.Append(p)
	case t.chunked:
		tx.Write(append(strconv.AppendInt(make([]byte, 0, chunkRoom), int64(len(p)), 16), '\r', '\n'), p, lineEnd)
	default:
		tx.Write(nil, p, nil)
	}
}

var lineEnd = []byte("\r\n")

// Event sends an event of a stream that was begun with web.EventStream. Errors are those
// of Write.
func (t *Stream) Event(e web.ServerSentEvent) error {
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
func (t *Stream) End(trailers ...web.Field) error {
	tx, err := t.begin()
	if err != nil {
		return err
	}
	if t.encoder != nil {
		t.piece(tx, t.encoder.Close())
	}
	if t.chunked {
		tx.Append(web.AppendLastChunk(tx.Reserve(answerRoom), trailers...))
	}
	t.http.finish(tx, t.keep, t.head.Status, t.sent)
	return nil
}
