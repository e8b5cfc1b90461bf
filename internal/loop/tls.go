package loop

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
)

// TLS runs crypto/tls over a connection in memory (wire): what the loop receives goes in,
// the records that come out are written like any output. Only the handshake needs a goroutine,
// because crypto/tls does not resume it after an error; see tls_handshake.go. Afterwards a
// read that finds no whole record returns a temporary error, which crypto/tls forgets. The
// tests pin that, byte by byte, for each version of Go.
//
// The lock of the stream guards the layer and every call of crypto/tls after the handshake.

// Role is the side that a stream takes in a handshake.
type Role int

const (
	Server Role = iota
	Client
)

// tlsLayer encrypts a stream.
type tlsLayer struct {
	stream   *Stream
	conn     *tls.Conn  // nil before the first byte
	hs       *handshake // nil once it has succeeded
	in       []byte     // received records that conn has not read yet
	eof      bool       // nothing comes behind in
	more     bool       // conn may have bytes or an error without further input
	err      error      // what crypto/tls found wrong with the input
	notified bool       // the peer was told that nothing follows
	out      *block     // records that are not written yet, nil if there are none
	written  int        // bytes of out that are
}

// layers lie between a stream and its descriptor.
type layers struct {
	port  *portConn // the portable engine's socket, nil with the native engine
	tls   *tlsLayer // encryption, nil in clear
	pipes pipes     // bulk data that is spliced
}

// port is the portable engine's socket, nil with the native engine.
func (s *Stream) port() *portConn {
	if s.layers == nil {
		return nil
	}
	return s.layers.port
}

// tls is the layer that encrypts, nil if the stream is in clear. On the loop, or with
// s.mu held.
func (s *Stream) tls() *tlsLayer {
	if s.layers == nil {
		return nil
	}
	return s.layers.tls
}

// StartTLS encrypts the stream from now on. It runs on the loop, once, before or within
// the first Receive: what that does not consume counts as the first bytes of the handshake.
// Output that was sent before goes out in clear; it is an error if some of it has to wait
// for the peer. Output sent during the handshake waits for its end, which Secured tells; a
// close before that drops it.
//
// The callbacks of config run on a goroutine of the handshake. Renegotiation is always
// refused. A peer may end the stream without close_notify, which is no error unless it
// happens within a record: what is a whole message, the owner knows.
func (s *Stream) StartTLS(config *tls.Config, role Role) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isOpen() || s.hasFailed() {
		return net.ErrClosed
	}
	if s.tls() != nil {
		return errors.New("the stream is encrypted already")
	}
	if !s.output.waiting {
		s.flush()
	}
	if s.out != nil {
		return errors.New("output in clear still waits for the peer")
	}
	if role == Client && config.Renegotiation != tls.RenegotiateNever {
		config = config.Clone()
		config.Renegotiation = tls.RenegotiateNever // it would be a handshake without a goroutine
	}
	t := &tlsLayer{stream: s, hs: &handshake{config: config, role: role}}
	s.layers = &layers{port: s.port(), tls: t}
	if role == Client {
		t.begin()
	}
	return nil
}

// TLSState tells about the encryption, nil if the stream is in clear or its handshake is
// not done. Any goroutine may call it.
func (s *Stream) TLSState() *tls.ConnectionState {
	s.mu.Lock()
	t := s.tls()
	done := t != nil && t.hs == nil
	s.mu.Unlock()
	if !done {
		return nil
	}
	state := t.conn.ConnectionState()
	return &state
}

// read fills p with what the records hold that have arrived. It reads from the socket if
// they hold nothing.
func (t *tlsLayer) read(p []byte) (n int, err error) {
	s, l := t.stream, t.stream.loop
	for {
		if n, err = t.decrypt(p); err != errNoInput {
			return n, err
		}
		if l.dry {
			return 0, errAgain
		}
		buf := l.recordBuffer()
		n, err = s.sysRead(buf)
		if err == io.EOF {
			t.eof = true
			continue
		}
		if err != nil {
			return 0, err
		}
		s.arrived(n)
		l.dry = n < len(buf)
		t.in = buf[:n]
	}
}

// decrypt fills p from records that have arrived. An error behind some bytes comes again
// with the next call.
func (t *tlsLayer) decrypt(p []byte) (n int, err error) {
	t.stream.mu.Lock()
	defer t.stream.mu.Unlock()
	for n < len(p) && err == nil {
		var k int
		k, err = t.conn.Read(p[n:])
		n += k
	}
	t.more = err != errNoInput
	if n > 0 {
		return n, nil
	}
	t.more = false
	if err != errNoInput && err != io.EOF {
		t.err = err
	}
	return 0, err
}

// giveUp closes the stream after an error in its records, in good order: the alert
// that crypto/tls has made should arrive. It reports false if it was no such error.
func (t *tlsLayer) giveUp(err error) bool {
	s := t.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.err == nil || t.err != err {
		return false
	}
	for s.out != nil {
		s.dropQueue() // crypto/tls encrypts no more
	}
	s.input.ended = s.input.ended || t.eof
	s.startClose()
	return true
}

// keepRecords moves records that were not read out of the loop's buffer.
func (t *tlsLayer) keepRecords() {
	if len(t.in) == 0 {
		t.in = nil
		return
	}
	t.in = append([]byte(nil), t.in...)
}

// pending reports whether there is something to deliver that the engine does not know of.
func (t *tlsLayer) pending() bool { return t.hs == nil && t.more }

// recordBuffer is where records are received, one for all streams of the loop.
func (l *Loop) recordBuffer() []byte {
	if l.records == nil {
		l.records = make([]byte, readBufferSize)
	}
	return l.records
}
