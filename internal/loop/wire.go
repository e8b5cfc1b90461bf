package loop

import (
	"io"
	"net"
	"time"
)

// wire is the net.Conn under a tls.Conn. During the handshake its goroutine reads and
// writes, and a read blocks. Afterwards both happen with the stream locked, and a read takes
// what is there.
type wire tlsLayer

// errNoInput says that a read would have to wait. crypto/tls forgets temporary errors, and
// goes on where it was in the next read.
var errNoInput net.Error = noInput{}

type noInput struct{}

func (noInput) Error() string   { return "no input yet" }
func (noInput) Timeout() bool   { return true }
func (noInput) Temporary() bool { return true }

func (w *wire) Read(p []byte) (int, error) {
	if w.hs != nil {
		return w.hs.read(w.stream, p)
	}
	if len(w.in) == 0 {
		if w.eof {
			return 0, io.EOF
		}
		return 0, errNoInput
	}
	n := copy(p, w.in)
	w.in = w.in[n:]
	return n, nil
}

// Write takes everything: crypto/tls cannot go on after a short write.
func (w *wire) Write(p []byte) (int, error) {
	t := (*tlsLayer)(w)
	if t.hs == nil {
		t.store(p)
		return len(p), nil
	}
	s := t.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.state() == stateClosed || s.hasFailed() || t.hs.aborted {
		return 0, net.ErrClosed
	}
	t.store(p)
	if !s.output.waiting {
		s.flush()
		s.updateInterest()
	}
	return len(p), nil
}

// LocalAddr and RemoteAddr are for the callbacks of a configuration.
func (w *wire) LocalAddr() net.Addr {
	local, _ := w.addrs()
	return local
}

func (w *wire) RemoteAddr() net.Addr {
	_, remote := w.addrs()
	return remote
}

func (w *wire) addrs() (local, remote net.Addr) {
	s := w.stream
	if w.hs != nil { // else the stream is locked
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	if s.life.state() == stateClosed {
		return new(net.TCPAddr), new(net.TCPAddr)
	}
	return s.sysAddrs()
}

// The stream's owner closes and keeps the time.

func (w *wire) Close() error                     { return nil }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
