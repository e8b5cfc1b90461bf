package workerman

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/workerman-go/workerman/internal/nethttp"
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
func checkHandler(s *server, w *Worker) error {
	switch {
	case w.handler == nil:
		return nil
	case s.kind != httpDialog:
		return errors.New("Handle is for workers of the scheme http")
	case w.OnRequest != nil || w.OnBody != nil:
		return errors.New("Handle and OnRequest or OnBody are set: one of them has to serve the requests")
	}
	o := &s.http.options
	s.http.server = &http.Server{Addr: s.endpoint.addr.String(), Handler: w.handler}
	o.Body, o.Uploads = web.Stream, false
	o.AnyMethod = true
	s.http.handler = nethttp.Options{
		Handler: w.handler, Server: o.Server, MaxBody: o.MaxBody, ErrAnswered: ErrNoRequest,
	}
	return nil
}

// handling is a request that a net/http handler serves, and its connection as package nethttp
// needs it.
type handling struct {
	conn    *Conn
	http    *httpConn
	number  uint64 // which request of the connection it is
	request nethttp.Handling
	tx      sending // what the handler sends, between Begin and its end
}

var _ nethttp.Conn = (*handling)(nil)

// handle serves a request, of which the head is in r, on a goroutine.
func (h *httpConn) handle(c *Conn, r *web.Request) {
	g := &handling{conn: c, http: h, number: h.state.load().number()}
	if err := g.request.Begin(g, &c.settings.http.handler, connContext{c}, r); err != nil {
		h.handling.Store(nil)
		c.fail(err)
		return
	}
	h.unread = 0
	h.handling.Store(g)
	go g.request.Run()
}

func (g *handling) PauseReading()  { g.conn.stream.Pause(pausedByReader) }
func (g *handling) ResumeReading() { g.conn.stream.Resume(pausedByReader) }

func (g *handling) Claim() (last bool, err error) {
	state, err := g.http.claim(g.conn, g.number, false)
	return state.last() || g.conn.settings.master.stopping(), err
}

func (g *handling) WaitForRoom(cancel <-chan struct{}) (room bool, err error) {
	c := g.conn
	tx, err := c.beginAlways()
	if err != nil {
		return false, err
	}
	full := tx.full()
	tx.Abort()
	if full {
		err = c.waitForRoom(cancel)
	}
	if err == ErrBufferFull {
		return false, nil
	}
	return err == nil, err
}

func (g *handling) Begin() error {
	tx, err := g.conn.beginAlways()
	if err != nil {
		return err
	}
	if state := g.http.state.load(); !state.is(g.number) || !state.active() {
		tx.Abort()
		return ErrNoRequest
	}
	g.tx = tx
	return nil
}

func (g *handling) Reserve(size int) []byte       { return g.tx.Reserve(size) }
func (g *handling) Append(out []byte)             { g.tx.Append(out) }
func (g *handling) Write(head, body, tail []byte) { g.tx.Write(head, body, tail) }
func (g *handling) Commit()                       { g.tx.Commit() }

func (g *handling) Finish(keep bool, status int, size int64) {
	g.http.finish(g.tx, keep, status, size)
}

func (g *handling) Hijack() {
	g.http.state.hijack()
	g.conn.stream.Continue(pausedByRequest) // the loop hands over what it has held back
}

func (g *handling) Transmit(p []byte) bool {
	tx, err := g.conn.beginAlways()
	if err != nil {
		return false
	}
	tx.enqueue(nil, p)
	tx.Commit()
	return true
}

func (g *handling) Close() bool { return g.conn.stream.Close() }
func (g *handling) Fail(v any)  { g.conn.panicked(v) }
func (g *handling) Done()       { g.http.handling.CompareAndSwap(g, nil) }

func (g *handling) Warn(mistake, caller string) {
	g.conn.settings.log.Warn(mistake, "peer", g.conn.peer(), "caller", caller)
}

func (g *handling) RemoteName() string             { return g.conn.remoteName() }
func (g *handling) LocalAddr() net.Addr            { return g.conn.localNetAddr() }
func (g *handling) RemoteAddr() net.Addr           { return g.conn.remoteNetAddr() }
func (g *handling) TLSState() *tls.ConnectionState { return g.conn.stream.TLSState() }

// fault leaves a mistake in the body to the handler, which may still answer. It reports
// false if the handler has answered. It runs on the loop.
func (g *handling) failBody(err error) bool {
	var refused *web.Error
	if !errors.As(err, &refused) {
		return false
	}
	g.conn.stream.Pause(pausedByFault)
	active := g.http.state.markLast().active()
	g.request.FailBody(refused)
	return active
}

// feed takes a piece of a body. Behind the handler's answer it is dropped, and the connection
// closed if that becomes more than a new connection would cost.
func (h *httpConn) feed(c *Conn, p []byte) {
	if g := h.handling.Load(); g != nil && h.busy() {
		g.request.Feed(p)
		return
	}
	if h.unread += len(p); h.unread > maxDrained {
		c.stream.Close()
	}
}

// hijacked returns the handling that has hijacked the connection, nil if none has.
func (h *httpConn) hijacked() *handling {
	if !h.state.load().hijacked() {
		return nil
	}
	return h.handling.Load()
}

// connContext is the parent of the contexts of all requests of a connection.
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
		return x.conn.settings.http.server // a ReverseProxy asks whether it may abort the handler
	}
	return nil
}

// ConnOf returns the connection that a request came by, by the request's context; nil if the
// context is not one of a request that a worker with Handle serves. Use it for what
// concerns the client as a whole, as its groups, its Data or its counters; the answer is the
// handler's, so that Respond, Send and their like are refused. Any goroutine may call it.
func ConnOf(ctx context.Context) *Conn {
	c, _ := ctx.Value(connKey{}).(*Conn)
	return c
}

// localNetAddr is LocalAddr for package net.
func (c *Conn) localNetAddr() net.Addr {
	if c.Transport() == "unix" {
		return &net.UnixAddr{Name: c.settings.server.endpoint.addr.Path, Net: "unix"}
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
