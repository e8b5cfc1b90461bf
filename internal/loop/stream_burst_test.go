package loop

import (
	"testing"
)

// What is sent while input is served leaves in one write.
func TestABurstLeavesInOneWrite(t *testing.T) {
	s := serve(t, Native, "tcp", func(c *conn) {
		c.receive = func(c *conn, b []byte) (int, int) {
			for range 100 {
				c.send([]byte("0123456789"))
			}
			return len(b), 0
		}
	})
	c, _ := s.connect()
	answer := make([]byte, 0, 1000)
	for range 100 {
		answer = append(answer, "0123456789"...)
	}
	for range 5 {
		before := s.loop.counters.Writes.Load()
		ctls := s.loop.counters.Ctls.Load()
		c.write([]byte("x"))
		c.expect(answer)
		on(t, s.loop, func() {})
		if n := s.loop.counters.Writes.Load() - before; n != 1 {
			t.Errorf("100 answers took %d writes", n)
		}
		if n := s.loop.counters.Ctls.Load() - ctls; n != 0 {
			t.Errorf("a burst took %d changes of interest", n)
		}
	}
}

// What functions on the loop send leaves at the end of the turn, in one write too.
func TestATurnLeavesInOneWrite(t *testing.T) {
	s := serve(t, Native, "tcp", nil)
	c, stream := s.connect()
	before := s.loop.counters.Writes.Load()
	on(t, s.loop, func() {
		for range 3 {
			s.loop.Post(func() { stream.send([]byte("abc")) })
		}
	})
	c.expect([]byte("abcabcabc"))
	if n := s.loop.counters.Writes.Load() - before; n != 1 {
		t.Errorf("3 messages of one turn took %d writes", n)
	}
}

// A long burst is written in between instead of piling up.
func TestALongBurstIsWrittenEarly(t *testing.T) {
	const count, size = 100, 8 << 10
	m := pattern(size, 1)
	s := serve(t, Native, "tcp", func(c *conn) {
		c.receive = func(c *conn, b []byte) (int, int) {
			for range count {
				c.send(m)
				if n := c.Queued(); n >= earlyFlush && !c.Waiting() {
					t.Errorf("%d bytes are collected", n)
				}
			}
			return len(b), 0
		}
	})
	c, _ := s.connect()
	c.write([]byte("x"))
	for range count {
		c.expect(m)
	}
}

// The loop's cork serves one stream after the other: nothing of a slow peer's output may
// stay in it.
func TestOutputOfASlowPeerReachesNobodyElse(t *testing.T) {
	for _, way := range []struct {
		name string
		send func(c *conn, b []byte)
	}{
		{"Write", func(c *conn, b []byte) { c.sendLarge(b) }},
		{"Append", func(c *conn, b []byte) { c.send(b) }},
		{"small then Write", func(c *conn, b []byte) {
			c.send(b[:10])
			c.sendLarge(b[10 : len(b)-10])
			c.send(b[len(b)-10:])
		}},
		{"many small", func(c *conn, b []byte) {
			for len(b) > 0 {
				n := min(len(b), 1000)
				c.send(b[:n])
				b = b[n:]
			}
		}},
		{"Write with a small rest", func(c *conn, b []byte) {
			for !c.Waiting() && len(b) > 20_000 {
				c.sendLarge(b[:20_000])
				b = b[20_000:]
			}
			c.send(b)
		}},
	} {
		t.Run(way.name, func(t *testing.T) {
			transports(t, func(t *testing.T, e Engine, network string) {
				large := pattern(8<<20, 6)
				s := serve(t, e, network, func(c *conn) {
					c.receive = func(c *conn, b []byte) (int, int) {
						if b[0] == 'L' {
							way.send(c, large)
						} else {
							c.send(b)
						}
						return len(b), 0
					}
				})
				slow, stream := s.connect()
				slow.write([]byte("L"))
				until(t, "output waits for the peer", stream.Waiting)
				on(t, s.loop, func() {})
				other, _ := s.connect()
				for _, m := range []string{"a", "bc", "def"} {
					other.write([]byte(m))
					other.expect([]byte(m))
				}
				slow.expect(large)
				slow.write([]byte("z"))
				slow.expect([]byte("z"))
			})
		})
	}
}
