package loop

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"runtime"
	"runtime/debug"
)

// handshake is the state of a handshake. It runs on a goroutine that begins with the
// first byte, and blocks in wire.Read when it needs more.
type handshake struct {
	config  *tls.Config
	role    Role
	started bool
	in      bytes.Buffer  // received, not read yet
	arrived chan struct{} // there is more in in, or one of the following
	begun   bool          // the first record was read
	ended   bool          // the peer sends no more
	aborted bool          // the stream closes
}

// handshakeInput is how much of its input a handshake may leave unread.
const handshakeInput = 64 << 10

// pausedByTLS is the stream's own reason to pause.
const pausedByTLS = 1 << 31

// handshakeSlots bounds how many handshakes compute at a time. Who waits for the peer
// holds none.
var handshakeSlots = make(chan struct{}, runtime.GOMAXPROCS(0))

// begin starts the goroutine. With s.mu held, on the loop.
func (t *tlsLayer) begin() {
	hs := t.hs
	hs.started = true
	hs.arrived = make(chan struct{}, 1)
	if hs.role == Client {
		t.conn = tls.Client((*wire)(t), hs.config)
	} else {
		t.conn = tls.Server((*wire)(t), hs.config)
	}
	go func() {
		handshakeSlots <- struct{}{}
		err := t.shakeHands()
		<-handshakeSlots
		t.stream.loop.Post(func() { t.stream.secured(err) })
	}()
}

// shakeHands turns a panic of the configuration's callbacks into an error.
func (t *tlsLayer) shakeHands() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic in a callback of the TLS configuration: %v\n%s", v, debug.Stack())
		}
	}()
	return t.conn.Handshake()
}

// fillHandshake reads once for the handshake.
func (s *Stream) fillHandshake(t *tlsLayer) (filled bool, err error) {
	hs := t.hs
	s.mu.Lock()
	room := handshakeInput - hs.in.Len()
	s.mu.Unlock()
	if room <= 0 {
		return false, errAgain
	}
	buf := s.loop.recordBuffer()
	buf = buf[:min(room, len(buf))]
	n, err := s.sysRead(buf)
	switch {
	case err == io.EOF && hs.started:
		s.mu.Lock()
		hs.ended = true
		s.pauses.Or(pausedByTLS)
		hs.wake()
		s.mu.Unlock()
		return false, nil
	case err != nil:
		return false, err // an end before the first byte is none of a handshake
	}
	s.arrived(n)
	t.feed(buf[:n])
	return n == len(buf), nil
}

// feed gives a copy of b to the handshake.
func (t *tlsLayer) feed(b []byte) {
	s, hs := t.stream, t.hs
	if len(b) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	hs.in.Write(b)
	if hs.in.Len() >= handshakeInput {
		s.pauses.Or(pausedByTLS)
	}
	if !hs.started {
		t.begin()
	}
	hs.wake()
}

func (hs *handshake) wake() {
	select {
	case hs.arrived <- struct{}{}:
	default:
	}
}

// abort ends a handshake whose stream closes, and drops the output that waits for it.
// With s.mu held.
func (t *tlsLayer) abort() {
	hs := t.hs
	if hs == nil {
		return
	}
	for t.stream.out != nil {
		t.stream.dropQueue()
	}
	hs.aborted = true
	if hs.started {
		hs.wake()
	}
}

// read is wire.Read during the handshake, on its goroutine: it waits for input.
func (hs *handshake) read(s *Stream, p []byte) (int, error) {
	for {
		if n, err := hs.take(s, p); n > 0 || err != nil {
			return n, err
		}
		<-handshakeSlots
		<-hs.arrived
		handshakeSlots <- struct{}{}
	}
}

func (hs *handshake) take(s *Stream, p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case hs.aborted:
		return 0, net.ErrClosed
	case hs.in.Len() > 0:
		if n = hs.cut(p); n == 0 {
			hs.begun = true
			n, _ = hs.in.Read(p)
		}
		if !hs.ended && hs.in.Len() < handshakeInput/2 {
			s.resume(pausedByTLS)
		}
		return n, nil
	case hs.ended:
		return 0, io.EOF
	}
	return 0, nil
}

// cut hands out a part of a ClientHello as a record of its own, if the whole does not fit
// into p, and leaves the rest as another; 0 if it cannot. crypto/tls keeps a buffer of the
// size of the largest record for ever, and a ClientHello is larger than most messages: this
// saves an idle connection 1.2 KB. Messages may be spread over records in any way (RFC 8446,
// section 5.1).
func (hs *handshake) cut(p []byte) (n int) {
	const head, handshakeRecord = 5, 22
	b := hs.in.Bytes()
	if hs.begun || hs.role == Client || len(b) < 2*head || b[0] != handshakeRecord {
		return 0
	}
	size := int(b[3])<<8 | int(b[4])
	part := min(len(b), len(p)) - head
	if part <= 0 || size > maxRecord || head+size <= len(p) || size <= part {
		return 0
	}
	n = copy(p, b[:head+part])
	p[3], p[4] = byte(part>>8), byte(part)
	rest := b[part:]
	copy(rest, b[:3])
	rest[3], rest[4] = byte((size-part)>>8), byte(size-part)
	hs.in.Next(part)
	return n
}

// secured takes the result of a handshake, on the loop.
func (s *Stream) secured(err error) {
	s.mu.Lock()
	if !s.isOpen() || s.hasFailed() {
		s.mu.Unlock()
		return
	}
	if err != nil {
		s.mu.Unlock()
		s.owner.Secured(err)
		s.Close()
		return
	}
	t := s.tls()
	t.in, t.eof, t.hs = t.hs.in.Bytes(), t.hs.ended, nil
	t.more = true
	s.pauses.And(^uint32(pausedByTLS))
	s.startBurst()
	s.mu.Unlock()
	s.owner.Secured(nil)
	if s.Paused() || !s.isOpen() {
		s.endBurst(false)
		return
	}
	s.loop.dry = true // what has arrived since is reported again
	s.receive()
}
