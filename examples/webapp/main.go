// Webapp answers requests of every kind that HTTP/1.1 has: small and large bodies, forms
// with files, ranges of a file, answers in chunks, events.
//
//	go run ./examples/webapp -file README.md
//	curl http://127.0.0.1:8080/plaintext
//	curl -d 'hello' http://127.0.0.1:8080/echo
//	curl 'http://127.0.0.1:8080/query?a=1&b=two'
//	curl -v -b theme=dark http://127.0.0.1:8080/cookie
//	curl -F name=Ann -F photo=@README.md http://127.0.0.1:8080/form
//	curl -r 0-99 http://127.0.0.1:8080/file
//	curl --raw http://127.0.0.1:8080/chunked
//	curl -N http://127.0.0.1:8080/sse
//
// The paths are in routes.go. The limits show what a server does with clients that
// misbehave:
//
//	go run ./examples/webapp -max-body 1000 -header-timeout 5s -idle-timeout 10s
package main

import (
	"flag"
	"time"

	"github.com/workerman-go/workerman"
)

func main() {
	listen := flag.String("listen", "http://127.0.0.1:8080", "`http://ADDR` to serve on")
	file := flag.String("file", "", "`path` of what /file serves; without it there is no such page")
	maxBody := flag.Int64("max-body", workerman.DefaultMaxPackageSize, "largest body of a request in `bytes`; a larger one is answered by 413")
	header := flag.Duration("header-timeout", 20*time.Second, "close connections whose request has no complete head after this `duration`")
	idle := flag.Duration("idle-timeout", workerman.DefaultKeepAlive, "close connections without a request for this `duration`")
	loops := flag.Int("loops", 1, "`number` of event loops that share the connections")
	cert := flag.String("cert", "", "PEM `file` with a certificate, for https")
	key := flag.String("key", "", "PEM `file` with its private key")
	flag.Parse()

	w := workerman.NewWorker(*listen)
	w.Name = "webapp"
	w.Loops = *loops
	w.HTTP.MaxBody = *maxBody
	w.HTTP.HeaderTimeout = *header
	w.IdleTimeout = *idle
	w.TLS = workerman.ServerTLS{CertFile: *cert, KeyFile: *key}
	w.OnRequest = newRoutes(*file).serve
	workerman.RunAll()
}
