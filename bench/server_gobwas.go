package main

import (
	"bytes"
	"io"
	"net"
	"sync"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
	"github.com/gobwas/ws/wsutil"
)

// gobwasServer is the echo of gobwas/ws's own documentation, a goroutine for each
// connection over package net. It reads without a buffer, as shown there.
type gobwasServer struct {
	cfg    serverConfig
	all    *audience[*gobwasConn]
	helper wsflate.Helper
}

// gobwasConn has the lock for its writers.
type gobwasConn struct {
	net.Conn
	mu sync.Mutex
}

func (c *gobwasConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Conn.Write(b)
}

func serveGobwas(cfg serverConfig) error {
	s := &gobwasServer{cfg: cfg, all: newAudience[*gobwasConn](), helper: newGobwasHelper()}
	ln, err := listen()
	if err != nil {
		return err
	}
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go s.serve(&gobwasConn{Conn: c})
	}
}

func (s *gobwasServer) serve(c *gobwasConn) {
	defer c.Close()
	var u ws.Upgrader
	if s.cfg.Deflate {
		e := wsflate.Extension{Parameters: wsflate.DefaultParameters}
		u.Negotiate = e.Negotiate
	}
	if _, err := u.Upgrade(c); err != nil {
		return
	}
	s.all.join(c)
	defer s.all.leave(c)
	for {
		if err := s.answer(c); err != nil {
			return
		}
	}
}

// answer serves one message.
func (s *gobwasServer) answer(c *gobwasConn) error {
	frame, err := s.read(c)
	if err != nil {
		return err
	}
	if s.cfg.Deflate && frame.Header.OpCode != ws.OpClose {
		if frame, err = s.helper.CompressFrame(frame); err != nil {
			return err
		}
	}
	if s.cfg.Task != broadcastTask || frame.Header.OpCode == ws.OpBinary {
		return ws.WriteFrame(c, frame)
	}
	out, err := ws.CompileFrame(frame)
	if err != nil {
		return err
	}
	s.all.each(func(c *gobwasConn) { _, _ = c.Write(out) }) // its reader sees a connection that is gone
	return nil
}

// read returns a message as the frame that goes back. The helper for whole
// messages knows no compression; that for frames does.
func (s *gobwasServer) read(c *gobwasConn) (ws.Frame, error) {
	if !s.cfg.Deflate {
		data, op, err := wsutil.ReadClientData(c)
		return ws.NewFrame(op, true, data), err
	}
	head, err := ws.ReadHeader(c)
	if err != nil {
		return ws.Frame{}, err
	}
	if head.Length > maxSize {
		return ws.Frame{}, ws.ErrHeaderLengthUnexpected
	}
	frame := ws.Frame{Header: head, Payload: make([]byte, head.Length)}
	if _, err := io.ReadFull(c, frame.Payload); err != nil {
		return frame, err
	}
	frame = ws.UnmaskFrameInPlace(frame)
	var buf bytes.Buffer
	return s.helper.DecompressFrameBuffer(&buf, frame)
}
