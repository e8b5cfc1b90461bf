package main

import (
	"context"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// newWorkerman makes a worker that tells the runner where it listens.
func newWorkerman(scheme string, cfg serverConfig) *workerman.Worker {
	w := workerman.NewWorker(scheme + "://127.0.0.1:0")
	w.IdleTimeout = cfg.idle
	if cfg.tls() {
		w.TLS = workerman.ServerTLS{CertFile: cfg.cert, KeyFile: cfg.key}
	}
	w.OnWorkerStart = func(w *workerman.Worker) error {
		printListening(w.Addr())
		return nil
	}
	return w
}

// serveWorkerman is this framework's echo, as its documentation shows it.
func serveWorkerman(cfg serverConfig) error {
	w := newWorkerman(cfg.Network, cfg)
	w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
	return workerman.Run(context.Background()) // one process, whose CPU time is read
}

func serveWorkermanHTTP(cfg serverConfig) error {
	w := newWorkerman(cfg.Network, cfg)
	hello := web.Text(page)
	w.OnRequest = func(c *workerman.Conn, r *web.Request) {
		if cfg.Task == echoTask {
			c.Respond(web.Bytes("application/octet-stream", r.Body()))
			return
		}
		c.Respond(hello)
	}
	return workerman.Run(context.Background()) // one process, whose CPU time is read
}

// serveWorkermanSend answers with Send, which makes a page of bytes.
func serveWorkermanSend(cfg serverConfig) error {
	w := newWorkerman(cfg.Network, cfg)
	body := []byte(page)
	w.OnRequest = func(c *workerman.Conn, r *web.Request) { c.Send(body) }
	return workerman.Run(context.Background()) // one process, whose CPU time is read
}

// serveWorkermanHandler mounts the handler that package net/http serves.
func serveWorkermanHandler(cfg serverConfig) error {
	newWorkerman(cfg.Network, cfg).Handle(netHandler(cfg.load))
	return workerman.Run(context.Background()) // one process, whose CPU time is read
}

func serveWorkermanWebSocket(cfg serverConfig) error {
	scheme := "websocket"
	if cfg.tls() {
		scheme = "wss"
	}
	w := newWorkerman(scheme, cfg)
	w.WebSocket.Compression.Enabled = cfg.Deflate
	w.WebSocket.Binary = !cfg.text()
	w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
	if cfg.Task == broadcastTask {
		w.OnMessage = func(c *workerman.Conn, data []byte) {
			if c.MessageKind() == websocket.Binary {
				c.SendBinary(data)
				return
			}
			w.Broadcast(data)
		}
	}
	return workerman.Run(context.Background()) // one process, whose CPU time is read
}
