package main

import (
	"net/http"

	"github.com/coder/websocket"
)

// serveCoder is an echo with coder/websocket. It frames, and compresses, a
// broadcast for each connection.
func serveCoder(cfg serverConfig) error {
	all := newAudience[*websocket.Conn]()
	options := &websocket.AcceptOptions{}
	if cfg.Deflate {
		options.CompressionMode = websocket.CompressionNoContextTakeover
	}
	return serveHandler(cfg, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, options)
		if err != nil {
			return // the client has got the answer
		}
		defer c.CloseNow()
		all.join(c)
		defer all.leave(c)
		ctx := r.Context()
		for {
			kind, data, err := c.Read(ctx)
			if err != nil {
				return
			}
			if cfg.Task == broadcastTask && kind == websocket.MessageText {
				all.each(func(c *websocket.Conn) { _ = c.Write(ctx, kind, data) })
				continue
			}
			if err := c.Write(ctx, kind, data); err != nil {
				return
			}
		}
	}))
}
