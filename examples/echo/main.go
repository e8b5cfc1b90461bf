// Echo sends every message back to its sender, on any address that workerman knows.
//
//	go run ./examples/echo
//	nc 127.0.0.1 2345                # type a line, get it back
//
// It listens on several addresses at once, each with its own protocol and transport:
//
//	go run ./examples/echo -listen tcp://127.0.0.1:7000 -listen udp://127.0.0.1:7000 -listen text+unix:///tmp/echo.sock
//	nc -u 127.0.0.1 7000
//	nc -U /tmp/echo.sock
//
// A WebSocket gets text back as text and bytes as bytes, compressed if the client offers
// that; a request of HTTP gets its body back (node is one of version 22 or later):
//
//	go run ./examples/echo -listen http://127.0.0.1:7001 -listen websocket://127.0.0.1:7002
//	curl -d 'hello' http://127.0.0.1:7001
//	node -e 's = new WebSocket("ws://127.0.0.1:7002"); s.onopen = () => s.send("hello"); s.onmessage = m => { console.log(m.data); s.close() }'
//
// The limits show what a server does with clients that misbehave:
//
//	go run ./examples/echo -max-package 1024 -idle-timeout 1m -handshake-timeout 10s
package main

import (
	"flag"
	"strings"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

func main() {
	var listen []string
	flag.Func("listen", "`SCHEME://ADDR` to echo on; may be repeated (default text://127.0.0.1:2345)", func(address string) error {
		listen = append(listen, address)
		return nil
	})
	loops := flag.Int("loops", 1, "`number` of event loops that share the connections")
	maxPackage := flag.Int("max-package", workerman.DefaultMaxPackageSize, "largest message in `bytes`; a larger one closes its connection")
	idle := flag.Duration("idle-timeout", 0, "close connections from which nothing came for this `duration`; 0 means never")
	handshake := flag.Duration("handshake-timeout", 0, "close connections without a first message after this `duration`; 0 means never")
	flag.Parse()
	if listen == nil {
		listen = []string{"text://127.0.0.1:2345"}
	}

	for _, address := range listen {
		w := workerman.NewWorker(address)
		w.Name = "echo"
		w.Loops = *loops
		w.MaxPackageSize = *maxPackage
		w.IdleTimeout = *idle
		w.HandshakeTimeout = *handshake
		w.WebSocket.Compression.Enabled = true
		w.OnMessage = echo
		if strings.HasPrefix(address, "http") {
			w.OnRequest = echoBody
		}
		// A client that sends without reading would be refused the echo once its send
		// buffer is full. So we stop listening to it until it has read what waits.
		w.OnBufferFull = func(c *workerman.Conn) { c.PauseRecv() }
		w.OnBufferDrain = func(c *workerman.Conn) { c.ResumeRecv() }
	}
	workerman.RunAll()
}

// echo sends a message back, and on a WebSocket as the kind that it was.
func echo(c *workerman.Conn, data []byte) {
	if c.MessageKind() == websocket.Binary {
		c.SendBinary(data)
		return
	}
	c.SendText(data)
}

// echoBody answers a request with its own body.
func echoBody(c *workerman.Conn, r *web.Request) {
	c.Respond(web.Bytes(r.Header("Content-Type"), r.Body()))
}
