package workerman

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/workerman-go/workerman/web"
)

// Handle makes an http:// worker serve its requests with a handler of net/http: a
// ServeMux, a router as gin, echo or chi, a ReverseProxy. Call it before the worker starts.
//
// Each request runs on a goroutine of its own, where it may block; an idle connection has
// none. The handler gets what it gets from a net/http server: bodies that are streamed (up
// to HTTP.MaxBody bytes; below 0 is no limit), a context that ends when the client leaves
// and when a stop cuts the connection, Flusher, Hijacker, ReaderFrom, trailers and the
// methods of ResponseController. Write waits while MaxSendBuffer bytes wait for the client.
// A handler may read on in the body after it has begun to answer: EnableFullDuplex is
// always on.
//
// OnRequest and OnBody must not be set as well: the start fails. The other callbacks are
// called as ever, and ConnOf finds the connection of a request. Blocking does not concern
// the handler. Of w.HTTP, Body, Uploads, AnyMethod and Compress have no effect: all methods
// reach the handler, and what it sends leaves as it is.
func (w *Worker) Handle(h http.Handler) { w.handler = h }

// checkHandler refuses what contradicts Handle and sets what it needs.
func (s *service) checkHandler(w *Worker) error {
	switch {
	case w.handler == nil:
		return nil
	case s.kind != httpDialog:
		return errors.New("Handle is for workers of the scheme http")
	case w.OnRequest != nil || w.OnBody != nil:
		return errors.New("Handle and OnRequest or OnBody are set: one of them has to serve the requests")
	}
	s.server = &http.Server{Addr: s.endpoint.addr.String(), Handler: w.handler}
	s.http.Body, s.http.Uploads = web.Stream, false
	s.http.AnyMethod = true
	return nil
}

// handling is a request that a net/http handler serves, with the memory for it.
type handling struct {
	conn     *Conn
	http     *httpConn
	number   uint64 // of the request
	request  *http.Request
	context  context.Context
	cancel   context.CancelFunc
	in       inflow // its body
	response response
}

// handle serves a request, of which the head is in r, on a goroutine.
func (h *httpConn) handle(c *Conn, r *web.Request) {
	g := &handling{conn: c, http: h, number: h.state.load().number()}
	g.context, g.cancel = context.WithCancel(connContext{c})
	var err error
	if g.request, err = g.newRequest(r); err != nil {
		g.cancel()
		h.handling.Store(nil)
		c.fault(err)
		return
	}
	g.in.conn = c
	if r.ContentLength() != 0 {
		g.in.news = make(chan struct{}, 1)
		g.in.expects = r.ExpectContinue()
	}
	g.response.init(g, r)
	h.unread = 0
	h.handling.Store(g)
	go g.run(c.svc.server.Handler)
}

// run serves the request.
func (g *handling) run(h http.Handler) {
	returned := false
	defer func() {
		v := recover()
		g.cancel()
		if !returned {
			g.failed(v)
		}
		if !g.response.hijacked {
			g.in.close(http.ErrBodyReadAfterClose)
			g.http.handling.CompareAndSwap(g, nil)
		}
	}()
	if r := g.request; r.RequestURI == "*" && r.Method == "OPTIONS" {
		g.response.Header().Set("Content-Length", "0") // it concerns the server, not a resource
	} else {
		h.ServeHTTP(&g.response, r)
	}
	returned = true
	g.response.finish()
	if form := g.request.MultipartForm; form != nil {
		form.RemoveAll()
	}
}

// failed ends the connection after a panic, or an exit of the goroutine if v is nil. What was
// sent stays sent, and the client sees that it is not the whole.
func (g *handling) failed(v any) {
	if v == nil || v == http.ErrAbortHandler {
		g.conn.stream.Close()
		return
	}
	g.conn.panicked(v)
}

// gone tells the handler that the connection is gone, or that the client sends no more.
func (g *handling) gone() {
	g.cancel()
	g.in.leave()
}

// fault leaves a mistake in the body to the handler, which may still answer. It reports
// false if there is nobody any more to leave it to. On the loop.
func (g *handling) fault(err error) bool {
	var refused *web.Error
	if !errors.As(err, &refused) {
		return false
	}
	err = refused
	if refused.Status == http.StatusRequestEntityTooLarge {
		err = &http.MaxBytesError{Limit: g.conn.svc.http.MaxBody}
	}
	g.conn.stream.Pause(pausedByFault)
	busy := g.http.state.markLast().active()
	g.in.cut(err)
	return busy
}

// feed takes a piece of a body, for the handler or, behind its answer, for nobody: the rest
// of a body is worth reading only as far as that costs less than a new connection.
func (h *httpConn) feed(c *Conn, p []byte) {
	if g := h.handling.Load(); g != nil && h.busy() {
		g.in.feed(p)
		return
	}
	if h.unread += len(p); h.unread > maxDrained {
		c.stream.Close()
	}
}

// gone tells a handler that is at work that the connection is no more.
func (h *httpConn) gone() {
	if g := h.handling.Load(); g != nil {
		g.gone()
	}
}

// hijacked returns whom a hijacked connection belongs to, nil if it is none.
func (h *httpConn) hijacked() *handling {
	if !h.state.load().hijacked() {
		return nil
	}
	return h.handling.Load()
}

// connContext is the context that those of all requests of a connection come from.
type connContext struct{ conn *Conn }

type connKey struct{}

func (connContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (connContext) Done() <-chan struct{}       { return nil }
func (connContext) Err() error                  { return nil }

// Value knows the connection and, as in net/http, its address on this side and a server.
func (x connContext) Value(key any) any {
	switch key {
	case connKey{}:
		return x.conn
	case http.LocalAddrContextKey:
		return x.conn.localNetAddr()
	case http.ServerContextKey:
		return x.conn.svc.server // a ReverseProxy asks whether it may abort the handler
	}
	return nil
}

// ConnOf returns the connection that a request came by, by the request's context; nil if the
// context is not one of a request that a worker with Handle serves. Use it for what
// concerns the client as a whole, as its groups, its Data or its counters. Any goroutine
// may call it.
func ConnOf(ctx context.Context) *Conn {
	c, _ := ctx.Value(connKey{}).(*Conn)
	return c
}

// localNetAddr is LocalAddr for package net.
func (c *Conn) localNetAddr() net.Addr {
	if c.Transport() == "unix" {
		return &net.UnixAddr{Name: c.svc.endpoint.addr.Path, Net: "unix"}
	}
	return net.TCPAddrFromAddrPort(c.LocalAddr())
}

// remoteName is the text of remoteNetAddr.
func (c *Conn) remoteName() string {
	if a := c.RemoteAddr(); a.IsValid() {
		return a.String()
	}
	return "@"
}

// remoteNetAddr is RemoteAddr for package net, which calls a Unix socket's client @.
func (c *Conn) remoteNetAddr() net.Addr {
	if a := c.RemoteAddr(); a.IsValid() {
		return net.TCPAddrFromAddrPort(a)
	}
	return &net.UnixAddr{Name: c.remoteName(), Net: "unix"}
}
