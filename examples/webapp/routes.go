package main

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// handler answers a request.
type handler func(c *workerman.Conn, r *web.Request)

// routes are the handlers of each path by their methods.
type routes map[string]map[string]handler

// newRoutes serves file as /file.
func newRoutes(file string) routes {
	rs := make(routes)
	rs.add("GET", "/plaintext", plaintext)
	rs.add("POST", "/echo", echo)
	rs.add("GET", "/headers", headers)
	rs.add("GET", "/query", query)
	rs.add("GET", "/cookie", cookie)
	rs.add("POST", "/form", form)
	if file != "" {
		rs.add("GET", "/file", func(c *workerman.Conn, _ *web.Request) { c.Respond(web.File(file)) })
	}
	rs.add("GET", "/chunked", chunked)
	rs.add("GET", "/sse", events)
	rs.add("GET", "/close", bye)
	rs.add("GET", "/nocontent", noContent)
	return rs
}

// add adds a route. What answers GET answers HEAD too: the framework leaves out the body.
func (rs routes) add(method, path string, h handler) {
	if rs[path] == nil {
		rs[path] = make(map[string]handler)
	}
	rs[path][method] = h
	if method == "GET" {
		rs[path]["HEAD"] = h
	}
}

// serve is OnRequest: it looks for the handler and says what is wrong if there is none.
func (rs routes) serve(c *workerman.Conn, r *web.Request) {
	methods, ok := rs[r.Path()]
	if !ok {
		c.Respond(web.Status(404))
		return
	}
	h := methods[r.Method()]
	if h == nil {
		allow := strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
		c.Respond(web.Status(405).Set("Allow", allow))
		return
	}
	h(c, r)
}

// hello is sent again and again; a response may be.
var hello = web.Text("Hello, World!")

func plaintext(c *workerman.Conn, _ *web.Request) { c.Respond(hello) }

// echo answers with the body of the request and its type.
func echo(c *workerman.Conn, r *web.Request) {
	c.Respond(web.Bytes(r.Header("Content-Type"), r.Body()))
}

// headers answers with the header fields, their names as they were sent.
func headers(c *workerman.Conn, r *web.Request) { c.Respond(web.JSON(object(r.Headers()))) }

func query(c *workerman.Conn, r *web.Request) { c.Respond(web.JSON(object(r.QueryAll()))) }

// cookie answers with the cookies that the client has, and gives it one more.
func cookie(c *workerman.Conn, r *web.Request) {
	answer := web.JSON(object(r.Cookies()))
	c.Respond(answer.AddCookie(web.Cookie{Name: "seen", Value: "1", Path: "/", HTTPOnly: true, SameSite: "Lax"}))
}

// chunked answers in ten pieces, chunk-0 to chunk-9, each a chunk of its own.
func chunked(c *workerman.Conn, _ *web.Request) {
	stream, err := c.Stream(web.Text(""))
	if err != nil {
		return // the client is gone
	}
	for i := range 10 {
		stream.Write([]byte("chunk-" + strconv.Itoa(i) + "\n"))
	}
	stream.End()
}

// events answers with three events of the type tick.
func events(c *workerman.Conn, _ *web.Request) {
	stream, err := c.Stream(web.EventStream())
	if err != nil {
		return
	}
	for i := range 3 {
		stream.Event(web.ServerSentEvent{Event: "tick", ID: strconv.Itoa(i + 1), Data: "tick"})
	}
	stream.End()
}

// bye answers and ends the connection.
func bye(c *workerman.Conn, _ *web.Request) {
	answer := web.Text("bye")
	answer.Close = true
	c.Respond(answer)
}

func noContent(c *workerman.Conn, _ *web.Request) { c.Respond(web.Status(204)) }
