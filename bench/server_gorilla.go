package main

import (
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// gorillaConn has the lock that gorilla leaves to its users: one writer at a time.
type gorillaConn struct {
	*websocket.Conn
	mu sync.Mutex
}

// serveGorilla is the echo of gorilla's own example, and a broadcast of prepared
// messages.
func serveGorilla(cfg serverConfig) error {
	all := newAudience[*gorillaConn]()
	u := websocket.Upgrader{EnableCompression: cfg.Deflate}
	return serveHandler(cfg, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := u.Upgrade(w, r, nil)
		if err != nil {
			return // the client has got the answer
		}
		c := &gorillaConn{Conn: conn}
		defer c.Close()
		all.join(c)
		defer all.leave(c)
		for {
			kind, data, err := c.ReadMessage()
			if err != nil {
				return
			}
			if cfg.Task != broadcastTask || kind == websocket.BinaryMessage {
				c.mu.Lock()
				err = c.WriteMessage(kind, data)
				c.mu.Unlock()
			} else {
				err = gorillaBroadcast(all, kind, data)
			}
			if err != nil {
				return
			}
		}
	}))
}

func gorillaBroadcast(all *audience[*gorillaConn], kind int, data []byte) error {
	message, err := websocket.NewPreparedMessage(kind, data)
	if err != nil {
		return err
	}
	all.each(func(c *gorillaConn) {
		c.mu.Lock()
		defer c.mu.Unlock()
		_ = c.WritePreparedMessage(message) // its reader sees a connection that is gone
	})
	return nil
}
