package main

import (
	"crypto/sha256"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// maxPackage is the longest request in bytes: maxText characters with room for what JSON
// escapes. Who sends a longer one is not the page.
const maxPackage = 16 << 10

// serveWeb opens the door for browsers: the page, and a WebSocket at /ws.
func (h *hub) serveWeb(w *workerman.Worker) {
	d := &door{worker: w, encode: encodeJSON, echo: true}
	h.open(d)
	page := newPages()
	w.OnRequest = func(c *workerman.Conn, r *web.Request) {
		if r.Path() != "/ws" {
			c.Respond(page.answer(r))
		} else if c.Upgrade(r) == nil {
			h.admit(c, d)
		}
	}
	w.OnWorkerStop = func(*workerman.Worker) { h.stopping = true }
	w.OnMessage = workerman.JSON(func(c *workerman.Conn, r request) { h.receive(c.Data.(*member), r) })
	w.OnClose = func(c *workerman.Conn) {
		if m, ok := c.Data.(*member); ok { // it was a WebSocket
			h.leave(m, h.away)
		}
	}
}

// receive does what a browser asks for.
func (h *hub) receive(m *member, r request) {
	var why *refusal
	ok, hopeless := m.allowed.take(time.Now())
	switch {
	case hopeless:
		m.conn.CloseWithCode(websocket.ClosePolicyViolation, "too many messages")
		return
	case !ok && r.Type == "typing": // nobody misses it
	case !ok:
		why = tooFast
	case r.Type == "enter":
		why = h.enter(m, r.Name, r.Key, r.Room, r.Since)
	case r.Type == "say":
		why = h.say(m, r.Text, r.Ref)
	case r.Type == "typing":
		why = h.typing(m)
	default:
		why = unknownType
	}
	if why != nil {
		h.refuse(m, why, r.Ref)
	}
}

func encodeJSON(e event) []byte {
	data, err := json.Marshal(e)
	if err != nil {
		panic(err) // an event has no values that JSON cannot express
	}
	return data
}

//go:embed web
var files embed.FS

// pages are the answers to requests for files, by path.
type pages map[string]*web.Response

// newPages prepares an answer for each file of the folder web.
func newPages() pages {
	p := pages{}
	list, err := fs.ReadDir(files, "web")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	for _, entry := range list {
		content, err := files.ReadFile("web/" + entry.Name())
		if err != nil {
			panic(err)
		}
		path := "/" + entry.Name()
		if path == "/index.html" {
			path = "/"
		}
		p[path] = secure(web.Bytes(web.MIMEType(entry.Name()), content)).
			Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(content))[:17]+`"`).
			Set("Cache-Control", "no-cache") // ask each time, and get a 304
	}
	return p
}

// secure lets a page use nothing that is not its own: no scripts or styles in the page,
// which is where injected ones would be, nothing of other hosts, no frame around it.
func secure(r *web.Response) *web.Response {
	return r.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'").
		Set("X-Content-Type-Options", "nosniff").
		Set("Referrer-Policy", "no-referrer")
}

// answer is the file that a request is for, or what is wrong with the request.
func (p pages) answer(r *web.Request) *web.Response {
	page := p[r.Path()]
	switch {
	case page == nil:
		return secure(web.Status(404))
	case r.Method() != "GET" && r.Method() != "HEAD":
		return secure(web.Status(405)).Set("Allow", "GET, HEAD")
	}
	if status := web.Precondition(r, page.Get("ETag"), time.Time{}); status != 200 {
		return web.Status(status).Set("ETag", page.Get("ETag")).Set("Cache-Control", "no-cache")
	}
	return page
}
