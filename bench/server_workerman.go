package main

import "github.com/workerman-go/workerman"

// serveWorkerman is this framework's echo, as its documentation shows it.
func serveWorkerman(cfg serverConfig) error {
	w := workerman.NewWorker(cfg.network + "://127.0.0.1:0")
	w.IdleTimeout = cfg.idle
	w.OnWorkerStart = func(w *workerman.Worker) error {
		printListening(w.Addr())
		return nil
	}
	w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
	workerman.RunAll()
	return nil
}
