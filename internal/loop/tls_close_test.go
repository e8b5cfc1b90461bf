package loop

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// recorder notes the types of the records that it reads.
type recorder struct {
	net.Conn
	mu    sync.Mutex
	b     []byte
	types []byte
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.b = append(r.b, p[:n]...)
	for len(r.b) >= 5 {
		size := 5 + int(r.b[3])<<8 + int(r.b[4])
		if len(r.b) < size {
			break
		}
		r.types = append(r.types, r.b[0])
		r.b = r.b[size:]
	}
	return n, err
}

// last is the type of the last record: 21 is an alert, 23 are data.
func (r *recorder) last() byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.types[len(r.types)-1]
}

// Close sends everything, then close_notify, then the end of the stream, whatever the
// peer's pace. Destroy sends nothing more: the peer can tell.
func TestTLSClose(t *testing.T) {
	m := pattern(6<<20, 1)
	securities(t, func(t *testing.T, k security) {
		k.version = tls.VersionTLS12 // 1.3 hides what is an alert
		own, peer := k.configs()
		s := serveTLS(t, k.engine, k.role, own, nil)
		raw, stream := s.connect()
		watched := &recorder{Conn: raw.Conn}
		c := &client{k.over(watched, peer), t}
		c.write([]byte("x"))
		c.expect([]byte("x"))
		stream.send(m[:100])
		stream.sendLarge(m[100:])
		stream.Close()
		until(t, "the peer is slow", func() bool { return stream.Queued() > 0 })
		c.expectEnd(m)
		if got := watched.last(); got != 21 {
			t.Errorf("the last record is of type %d", got)
		}
		c.Close()
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v)", err)
		}

		raw, stream = s.connect()
		watched = &recorder{Conn: raw.Conn}
		c = &client{k.over(watched, peer), t}
		c.write([]byte("x"))
		c.expect([]byte("x"))
		stream.send([]byte("abc"))
		c.expect([]byte("abc"))
		stream.Destroy(ErrDestroyed)
		io.ReadAll(c)
		if got := watched.last(); got != 23 {
			t.Errorf("after Destroy the last record is of type %d", got)
		}
	})
}

// An end without close_notify is taken for one, an end within a record is not.
func TestTLSEndOfInputWithoutNotice(t *testing.T) {
	securities(t, func(t *testing.T, k security) {
		own, peer := k.configs()
		s := serveTLS(t, k.engine, k.role, own, nil)
		for _, part := range []string{"", "\x17\x03", "\x17\x03\x03\x00\x20abc"} {
			c, stream := s.secure(k, peer)
			c.write([]byte("x"))
			c.expect([]byte("x"))
			raw := c.Conn.(*tls.Conn).NetConn().(*net.TCPConn)
			raw.Write([]byte(part))
			raw.CloseWrite()
			err := await(t, stream.closed)
			if part == "" && err != nil || part != "" && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%q: Closed(%v)", part, err)
			}
		}
	})
}

// A record that nobody encrypted ends the stream, and the peer is told.
func TestTLSForgedRecord(t *testing.T) {
	securities(t, func(t *testing.T, k security) {
		own, peer := k.configs()
		s := serveTLS(t, k.engine, k.role, own, nil)
		c, stream := s.secure(k, peer)
		c.write([]byte("x"))
		c.expect([]byte("x"))
		c.Conn.(*tls.Conn).NetConn().Write([]byte("\x17\x03\x03\x00\x20abcdefghijklmnopqrstuvwxyz012345"))
		if _, err := io.ReadAll(c); err == nil {
			t.Error("the peer sees an orderly end")
		} else if op := new(net.OpError); !errors.As(err, &op) || op.Op != "remote error" {
			t.Errorf("the peer sees %v", err)
		}
		c.Close()
		if err := await(t, stream.closed); err == nil {
			t.Error("Closed(nil)")
		}
	})
}
