// Feed takes what one server sends over a WebSocket and fans it out to the WebSockets of many
// clients: prices of an exchange, positions, scores. The upstream sees one connection.
//
//	go run ./examples/feed -from wss://stream.example.com/prices -subscribe '{"op":"subscribe"}'
//	node -e 'new WebSocket("ws://127.0.0.1:2370").onmessage = m => console.log(m.data)'
//
// Who comes gets the latest message at once. If the upstream breaks off, the program connects
// again, at growing intervals, and subscribes again; clients stay and are told. A message is
// framed, and compressed, once for all clients, and one who reads too slowly is dropped rather
// than served old news.
package main

import (
	"flag"
	"log/slog"
	"time"

	"github.com/workerman-go/workerman"
)

func main() {
	from := flag.String("from", "ws://127.0.0.1:2371/", "`URL` of the upstream")
	subscribe := flag.String("subscribe", "", "`message` to send whenever it is connected")
	listen := flag.String("listen", "websocket://127.0.0.1:2370", "`websocket://ADDR` for clients")
	pause := flag.Duration("pause", time.Second, "first pause before connecting again, as `duration`")
	silence := flag.Duration("silence", time.Minute, "take an upstream for dead that is silent for this `duration`")
	flag.Parse()

	w := workerman.NewWorker(*listen)
	w.Name = "feed"
	w.FullPolicy = workerman.CloseWhenFull
	w.MaxSendBuffer = 256 << 10
	w.WebSocket.Compression.Enabled = true

	// Worker and client share the loop, so the latest message needs no lock.
	var latest []byte
	w.OnConnect = func(c *workerman.Conn) {
		if latest != nil {
			c.Send(latest)
		}
	}

	up := workerman.NewClient(*from)
	up.Backoff = workerman.Backoff{Min: *pause, Max: time.Minute}
	up.IdleTimeout = *silence
	up.OnConnect = func(c *workerman.Conn) {
		slog.Info("upstream connected", "url", *from)
		if *subscribe != "" {
			c.Send([]byte(*subscribe))
		}
	}
	up.OnMessage = func(_ *workerman.Conn, data []byte) {
		latest = append(latest[:0], data...)
		w.Broadcast(data)
	}
	up.OnClose = func(c *workerman.Conn) {
		code, _ := c.CloseCode()
		slog.Warn("upstream lost", "error", c.Err(), "code", code)
		w.Broadcast([]byte(`{"feed":"lost"}`))
	}
	up.OnError = func(_ *workerman.Conn, err error) { slog.Warn("upstream not connected", "error", err) }
	w.OnWorkerStart = func(*workerman.Worker) error { return up.Connect() }
	workerman.RunAll()
}
