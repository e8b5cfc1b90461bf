package main

import (
	"net"
	"net/http"
	"strconv"

	"github.com/lesismal/llib/std/crypto/tls"
	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"
)

// serveNbioHandler is nbio's HTTP server as its examples show it. Its TLS is a
// copy of the standard library's that does not block.
func serveNbioHandler(cfg serverConfig, h http.Handler) error {
	logging.SetLevel(logging.LevelError)
	conf := nbhttp.Config{
		Network: "tcp",
		NPoller: 1,
		Handler: h,
		// The upgraders copy nothing out of a message after its callback.
		ReleaseWebsocketPayload: true,
		Listen: func(network, addr string) (net.Listener, error) {
			ln, err := net.Listen(network, addr)
			if err == nil {
				printListening(ln.Addr())
			}
			return ln, err
		},
	}
	if cfg.tls() {
		pair, err := tls.LoadX509KeyPair(cfg.cert, cfg.key)
		if err != nil {
			return err
		}
		conf.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
		conf.AddrsTLS = []string{"127.0.0.1:0"}
	} else {
		conf.Addrs = []string{"127.0.0.1:0"}
	}
	engine := nbhttp.NewEngine(conf)
	if err := engine.Start(); err != nil {
		return err
	}
	select {}
}

// serveNbioHTTP tells the length of the body, which the standard library finds
// by itself; nbio would send it in chunks.
func serveNbioHTTP(cfg serverConfig) error {
	h, size := netHandler(cfg.load), strconv.Itoa(cfg.Size)
	return serveNbioHandler(cfg, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", size)
		h.ServeHTTP(w, r)
	}))
}

func serveNbioWebSocket(cfg serverConfig) error {
	all := newAudience[*websocket.Conn]()
	u := websocket.NewUpgrader()
	u.EnableCompression(cfg.Deflate)
	u.OnOpen(func(c *websocket.Conn) {
		c.EnableWriteCompression(cfg.Deflate)
		all.join(c)
	})
	u.OnClose(func(c *websocket.Conn, err error) { all.leave(c) })
	u.OnMessage(func(c *websocket.Conn, kind websocket.MessageType, data []byte) {
		if cfg.Task != broadcastTask || kind == websocket.BinaryMessage {
			_ = c.WriteMessage(kind, data)
			return
		}
		all.each(func(c *websocket.Conn) { _ = c.WriteMessage(kind, data) })
	})
	return serveNbioHandler(cfg, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = u.Upgrade(w, r, nil)
	}))
}
