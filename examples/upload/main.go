// Upload takes files from a page with drag and drop, and gives them out again.
//
//	go run ./examples/upload -dir /tmp/files -max-size 50000000
//	curl -F file=@README.md -F file=@LICENSE http://127.0.0.1:8084/files
//	curl http://127.0.0.1:8084/files
//	curl http://127.0.0.1:8084/files/README.md
//
// Or open http://127.0.0.1:8084 in a browser. Files go to the disk as they arrive, so that
// the program needs little memory for large ones. Of an upload that is too large, or breaks
// off, nothing is left.
package main

import (
	_ "embed"
	"flag"
	"os"
	"path/filepath"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

//go:embed page.html
var page string

func main() {
	listen := flag.String("listen", "http://127.0.0.1:8084", "`http://ADDR` to serve on")
	dir := flag.String("dir", filepath.Join(os.TempDir(), "workerman-uploads"), "`directory` for the files; it is made if need be")
	maxSize := flag.Int64("max-size", 100<<20, "largest upload in `bytes`, with the form around it")
	flag.Parse()

	s := newShelf(*dir, *maxSize)
	w := workerman.NewWorker(*listen)
	w.Name = "upload"
	w.HTTP.MaxBody = *maxSize
	// All files go to the disk, and to the one where they will stay: moving them is quick then.
	w.HTTP.MaxUploadMemory = -1
	w.HTTP.UploadDir = s.incoming()
	w.OnWorkerStart = func(*workerman.Worker) error { return s.prepare() }
	w.OnRequest = func(c *workerman.Conn, r *web.Request) {
		switch path := r.Path(); {
		case path == "/" && r.Method() == "GET":
			c.Respond(web.HTML(page))
		case path == "/files" && r.Method() == "GET":
			c.Respond(s.list())
		case path == "/files" && r.Method() == "POST":
			c.Respond(s.take(r.Uploads()))
		default:
			c.Respond(s.give(r))
		}
	}
	workerman.RunAll()
}
