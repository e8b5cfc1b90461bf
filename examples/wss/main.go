// Wss is a chat of the smallest kind over WebSockets with TLS: what one sends, all get. The
// address says that there is TLS; for the rest the program is as without. To try it with
// node 22 or later:
//
//	go run ./examples/wss
//	NODE_TLS_REJECT_UNAUTHORIZED=0 node -e 's = new WebSocket("wss://127.0.0.1:8444"); s.onopen = () => s.send("hello"); s.onmessage = m => console.log(m.data)'
//
// A browser has to trust the certificate before: visit https://127.0.0.1:8444 and accept it
// (the page itself is no WebSocket, and says so), then in the console of that page:
//
//	s = new WebSocket("wss://127.0.0.1:8444"); s.onmessage = m => console.log(m.data)
//	s.send("hello")
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/examples/internal/selfsigned"
)

func main() {
	listen := flag.String("listen", "wss://127.0.0.1:8444", "`wss://ADDR` to serve on")
	cert := flag.String("cert", "", "PEM `file` with the certificate and the intermediate ones; empty to sign one")
	key := flag.String("key", "", "PEM `file` with the private key, if it is not in the same")
	own := flag.String("self-signed", filepath.Join(os.TempDir(), "workerman-self-signed.pem"), "`file` where a certificate signed here is kept")
	flag.Parse()
	if *cert == "" {
		*cert = *own
		if err := selfsigned.Keep(*own, 90*24*time.Hour); err != nil {
			log.Fatal(err)
		}
	}

	w := workerman.NewWorker(*listen)
	w.Name = "wss"
	w.TLS = workerman.ServerTLS{CertFile: *cert, KeyFile: *key}
	w.OnMessage = func(_ *workerman.Conn, data []byte) { w.Broadcast(data) }
	workerman.RunAll()
}
