// Auth closes WebSockets that do not say in time who they are. A client gives its token in
// the address, or as its first message; from then on it talks to the others.
//
//	go run ./examples/auth -user ann:apple -user bob:banana
//
// Try it in the console of a browser, in two tabs:
//
//	s = new WebSocket("ws://127.0.0.1:2355/?token=apple"); s.onmessage = m => console.log(m.data)
//	s.send("hello")
//
//	s = new WebSocket("ws://127.0.0.1:2355/"); s.onmessage = m => console.log(m.data); s.onclose = e => console.log(e.code, e.reason)
//	s.send("banana")            // within 30 seconds, or 4001 "no token in time"
//	s.send("hello")
//
// Addresses end up in logs, therefore the first message is the better place for a token.
package main

import (
	"flag"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// The codes of a close, which the client's onclose gets.
const (
	closeLate    = 4001
	closeUnknown = websocket.ClosePolicyViolation
)

// members is the group of those who are known; nobody else hears anything.
const members = "members"

func main() {
	listen := flag.String("listen", "websocket://127.0.0.1:2355", "`websocket://ADDR` to serve on")
	wait := flag.Duration("wait", 30*time.Second, "close connections that gave no token for this `duration`")
	known := make(users)
	flag.Func("user", "a `NAME:TOKEN` to let in; may be repeated (default ann:apple)", known.add)
	flag.Parse()
	if len(known) == 0 {
		known.add("ann:apple")
	}

	w := workerman.NewWorker(*listen)
	w.Name = "auth"
	w.MaxPackageSize = 4 << 10
	// Browsers send cookies on their own, but never such a token: pages of every site may try.
	w.WebSocket.Origins = []string{"*"}
	w.OnUpgrade = func(c *workerman.Conn, r *web.Request) *web.Response {
		token := r.Query("token")
		if token == "" {
			return nil // it may come as the first message
		}
		name, ok := known.find(token)
		if !ok {
			return web.Status(401)
		}
		c.Bind(name)
		return nil
	}
	w.OnConnect = func(c *workerman.Conn) {
		if c.UID() != "" {
			enter(c)
			return
		}
		c.Data = c.After(*wait, func() { c.CloseWithCode(closeLate, "no token in time") })
	}
	w.OnMessage = func(c *workerman.Conn, data []byte) {
		if name := c.UID(); name != "" {
			w.Group(members).Send([]byte(name + ": " + string(data)))
			return
		}
		name, ok := known.find(string(data))
		if !ok {
			c.CloseWithCode(closeUnknown, "unknown token")
			return
		}
		c.Data.(*workerman.Timer).Stop()
		c.Bind(name)
		enter(c)
	}
	workerman.RunAll()
}

// enter lets a connection in whose user is known.
func enter(c *workerman.Conn) {
	c.Join(members)
	c.Send([]byte("Welcome, " + c.UID() + "!"))
}
