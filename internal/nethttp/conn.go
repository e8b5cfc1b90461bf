package nethttp

import (
	"net"
	"os"
	"time"
)

// hijack takes the connection out of HTTP.
func (h *Handling) hijack() (net.Conn, error) {
	if err := h.response.claim(); err != nil {
		return nil, err
	}
	conn := &hijackedConn{h: h, local: h.conn.LocalAddr(), remote: h.conn.RemoteAddr()}
	h.in.hijack()
	h.conn.Hijack()
	return conn, nil
}

// hijackedConn is a connection as a net.Conn for goroutines: the loop reads ahead, as far as
// an inflow goes, and writes behind, as far as MaxSendBuffer goes.
type hijackedConn struct {
	h             *Handling
	local, remote net.Addr
}

var _ net.Conn = (*hijackedConn)(nil)

// Read waits for bytes: io.EOF when the peer sends no more, net.ErrClosed after Close,
// os.ErrDeadlineExceeded after the deadline.
func (c *hijackedConn) Read(p []byte) (int, error) { return c.h.in.read(p) }

// Write waits while MaxSendBuffer bytes wait for the peer: net.ErrClosed when the connection
// is gone, os.ErrDeadlineExceeded after the deadline.
func (c *hijackedConn) Write(p []byte) (n int, err error) {
	for n < len(p) {
		switch err = c.h.waitForRoom(&c.h.response.until); err {
		case nil:
		case os.ErrDeadlineExceeded:
			return n, err
		default:
			return n, net.ErrClosed
		}
		piece := p[n:min(n+maxPiece, len(p))]
		if !c.h.conn.Transmit(piece) {
			return n, net.ErrClosed
		}
		n += len(piece)
	}
	return n, nil
}

// Close delivers what was written and ends the connection.
func (c *hijackedConn) Close() error {
	c.h.in.close(net.ErrClosed)
	if !c.h.conn.Close() {
		return net.ErrClosed
	}
	return nil
}

func (c *hijackedConn) LocalAddr() net.Addr  { return c.local }
func (c *hijackedConn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines; the zero time is none.
func (c *hijackedConn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *hijackedConn) SetReadDeadline(t time.Time) error  { return c.h.response.SetReadDeadline(t) }
func (c *hijackedConn) SetWriteDeadline(t time.Time) error { return c.h.response.SetWriteDeadline(t) }
