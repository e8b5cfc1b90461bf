package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/httpclient"
	"github.com/workerman-go/workerman/web"
)

// forward sends a request on and passes the answer back.
func (p *proxy) forward(c *workerman.Conn, r *web.Request) {
	out, err := http.NewRequest(r.Method(), r.Target(), nil)
	if err != nil {
		c.Respond(web.Status(400))
		return
	}
	back := &answer{c: c, to: c.Responder()}
	if r.ContentLength() != 0 {
		body := newUpload(c)
		back.body = body
		out.Body, out.ContentLength = body, r.ContentLength() // -1: in chunks
		c.Callbacks().OnBody = func(_ *workerman.Conn, r *web.Request, last bool) { body.write(r.Body(), last) }
	}
	out.URL.User = nil
	for name, value := range passed(r.Headers()) {
		out.Header.Add(name, value)
	}
	out.Header.Add("Via", "1.1 workerman")
	if out.Header.Get("Accept-Encoding") == "" {
		out.Header.Set("Accept-Encoding", "identity") // not what net/http would ask for
	}
	if out.Header.Get("User-Agent") == "" {
		out.Header.Set("User-Agent", "") // none
	}
	back.begin(p, out)
}

// answer is one on its way back. Its callbacks are those of the client's connection.
type answer struct {
	c      *workerman.Conn
	to     workerman.Responder
	call   *httpclient.Call
	stream *workerman.Stream
	body   *upload // body of the request, nil if it has none
}

func (a *answer) begin(p *proxy, out *http.Request) {
	a.call = p.client.Stream(a.c, out, httpclient.Events{OnHead: a.head, OnBody: a.piece, OnEnd: a.end})
	// A client that reads slowly holds the server back.
	a.c.Callbacks().OnBufferFull = func(*workerman.Conn) { a.call.Pause() }
	a.c.Callbacks().OnBufferDrain = func(*workerman.Conn) { a.call.Resume() }
}

// head passes the beginning on. An answer that comes early, as one that refuses a body,
// waits until that is through or the server does not want it any more: a worker drops what
// is still to come of a request that has been answered.
func (a *answer) head(r *httpclient.Response) {
	if a.body == nil {
		a.open(r)
		return
	}
	a.call.Pause()
	a.body.then(func() {
		a.open(r)
		a.call.Resume()
	})
}

func (a *answer) open(r *httpclient.Response) {
	head := &web.Response{Status: r.StatusCode}
	for name, value := range passed(all(r.Header)) {
		head.Add(name, value)
	}
	head.Add("Via", "1.1 workerman")
	stream, err := a.to.Stream(head)
	if err != nil {
		a.call.Cancel() // the client is about to go
		return
	}
	a.stream = stream
}

func (a *answer) piece(data []byte) { a.stream.Write(data) }

// end ends the answer; one that breaks off must not look like a whole one.
func (a *answer) end(_ *httpclient.Response, err error) {
	switch {
	case err == nil:
		a.stream.End()
	case a.stream != nil:
		a.c.Destroy()
	case errors.Is(err, context.DeadlineExceeded):
		a.to.Respond(web.Status(504))
	default:
		a.to.Respond(web.Status(502))
	}
}
