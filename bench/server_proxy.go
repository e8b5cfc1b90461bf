package main

import (
	"context"
	"io"
	"net"

	"github.com/workerman-go/workerman"
)

// proxyServers pass the bytes of each connection on to a server behind them, and back.
var proxyServers = map[string]func(serverConfig) error{
	"workerman": serveWorkermanProxy,
	"net":       serveNetProxy,
	"net-copy":  serveNetCopyProxy,
}

// serveWorkermanProxy is the proxy of this framework's manual.
func serveWorkermanProxy(cfg serverConfig) error {
	w := newWorkerman("tcp", cfg)
	w.OnConnect = func(c *workerman.Conn) {
		c.PauseRecv()
		up := c.NewClient("tcp://" + cfg.to)
		up.OnConnect = func(u *workerman.Conn) {
			c.Pipe(u)
			u.Pipe(c)
			c.ResumeRecv()
		}
		up.OnError = func(*workerman.Conn, error) { c.Close() }
		if err := up.Connect(); err != nil {
			c.Close()
		}
	}
	return workerman.Run(context.Background()) // one process, whose CPU time is read
}

// serveNetProxy is a proxy over package net as everybody writes it: two goroutines with
// io.Copy, which package net turns into splice.
func serveNetProxy(cfg serverConfig) error {
	return serveCopies(cfg, func(to, from net.Conn) { _, _ = io.Copy(to, from) })
}

// serveNetCopyProxy is the same through a buffer of the process.
func serveNetCopyProxy(cfg serverConfig) error {
	return serveCopies(cfg, func(to, from net.Conn) {
		_, _ = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 32<<10))
	})
}

func serveCopies(cfg serverConfig, pass func(to, from net.Conn)) error {
	ln, err := listen()
	if err != nil {
		return err
	}
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			up, err := net.Dial("tcp", cfg.to)
			if err != nil {
				return
			}
			defer up.Close()
			go pass(c, up)
			pass(up, c)
		}()
	}
}
