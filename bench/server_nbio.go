package main

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/lesismal/nbio"
	"github.com/lesismal/nbio/logging"
)

// serveNbio is the echo of nbio's own examples: OnData writes back.
func serveNbio(cfg serverConfig) error {
	logging.SetLevel(logging.LevelError)
	engine := nbio.NewEngine(nbio.Config{
		Network: cfg.Network,
		Addrs:   []string{"127.0.0.1:0"},
		NPoller: 1,
	})
	engine.OnData(func(c *nbio.Conn, data []byte) {
		// nbio closes a connection whose write fails, by itself.
		_, _ = c.Write(data)
	})
	if err := engine.Start(); err != nil {
		return err
	}
	at, err := netip.ParseAddrPort(engine.Addrs[0])
	if err != nil {
		return fmt.Errorf("nbio's address: %w", err)
	}
	printListening(net.TCPAddrFromAddrPort(at))
	select {}
}
