package nethttp

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"github.com/workerman-go/workerman/web"
)

var lineEnd = []byte("\r\n")

const (
	// maxCollected is how much of a body is collected: one that is no longer gets a
	// Content-Length and leaves with its head, a longer one leaves in pieces.
	maxCollected = 4 << 10
	// maxPiece is the largest piece that is sent without looking whether there is room.
	maxPiece = 64 << 10
	// largePiece is from where on a piece is written at once instead of collected.
	largePiece = 16 << 10
	// chunkRoom is what a chunk needs besides its data: its size and two ends of lines.
	chunkRoom = 16 + 4
)

// response is the http.ResponseWriter of a Handling. Like every ResponseWriter it is for
// one goroutine at a time.
type response struct {
	h         *Handling
	header    http.Header
	status    int
	declared  int64 // Content-Length of the handler, -1 if there is none
	written   int64 // bytes of the body that the handler has written
	collected []byte
	head      responseHead
	until     deadline // when writes give up
	err       error    // why nothing can be sent any more

	isHead    bool // the method is HEAD
	old       bool // HTTP/1.0
	keepAlive bool // the client lets the connection go on
	claimed   bool // no one else may answer
	sent      bool // the head is
	chunked   bool
	last      bool // the connection ends with this answer
	hijacked  bool
	done      bool // the handler has returned

	memory [512]byte // for a short head and a short body
}

var (
	_ http.ResponseWriter                            = (*response)(nil)
	_ http.Flusher                                   = (*response)(nil)
	_ http.Hijacker                                  = (*response)(nil)
	_ io.ReaderFrom                                  = (*response)(nil)
	_ io.StringWriter                                = (*response)(nil)
	_ interface{ FlushError() error }                = (*response)(nil)
	_ interface{ CloseNotify() <-chan bool }         = (*response)(nil)
	_ interface{ SetReadDeadline(time.Time) error }  = (*response)(nil)
	_ interface{ SetWriteDeadline(time.Time) error } = (*response)(nil)
	_ interface{ EnableFullDuplex() error }          = (*response)(nil)
)

func (w *response) init(h *Handling, r *web.Request) {
	w.h = h
	w.declared = -1
	w.isHead = r.Method() == "HEAD"
	w.old = r.Protocol() == "HTTP/1.0"
	w.keepAlive = r.KeepAlive()
	half := len(w.memory) / 2
	w.head.b = w.memory[:0:half]
	w.collected = w.memory[half:half]
}

// Header is the header that WriteHeader will send, and afterwards the trailer.
func (w *response) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header)
	}
	return w.header
}

// WriteHeader takes the status and the header as it is now. They leave with the body's
// beginning. A status from 100 to 199 except 101 leaves at once, and another one follows.
// Like that of net/http it panics if the status has not three digits.
func (w *response) WriteHeader(status int) {
	switch {
	case w.hijacked:
		w.warn("WriteHeader on a hijacked connection")
		return
	case w.status != 0:
		w.warn("superfluous WriteHeader")
		return
	case status < 100 || status > 999:
		panic("invalid WriteHeader code " + strconv.Itoa(status))
	case status == http.StatusContinue:
		w.h.in.invite()
		return
	case status < 200 && status != http.StatusSwitchingProtocols:
		w.announce(status)
		return
	}
	w.status = status
	w.head.take(w)
}

// announce sends an interim response, which HTTP/1.0 does not know.
func (w *response) announce(status int) {
	if w.old || w.err != nil {
		return
	}
	var head responseHead
	head.announce(status, w.header)
	if w.h.conn.Begin() != nil {
		return
	}
	w.h.conn.Append(append(w.h.conn.Reserve(len(head.b)), head.b...))
	w.h.conn.Commit()
}

// Write sends a part of the body. It waits while MaxSendBuffer bytes wait for the client.
func (w *response) Write(p []byte) (int, error) {
	if w.hijacked {
		return 0, http.ErrHijacked
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case len(p) == 0:
		return 0, nil
	case w.done:
		return 0, w.h.options.ErrAnswered
	case !hasBody(w.status):
		return 0, http.ErrBodyNotAllowed
	}
	if w.written += int64(len(p)); w.declared >= 0 && w.written > w.declared {
		return 0, http.ErrContentLength
	}
	if len(w.collected)+len(p) <= maxCollected {
		w.collected = append(w.collected, p...)
		return len(p), nil
	}
	n := 0
	for n < len(p) {
		piece := p[n:min(n+maxPiece, len(p))]
		if err := w.send(piece, false); err != nil {
			return n, err
		}
		n += len(piece)
	}
	return n, nil
}

// WriteString is Write.
func (w *response) WriteString(s string) (int, error) {
	return w.Write(unsafe.Slice(unsafe.StringData(s), len(s)))
}

var copyBuffers = sync.Pool{New: func() any { return new([maxPiece]byte) }}

// ReadFrom writes everything that src has.
func (w *response) ReadFrom(src io.Reader) (n int64, err error) {
	buf := copyBuffers.Get().(*[maxPiece]byte)
	defer copyBuffers.Put(buf)
	return io.CopyBuffer(struct{ io.Writer }{w}, src, buf[:])
}

// Flush sends what was written so far.
func (w *response) Flush() { w.FlushError() }

// FlushError is Flush.
func (w *response) FlushError() error {
	if w.hijacked {
		return http.ErrHijacked
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.done || w.sent && len(w.collected) == 0 {
		return w.err
	}
	return w.send(nil, false)
}

// finish ends the answer when the handler has returned.
func (w *response) finish() {
	if w.hijacked {
		return
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.done = true
	if w.send(nil, true) != nil && w.claimed {
		w.h.conn.Close() // the client has a part, or nothing
	}
}

// send sends what was collected and p, behind the head if that was not sent yet, and the end
// of the body if this is the last of it. The end is accepted whatever waits for the client.
func (w *response) send(p []byte, last bool) error {
	if w.err == nil {
		w.err = w.trySend(p, last)
	}
	return w.err
}

func (w *response) trySend(p []byte, last bool) error {
	c := w.h.conn
	if err := w.claim(); err != nil {
		return err
	}
	body := w.collected
	var head []byte
	if !w.sent {
		head = w.head.complete(w, body, p)
	}
	if w.isHead || !hasBody(w.status) {
		body, p = nil, nil
	}
	if last && w.declared >= 0 && w.written != w.declared && !w.isHead && hasBody(w.status) {
		w.last = true // the client must not take the next answer for the rest
	}
	w.last = w.last || last && w.leavesBody()
	if !last {
		if !w.sent {
			w.h.in.widen()
		}
		if err := w.h.waitForRoom(&w.until); err != nil {
			return err
		}
	}
	if err := c.Begin(); err != nil {
		return err
	}
	w.sent = true
	size := len(body) + len(p)
	framed := w.chunked && size > 0
	out := head
	if len(p) < largePiece {
		out = append(c.Reserve(len(head)+size+2*chunkRoom), head...)
	}
	if framed {
		out = append(strconv.AppendInt(out, int64(size), 16), lineEnd...)
	}
	out = append(out, body...)
	if len(p) < largePiece {
		out = append(out, p...)
		if framed {
			out = append(out, lineEnd...)
		}
		if last && w.chunked {
			out = web.AppendLastChunk(out, w.head.trailer(w.header)...)
		}
		c.Append(out)
	} else if framed {
		c.Write(out, p, lineEnd)
	} else {
		c.Write(out, p, nil)
	}
	w.collected = w.collected[:0]
	if last {
		c.Finish(!w.last, w.status, w.written)
		return nil
	}
	c.Commit()
	return nil
}

// claim takes the right to answer.
func (w *response) claim() error {
	if w.claimed {
		return nil
	}
	last, err := w.h.conn.Claim()
	if err != nil {
		return err
	}
	w.claimed = true
	w.last = w.last || last
	return nil
}

// leavesBody reports whether more of the request's body is on its way than is worth
// reading for the sake of the next request.
func (w *response) leavesBody() bool {
	r := w.h.request
	return w.h.in.uninvited() || r.Body != http.NoBody && w.h.in.outstanding(r.ContentLength) > MaxUnread
}

// SetReadDeadline ends reads of the body, or of the hijacked connection; the zero time is
// none.
func (w *response) SetReadDeadline(t time.Time) error {
	w.h.in.until.set(t)
	return nil
}

// SetWriteDeadline ends waits for room. An answer that missed it is not completed.
func (w *response) SetWriteDeadline(t time.Time) error {
	w.until.set(t)
	return nil
}

// EnableFullDuplex has nothing to do, since that is always on.
func (w *response) EnableFullDuplex() error { return nil }

// CloseNotify is what Request.Context().Done was before there was a context. Routers still
// ask for it.
func (w *response) CloseNotify() <-chan bool {
	gone := make(chan bool, 1)
	context.AfterFunc(w.h.context, func() { gone <- true })
	return gone
}

// Hijack gives the connection to the handler: what arrives from now on is read from the
// net.Conn, bytes that have arrived already included, and none of it is in the reader's
// buffer. Of a body, what has arrived comes first, without the framing of its chunks. The
// handler, or who it gave the connection to, has to close it. A stop of the server closes it.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.hijacked {
		return nil, nil, http.ErrHijacked
	}
	if w.status != 0 && !w.done {
		if err := w.FlushError(); err != nil {
			return nil, nil, err
		}
	}
	conn, err := w.h.hijack()
	if err != nil {
		return nil, nil, err
	}
	w.hijacked = true
	return conn, bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn)), nil
}
