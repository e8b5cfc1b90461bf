package loop

import (
	"encoding/binary"
	"io"
	"sync"
	"testing"
	"time"
)

// Streams open and close as fast as they can, so descriptors and table entries are used
// again at once. Each message names its client: none may reach another's stream.
func TestStormOfStreams(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		s := serve(t, e, network, func(c *conn) {
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
				switch id % 5 {
				case 0:
					c.Close()
				case 1:
					go c.Destroy(ErrDestroyed)
				case 2:
					c.Pause(1)
					go c.Resume(1)
				}
			})
		})
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 60 {
					stormClient(t, s, uint32(g*1000+i+1))
				}
			})
		}
		wg.Wait()
	})
}

func stormClient(t *testing.T, s *server, id uint32) {
	c := &client{Conn: s.mustDial(), t: t}
	defer c.Close()
	m := framed(append(binary.BigEndian.AppendUint32(nil, id), make([]byte, id%700)...))
	for range 3 {
		if _, err := c.Write(m); err != nil {
			return // the server closes some of the streams
		}
	}
	if id%7 == 0 && s.network == "tcp" {
		c.reset()
		return
	}
	got := make([]byte, len(m))
	if _, err := io.ReadFull(c, got); err != nil {
		if id%5 > 1 {
			t.Errorf("client %d: %v", id, err)
		}
		return
	}
	same(t, got, m)
}

// Two streams have input in the same turn, and the first destroys the second.
func TestDestroyOfAStreamWithAPendingEvent(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		s := serve(t, e, "tcp", nil)
		var streams []*conn
		var clients []*client
		for range 2 {
			c, stream := s.connect()
			streams, clients = append(streams, stream), append(clients, c)
		}
		received := make(chan int, 4)
		on(t, s.loop, func() {
			for i, stream := range streams {
				stream.receive = func(_ *conn, b []byte) (int, int) {
					received <- i
					streams[1-i].Destroy(ErrDestroyed)
					return len(b), 0
				}
			}
			for _, c := range clients {
				c.Write([]byte("x"))
			}
			for streams[0].sysUnread() == 0 || streams[1].sysUnread() == 0 { // it arrives while the loop is busy
			}
		})
		first := await(t, received)
		if err := await(t, streams[1-first].closed); err != ErrDestroyed {
			t.Errorf("Closed(%v)", err)
		}
		passed(t, s.loop, 5*time.Millisecond)
		if len(received) != 0 {
			t.Error("a destroyed stream received")
		}
	})
}
