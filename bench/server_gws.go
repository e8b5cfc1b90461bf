package main

import (
	"bytes"
	"crypto/tls"

	"github.com/lxzan/gws"
)

// gwsHandler is the echo of gws's own example.
type gwsHandler struct {
	gws.BuiltinEventHandler
	all       *audience[*gws.Conn]
	broadcast bool
}

func (h *gwsHandler) OnOpen(c *gws.Conn) { h.all.join(c) }

func (h *gwsHandler) OnClose(c *gws.Conn, err error) { h.all.leave(c) }

func (h *gwsHandler) OnMessage(c *gws.Conn, message *gws.Message) {
	defer message.Close()
	if !h.broadcast || message.Opcode == gws.OpcodeBinary {
		_ = c.WriteMessage(message.Opcode, message.Bytes())
		return
	}
	// A Broadcaster writes later, when the message is given back already.
	b := gws.NewBroadcaster(message.Opcode, bytes.Clone(message.Bytes()))
	defer b.Close()
	h.all.each(func(c *gws.Conn) { _ = b.Broadcast(c, nil) })
}

func serveGws(cfg serverConfig) error {
	h := &gwsHandler{all: newAudience[*gws.Conn](), broadcast: cfg.Task == broadcastTask}
	s := gws.NewServer(h, &gws.ServerOption{PermessageDeflate: gws.PermessageDeflate{Enabled: cfg.Deflate}})
	ln, err := listen()
	if err != nil {
		return err
	}
	if cfg.tls() {
		pair, err := tls.LoadX509KeyPair(cfg.cert, cfg.key)
		if err != nil {
			return err
		}
		ln = tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{pair}})
	}
	return s.RunListener(ln)
}
