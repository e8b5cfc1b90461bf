// Ginapp is an application of the router gin on a workerman server: one call, Handle, and
// everything made for net/http runs unchanged. Each request has a goroutine and may block.
// It is a module of its own, so that gin is no dependency of workerman.
//
//	cd examples/ginapp && go run .
//	curl http://127.0.0.1:8086/hello/Ann
//	curl -d '{"text":"Hello"}' -H 'Content-Type: application/json' http://127.0.0.1:8086/notes
//	curl http://127.0.0.1:8086/notes
//	curl -N http://127.0.0.1:8086/events
package main

import (
	"flag"
	"time"

	"github.com/workerman-go/workerman"
)

func main() {
	listen := flag.String("listen", "http://127.0.0.1:8086", "`http://ADDR` to serve on")
	tick := flag.Duration("tick", time.Second, "`duration` between two events")
	flag.Parse()

	w := workerman.NewWorker(*listen)
	w.Name = "ginapp"
	w.Handle(newRouter(*tick))
	workerman.RunAll()
}
