// Sse sends events to browsers as they happen (server-sent events): a clock and news.
//
//	go run ./examples/sse
//	curl -N http://127.0.0.1:8081/events          # in one terminal
//	curl -d 'text=Hello' http://127.0.0.1:8081/news
//
// Or open http://127.0.0.1:8081 in a browser. Stop the program, start it again: the page
// comes back by itself. News have a number, which the browser sends when it connects again,
// so that it gets what it has missed, and nothing twice:
//
//	curl -N -H 'Last-Event-ID: 2' http://127.0.0.1:8081/events
package main

import (
	_ "embed"
	"flag"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

//go:embed page.html
var page string

// maxText is the longest text of news in bytes.
const maxText = 500

func main() {
	listen := flag.String("listen", "http://127.0.0.1:8081", "`http://ADDR` to serve on")
	clock := flag.Duration("clock", time.Second, "tell the time every `duration`; 0 means never")
	heartbeat := flag.Duration("heartbeat", 15*time.Second, "say something at least every `duration`, lest proxies take a silent stream for a dead one")
	flag.Parse()

	f := newFeed(*heartbeat)
	w := workerman.NewWorker(*listen)
	w.Name = "sse"
	w.HTTP.MaxBody = 4 << 10
	// Who does not read is dropped, comes again and is told what it has missed.
	w.FullPolicy = workerman.CloseWhenFull
	w.OnRequest = func(c *workerman.Conn, r *web.Request) {
		switch r.Method() + " " + r.Path() {
		case "GET /":
			c.Respond(web.HTML(page))
		case "GET /events":
			f.subscribe(c, r.Header("Last-Event-ID"))
		case "POST /news":
			c.Respond(f.post(r.Form("text")))
		default:
			c.Respond(web.Status(404))
		}
	}
	w.OnClose = f.unsubscribe
	if *clock > 0 {
		workerman.AddTimer(*clock, f.tick)
	}
	workerman.RunAll()
}
