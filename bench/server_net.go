package main

import "net"

// serveNet is the standard library's way: a goroutine for each connection.
func serveNet(cfg serverConfig) error {
	if cfg.network == "udp" {
		return serveNetUDP()
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	printListening(ln.Addr())
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
