package httpclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workerman-go/workerman"
)

// pieceSize is the largest piece of a body.
const pieceSize = 32 << 10

// Events are what Client.Stream calls, one at a time on the loop. Each may be nil.
type Events struct {
	// OnHead is called when the answer begins, behind redirects, with its status and fields.
	OnHead func(r *Response)
	// OnBody gets the body in pieces of at most 32 KiB, each lent until it returns. The next
	// is read when it has returned and the Call is not paused, so a server that sends faster
	// has to wait.
	OnBody func(data []byte)
	// OnEnd is called once and last: with the answer, whose trailers are there now, and nil,
	// or with an error as that of Client.Do, and the answer if it had begun.
	OnEnd func(r *Response, err error)
}

// exchange is what is done with an answer: events, or all at once.
type exchange struct {
	events Events
	whole  bool
}

// whole collects an answer for done.
func whole(done func(*Response, error)) exchange {
	return exchange{whole: true, events: Events{OnEnd: func(r *Response, err error) {
		if err != nil {
			r = nil
		}
		if done != nil {
			done(r, err)
		}
	}}}
}

// Call is a request that has been sent, or waits to be. Its methods may be called from
// every goroutine.
type Call struct {
	client  *Client
	on      workerman.Poster
	owner   context.Context // on's
	request *http.Request
	exchange

	ctx       context.Context
	cancel    context.CancelCauseFunc
	leave     func() bool // stops waiting for the end of on's context
	cancelled atomic.Bool

	mu     sync.Mutex
	paused chan struct{} // nil: it is not
}

// errCancelled is why a request is given up after Cancel.
var errCancelled = errors.New("cancelled")

// timeoutError is a timeout of this package, known as one in the ways of net/http's.
type timeoutError string

func (e timeoutError) Error() string   { return string(e) }
func (e timeoutError) Timeout() bool   { return true }
func (e timeoutError) Temporary() bool { return true }
func (e timeoutError) Unwrap() error   { return context.DeadlineExceeded }

// lateError is a timeout of net/http or of what is below it, which says so but is not always
// known by errors.Is.
type lateError struct{ error }

func (lateError) Timeout() bool        { return true }
func (lateError) Is(target error) bool { return target == context.DeadlineExceeded }
func (e lateError) Unwrap() error      { return e.error }

// begin starts the goroutine of a request; err is what is wrong with it already.
func (c *Client) begin(on workerman.Poster, r *http.Request, err error, x exchange) *Call {
	c.once.Do(c.prepare)
	call := &Call{client: c, on: on, owner: on.Context(), exchange: x}
	parent := context.Background()
	if err == nil {
		parent = r.Context()
	}
	call.ctx, call.cancel = context.WithCancelCause(parent)
	if err == nil {
		call.request = c.complete(r.WithContext(call.ctx))
	}
	call.leave = context.AfterFunc(call.owner, func() { call.cancel(context.Cause(call.owner)) })
	go call.run(err)
	return call
}

// complete adds what the client has for each request.
func (c *Client) complete(r *http.Request) *http.Request {
	r.Header = r.Header.Clone()
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	for name, values := range c.Header {
		if name = http.CanonicalHeaderKey(name); r.Header[name] == nil {
			r.Header[name] = values
		}
	}
	return r
}

// Cancel gives the request up without a word: if it is called on the loop, no callback of
// the call comes any more.
func (c *Call) Cancel() {
	c.cancelled.Store(true)
	c.cancel(errCancelled)
}

// Pause stops the pieces of a body, from OnHead on or once OnBody has returned; the server has to wait when
// the buffers of both systems are full. Time in which a call is paused counts for Timeout.
func (c *Call) Pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused == nil {
		c.paused = make(chan struct{})
	}
}

// Resume undoes Pause.
func (c *Call) Resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused != nil {
		close(c.paused)
		c.paused = nil
	}
}

// run is the goroutine of the call.
func (c *Call) run(err error) {
	defer c.leave()
	defer c.cancel(nil)
	var response *Response
	if err == nil {
		response, err = c.perform()
	}
	c.post(func() {
		if c.events.OnEnd != nil {
			c.events.OnEnd(response, err)
		}
	})
}

// perform sends the request and reads the answer.
func (c *Call) perform() (response *Response, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &workerman.PanicError{Value: v, Stack: debug.Stack()}
		}
		if err != nil {
			err = c.explain(err)
		}
	}()
	if t := c.client.Timeout; t > 0 {
		limit := time.AfterFunc(t, func() { c.cancel(timeoutError(fmt.Sprintf("not done within %v", t))) })
		defer limit.Stop()
	}
	if c.client.fault != nil {
		return nil, c.client.fault
	}
	answer, err := c.client.inner.Do(c.request)
	if err != nil {
		return nil, err
	}
	body := c.body(answer)
	defer body.close()
	answer.Body = http.NoBody
	response = &Response{Response: answer}
	if c.whole {
		response.Body, err = body.all(c.client.MaxBody)
		return response, err
	}
	if fn := c.events.OnHead; fn != nil && !c.deliver(func() { fn(response) }) {
		return response, context.Cause(c.ctx)
	}
	return response, c.pieces(body)
}

// pieces delivers the body as it comes.
func (c *Call) pieces(body *body) error {
	buf := make([]byte, pieceSize)
	for {
		if !c.unpaused() {
			return context.Cause(c.ctx)
		}
		n, err := body.Read(buf)
		if fn := c.events.OnBody; fn != nil && n > 0 && !c.deliver(func() { fn(buf[:n]) }) {
			return context.Cause(c.ctx)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// unpaused waits while the call is paused; false if it has ended.
func (c *Call) unpaused() bool {
	for {
		c.mu.Lock()
		paused := c.paused
		c.mu.Unlock()
		if paused == nil {
			return c.ctx.Err() == nil
		}
		select {
		case <-paused:
		case <-c.ctx.Done():
			return false
		}
	}
}

// deliver runs fn on the loop and waits for its end; false if the call has ended.
func (c *Call) deliver(fn func()) bool {
	done := make(chan struct{})
	if !c.post(func() {
		defer close(done)
		if c.ctx.Err() == nil {
			fn()
		}
	}) {
		return false
	}
	select {
	case <-done:
		return c.ctx.Err() == nil
	case <-c.ctx.Done():
		return false
	}
}

// post runs fn on the loop unless nobody wants to hear of the call by then.
func (c *Call) post(fn func()) bool {
	return c.on.Post(func() {
		if !c.cancelled.Load() && c.owner.Err() == nil {
			fn()
		}
	})
}

// explain makes a *url.Error of what went wrong, with the reason why the call was ended if
// it was.
func (c *Call) explain(err error) error {
	if cause := context.Cause(c.ctx); cause != nil {
		err = cause
	}
	outer, ok := errors.AsType[*url.Error](err)
	if !ok {
		method := cmp.Or(c.request.Method, http.MethodGet)
		outer = &url.Error{Op: method[:1] + strings.ToLower(method[1:]), URL: c.request.URL.Redacted(), Err: err}
	}
	if outer.Timeout() && !errors.Is(outer, context.DeadlineExceeded) {
		outer = &url.Error{Op: outer.Op, URL: outer.URL, Err: lateError{outer.Err}}
	}
	return outer
}
