package main

import (
	"io"
	"net"
	"net/http"
)

// serveNet is the standard library's way: a goroutine for each connection.
func serveNet(cfg serverConfig) error {
	if cfg.Network == "udp" {
		return serveNetUDP()
	}
	ln, err := listen()
	if err != nil {
		return err
	}
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go echoNet(c, cfg.buffer)
	}
}

func echoNet(c net.Conn, buffer int) {
	defer c.Close()
	buf := make([]byte, buffer)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}

func serveNetUDP() error {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	printListening(c.LocalAddr())
	buf := make([]byte, 64<<10)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return err
		}
		// A client may be gone before its echo; the others go on.
		_, _ = c.WriteToUDPAddrPort(buf[:n], from)
	}
}

func serveNetHTTP(cfg serverConfig) error { return serveHandler(cfg, netHandler(cfg.load)) }

// netHandler is the handler for package net/http, and for engines that take
// its handlers.
func netHandler(l load) http.Handler {
	if l.Task == echoTask {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := make([]byte, l.Size)
			if _, err := io.ReadFull(r.Body, body); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = w.Write(body)
		})
	}
	body := []byte(page)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(body)
	})
}

// serveHandler is package net/http's server, over TLS if the load is.
func serveHandler(cfg serverConfig, h http.Handler) error {
	ln, err := listen()
	if err != nil {
		return err
	}
	if cfg.tls() {
		return http.ServeTLS(ln, h, cfg.cert, cfg.key)
	}
	return http.Serve(ln, h)
}
