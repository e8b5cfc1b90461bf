package main

import "github.com/tidwall/evio"

// serveEvio is the echo of evio's own example: Data returns its input.
func serveEvio(cfg serverConfig) error {
	events := evio.Events{
		NumLoops: 1,
		Serving: func(s evio.Server) evio.Action {
			printListening(s.Addrs[0])
			return evio.None
		},
		Data: func(_ evio.Conn, in []byte) ([]byte, evio.Action) {
			return in, evio.None
		},
	}
	return evio.Serve(events, cfg.Network+"://127.0.0.1:0")
}
