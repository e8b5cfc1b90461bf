package nethttp

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"os"

	"github.com/workerman-go/workerman/web"
)

// MaxUnread is the largest part of a body, in bytes, that is read from the client although
// its request has been answered. A connection with more to come is closed instead.
const MaxUnread = 256 << 10

// Conn is the connection of a request, as the handler's goroutine needs it. All methods may
// be called from every goroutine.
type Conn interface {
	// PauseReading stops the loop from reading until ResumeReading. Neither waits.
	PauseReading()
	ResumeReading()

	// Claim takes the right to answer the request. last says that the connection ends with
	// the answer. An error means that the request has an answer, or no connection any more.
	Claim() (last bool, err error)
	// WaitForRoom blocks until less waits for the client than the limit of the output allows.
	// It reports false if cancel is closed before; an error means that the connection is gone.
	WaitForRoom(cancel <-chan struct{}) (room bool, err error)
	// Begin locks the output for a part of the answer, if the request is still the one to be
	// answered. What follows, up to Commit or Finish, is queued in one piece: Append what was
	// appended to the memory of Reserve, and Write, which copies of body only what the system
	// does not take at once.
	Begin() error
	Reserve(size int) []byte
	Append(out []byte)
	Write(head, body, tail []byte)
	Commit()
	// Finish is Commit behind the end of the answer: the connection is free for the next
	// request, or ends if it is not to be kept. status and size, that of the body, are for
	// the access log.
	Finish(keep bool, status int, size int64)

	// Hijack takes the connection out of HTTP: the loop feeds whatever arrives from now on.
	Hijack()
	// Transmit queues bytes whatever waits for the peer. It reports false if the connection
	// is gone.
	Transmit(p []byte) bool
	// Close delivers what was queued and ends the connection. It reports false if somebody
	// else has ended it.
	Close() bool
	// Fail ends the connection because the handler panicked with v.
	Fail(v any)
	// Warn logs a mistake of the handler and where it was made.
	Warn(mistake, caller string)
	// Done tells that the handler is through with the request, and needs nothing that comes.
	Done()

	// RemoteName is the text of RemoteAddr.
	RemoteName() string
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
	// TLSState is nil on a connection in clear.
	TLSState() *tls.ConnectionState
}

// Options are what all requests of a server have in common.
type Options struct {
	Handler http.Handler
	// Server is the value of the field Server of answers that have none; "" is none.
	Server string
	// MaxBody is the limit, in bytes, that a body which was refused for its size has exceeded.
	MaxBody int64
	// ErrAnswered is what writes return behind the end of the answer.
	ErrAnswered error
}

// Handling is a request that a handler serves, with the memory for it. Begin it once; it
// must not be copied.
type Handling struct {
	conn     Conn
	options  *Options
	request  *http.Request
	context  context.Context
	cancel   context.CancelFunc
	in       inflow // the body, or all input once the connection is hijacked
	response response
}

// Begin takes over the request whose head is in r, which is not needed afterwards. The
// request's context is a child of parent. The error is a *web.Error for a target that is no
// URL; nothing else may be called then.
func (h *Handling) Begin(conn Conn, o *Options, parent context.Context, r *web.Request) (err error) {
	h.conn, h.options = conn, o
	h.context, h.cancel = context.WithCancel(parent)
	if h.request, err = h.newRequest(r); err != nil {
		h.cancel()
		return err
	}
	h.in.conn = conn
	if r.ContentLength() != 0 {
		h.in.changed = make(chan struct{}, 1)
		h.in.expects = r.ExpectContinue()
	}
	h.response.init(h, r)
	return nil
}

// Run serves the request. It blocks until the handler has returned, and belongs on a
// goroutine of its own.
func (h *Handling) Run() {
	returned := false
	defer func() {
		v := recover()
		h.cancel()
		if !returned {
			h.failed(v)
		}
		if !h.response.hijacked {
			h.in.close(http.ErrBodyReadAfterClose)
			h.conn.Done()
		}
	}()
	if r := h.request; r.RequestURI == "*" && r.Method == "OPTIONS" {
		h.response.Header().Set("Content-Length", "0") // it concerns the server, not a resource
	} else {
		h.options.Handler.ServeHTTP(&h.response, r)
	}
	returned = true
	h.response.finish()
	if form := h.request.MultipartForm; form != nil {
		form.RemoveAll()
	}
}

// failed ends the connection after a panic, or an exit of the goroutine if v is nil. What was
// sent stays sent, and the client sees that it is not the whole.
func (h *Handling) failed(v any) {
	if v == nil || v == http.ErrAbortHandler {
		h.conn.Close()
		return
	}
	h.conn.Fail(v)
}

// Feed takes a part of the body, or of what a hijacked connection receives. It copies p.
func (h *Handling) Feed(p []byte) { h.in.feed(p) }

// EndBody tells that the body is complete, and which trailer it had.
func (h *Handling) EndBody(trailer map[string][]string) { h.in.end(trailer) }

// FailBody gives a mistake in the body to the handler, which may still answer.
func (h *Handling) FailBody(mistake *web.Error) {
	if mistake.Status == http.StatusRequestEntityTooLarge {
		h.in.cut(&http.MaxBytesError{Limit: h.options.MaxBody})
		return
	}
	h.in.cut(mistake)
}

// Gone tells the handler that the connection is closed, or that the client sends no more.
func (h *Handling) Gone() {
	h.cancel()
	h.in.gone()
}

// waitForRoom blocks until the output has room, at most till a deadline:
// os.ErrDeadlineExceeded. Other errors mean that the connection is gone.
func (h *Handling) waitForRoom(till *deadline) error {
	for {
		expired := till.wait()
		room, err := h.conn.WaitForRoom(expired)
		switch {
		case err != nil:
			return err
		case isClosed(expired):
			return os.ErrDeadlineExceeded
		case room:
			return nil
		}
	}
}
