package workerman

import (
	"net"
	"os"
	"time"
)

// hijack takes the connection out of HTTP.
func (g *handling) hijack() (net.Conn, error) {
	if err := g.response.claim(); err != nil {
		return nil, err
	}
	c := g.conn
	conn := &hijackedConn{g: g, local: c.localNetAddr(), remote: c.remoteNetAddr()}
	g.in.hijack()
	g.http.state.hijack()
	c.stream.Continue(pausedByRequest) // the loop hands over what it has held back
	return conn, nil
}

// hijackedConn is a connection as a net.Conn for goroutines: the loop reads ahead, as far as
// an inflow goes, and writes behind, as far as MaxSendBuffer goes.
type hijackedConn struct {
	g             *handling
	local, remote net.Addr
}

// Read waits for bytes: io.EOF when the peer sends no more, net.ErrClosed after Close,
// os.ErrDeadlineExceeded after the deadline.
func (h *hijackedConn) Read(p []byte) (int, error) { return h.g.in.read(p) }

// Write waits while MaxSendBuffer bytes wait for the peer: net.ErrClosed when the connection
// is gone, os.ErrDeadlineExceeded after the deadline.
func (h *hijackedConn) Write(p []byte) (n int, err error) {
	c := h.g.conn
	for n < len(p) {
		switch err = c.waitToSend(&h.g.response.till); err {
		case nil:
		case os.ErrDeadlineExceeded:
			return n, err
		default:
			return n, net.ErrClosed
		}
		piece := p[n:min(n+maxPiece, len(p))]
		if !c.transmit(piece) {
			return n, net.ErrClosed
		}
		n += len(piece)
	}
	return n, nil
}

// transmit sends bytes whatever waits for the peer, unless the connection is gone.
func (c *Conn) transmit(p []byte) bool {
	_, ok := c.stream.Begin()
	if ok {
		c.enqueue(nil, p)
		c.commit(c.maxSend())
	}
	return ok
}

// Close delivers what was written and ends the connection.
func (h *hijackedConn) Close() error {
	h.g.in.close(net.ErrClosed)
	if !h.g.conn.stream.Close() {
		return net.ErrClosed
	}
	return nil
}

func (h *hijackedConn) LocalAddr() net.Addr  { return h.local }
func (h *hijackedConn) RemoteAddr() net.Addr { return h.remote }

// SetDeadline sets both deadlines; the zero time is none.
func (h *hijackedConn) SetDeadline(t time.Time) error {
	h.SetReadDeadline(t)
	return h.SetWriteDeadline(t)
}

func (h *hijackedConn) SetReadDeadline(t time.Time) error  { return h.g.response.SetReadDeadline(t) }
func (h *hijackedConn) SetWriteDeadline(t time.Time) error { return h.g.response.SetWriteDeadline(t) }
