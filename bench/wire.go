package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// wire is what a connection of the load client reads and writes: the socket, or
// TLS over it. Once the socket does not block, both return unix.EAGAIN where
// they would; a read of 0 bytes is the end.
type wire interface {
	read(b []byte) (int, error)
	write(b []byte) (int, error)
	fd() int
}

// rawWire is the socket itself.
type rawWire int

func (w rawWire) fd() int { return int(w) }

func (w rawWire) read(b []byte) (int, error) {
	n, errno := rawRead(int(w), b)
	if errno != 0 {
		return 0, errno
	}
	return n, nil
}

func (w rawWire) write(b []byte) (int, error) {
	n, errno := rawWrite(int(w), b)
	if errno != 0 {
		return 0, errno
	}
	return n, nil
}

// tlsWire is TLS of the standard library. To it EAGAIN is a temporary error,
// after which it goes on where it was.
type tlsWire struct {
	socket socketConn
	conn   *tls.Conn
}

func (w *tlsWire) fd() int { return int(w.socket) }

func (w *tlsWire) read(b []byte) (int, error) {
	n, err := w.conn.Read(b)
	switch {
	case n > 0:
		return n, nil
	case err == io.EOF:
		return 0, nil
	}
	return 0, err
}

func (w *tlsWire) write(b []byte) (int, error) { return w.conn.Write(b) }

// tlsClient is the client's side of the TLS rows: the newest version, and the
// server's own certificate as the only authority.
func tlsClient(cfg clientConfig) (*tls.Config, error) {
	pem, err := os.ReadFile(cfg.cert)
	if err != nil {
		return nil, fmt.Errorf("the server's certificate: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", cfg.cert)
	}
	return &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS13,
		CurvePreferences: []tls.CurveID{tls.X25519}}, nil
}

// startTLS makes the handshake on a blocking socket. The engines have to use
// the cipher that is known of them, or the row would compare ciphers.
func startTLS(fd int, cfg *tls.Config, cipher string) (*tlsWire, error) {
	w := &tlsWire{socket: socketConn(fd)}
	w.conn = tls.Client(w.socket, cfg)
	if err := w.conn.Handshake(); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	if suite := tls.CipherSuiteName(w.conn.ConnectionState().CipherSuite); suite != cipher {
		return nil, fmt.Errorf("TLS: the server chose %s, not %s", suite, cipher)
	}
	return w, nil
}

// socketConn is a socket as crypto/tls wants it.
type socketConn int

func (c socketConn) Read(b []byte) (int, error) {
	for {
		n, err := unix.Read(int(c), b)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// Write writes all of b: half a record could not be continued later. No row
// has so much in flight that it has to wait for long.
func (c socketConn) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := unix.Write(int(c), b[done:])
		switch err {
		case nil:
			done += n
		case unix.EAGAIN, unix.EINTR:
			room := []unix.PollFd{{Fd: int32(c), Events: unix.POLLOUT}}
			if n, err := unix.Poll(room, int(stallLimit.Milliseconds())); n == 0 && err == nil {
				return done, unix.ETIMEDOUT
			}
		default:
			return done, err
		}
	}
	return done, nil
}

func (c socketConn) Close() error                       { return unix.Close(int(c)) }
func (c socketConn) LocalAddr() net.Addr                { return nil }
func (c socketConn) RemoteAddr() net.Addr               { return nil }
func (c socketConn) SetDeadline(t time.Time) error      { return nil }
func (c socketConn) SetReadDeadline(t time.Time) error  { return nil }
func (c socketConn) SetWriteDeadline(t time.Time) error { return nil }
