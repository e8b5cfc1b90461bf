// Static serves the files of a directory: with ranges, so that videos can be sought and
// downloads resumed, and with validators, so that nothing is sent that the client has.
//
//	go run ./examples/static -root docs
//	curl http://127.0.0.1:8082/architecture.md
//	curl -r 0-99 http://127.0.0.1:8082/architecture.md
//	curl -I http://127.0.0.1:8082/architecture.md      # note the ETag
//	curl -I -H 'If-None-Match: ETAG' http://127.0.0.1:8082/architecture.md
//
// A file that has a neighbour with .zst, .br or .gz appended to its name is sent in that
// form to clients that accept it:
//
//	gzip -k docs/architecture.md
//	curl -v --compressed http://127.0.0.1:8082/architecture.md
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

func main() {
	listen := flag.String("listen", "http://127.0.0.1:8082", "`http://ADDR` to serve on")
	root := flag.String("root", ".", "`directory` whose files are served; those whose names begin with a dot are not")
	index := flag.String("index", "index.html", "`file` that is served for its directory")
	cache := flag.Duration("cache", 0, "let browsers keep files for this `duration` without asking; 0 makes them ask each time whether a file has changed")
	loops := flag.Int("loops", 1, "`number` of event loops that share the connections")
	flag.Parse()

	dir := &web.Dir{Root: *root, Index: *index, CacheControl: cacheControl(*cache), Precompressed: true}
	w := workerman.NewWorker(*listen)
	w.Name = "static"
	w.Loops = *loops
	w.OnWorkerStart = func(*workerman.Worker) error {
		// A mistake in the path is better told now than by the first visitor.
		_, err := os.ReadDir(*root)
		return err
	}
	w.OnRequest = func(c *workerman.Conn, r *web.Request) { c.Respond(dir.Serve(r)) }
	workerman.RunAll()
}

// cacheControl is the value of the header field of that name.
func cacheControl(age time.Duration) string {
	if age <= 0 {
		return "no-cache"
	}
	return fmt.Sprintf("max-age=%d", int(age.Seconds()))
}
