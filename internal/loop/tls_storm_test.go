package loop

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"sync"
	"testing"
	"time"
)

// Encrypted streams open, send, pause and end in every way as fast as they can, in the middle
// of their handshakes too. Each message names its client: none may reach another's stream.
func TestTLSStormOfStreams(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		s := serveTLS(t, e, Server, serverConfig(), func(c *conn) {
			first := uint32(0)
			c.receive = frames(true, func(c *conn, b []byte) {
				id := binary.BigEndian.Uint32(b)
				if first == 0 {
					first = id
				}
				if id != first {
					t.Errorf("a message of client %d on the stream of client %d", id, first)
				}
				c.send(framed(b))
				switch id % 7 {
				case 0:
					c.Close()
				case 1:
					go c.Destroy(ErrDestroyed)
				case 2, 3:
					c.Pause(1)
					go c.Resume(1)
				}
			})
		})
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				for i := range 25 {
					secureStormClient(t, s, uint32(g*1000+i+1))
				}
			})
		}
		all.Wait()
	})
}

func secureStormClient(t *testing.T, s *server, id uint32) {
	raw := s.mustDial()
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(patience))
	if id%9 == 0 { // leaves in the middle
		raw.Write([]byte{22, 3, 1, 2, 0, 1}[:1+id%6])
		return
	}
	c := tls.Client(raw, clientConfig())
	m := framed(append(binary.BigEndian.AppendUint32(nil, id), pattern(int(id%7)*4000, 1)...))
	for range 3 {
		if _, err := c.Write(m); err != nil {
			return // the server closes some of the streams
		}
	}
	got := make([]byte, len(m))
	for range 3 {
		n, err := io.ReadFull(c, got)
		if n > 8 && binary.BigEndian.Uint32(got[4:]) != id {
			t.Errorf("client %d got a message of client %d", id, binary.BigEndian.Uint32(got[4:]))
		}
		if err != nil {
			if id%7 > 1 {
				t.Errorf("client %d: %v", id, err)
			}
			return
		}
	}
}
