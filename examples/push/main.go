// Push lets other programs send messages to the browsers of a user. Browsers hold a
// WebSocket to one port; programs post to another one, which is for this machine only.
//
//	go run ./examples/push
//	open http://127.0.0.1:2356/?uid=ann in a browser, as often as you like
//	curl -d 'uid=ann&text=Your order has been sent' http://127.0.0.1:5678/push
//	curl -X POST 'http://127.0.0.1:5678/push?text=To+everybody'
//
// Both workers are in one process and share its loop, so that the inner one simply calls
// the outer one. Here the browser says who its user is; the auth example shows how to be sure.
package main

import (
	_ "embed"
	"flag"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

//go:embed page.html
var page string

func main() {
	listen := flag.String("listen", "http://127.0.0.1:2356", "`http://ADDR` for browsers")
	inner := flag.String("inner", "http://127.0.0.1:5678", "`http://ADDR` for programs that push; keep it from strangers")
	flag.Parse()

	browsers := workerman.NewWorker(*listen)
	serveBrowsers(browsers)
	programs := workerman.NewWorker(*inner)
	programs.Inside = browsers // the process that has the connections
	servePrograms(programs, browsers)
	workerman.RunAll()
}

// serveBrowsers gives out the page, and takes its WebSocket.
func serveBrowsers(w *workerman.Worker) {
	w.Name = "browsers"
	w.OnRequest = func(c *workerman.Conn, r *web.Request) {
		switch r.Path() {
		case "/":
			c.Respond(web.HTML(page))
		case "/ws":
			// A user may have several connections: each browser, each tab.
			if uid := r.Query("uid"); c.Upgrade(r) == nil {
				c.Bind(uid)
			}
		default:
			c.Respond(web.Status(404))
		}
	}
}

// servePrograms takes POST /push with uid and text, in the query or as a form.
func servePrograms(w, browsers *workerman.Worker) {
	w.Name = "programs"
	w.OnRequest = func(c *workerman.Conn, r *web.Request) {
		if r.Path() != "/push" {
			c.Respond(web.Status(404))
			return
		}
		if r.Method() != "POST" {
			c.Respond(web.Status(405).Set("Allow", "POST"))
			return
		}
		c.Respond(push(browsers, param(r, "uid"), param(r, "text")))
	}
}

// push sends a text to all connections of a user, or of everybody if none is named. The
// answer says how many these were: 0 means that the user is not online.
func push(browsers *workerman.Worker, uid, text string) *web.Response {
	if text == "" {
		refusal := web.Text("text is missing\n")
		refusal.Status = 422
		return refusal
	}
	var sent int
	var err error
	if uid == "" {
		sent, err = browsers.Broadcast([]byte(text))
	} else {
		sent, err = browsers.SendTo(uid, []byte(text))
	}
	if err != nil {
		return web.Status(500)
	}
	return web.JSON(map[string]int{"sent": sent})
}

// param is a parameter of the query or else of the form.
func param(r *web.Request, name string) string {
	if v := r.Query(name); v != "" {
		return v
	}
	return r.Form(name)
}
