package loop

import (
	"testing"
	"time"
)

func TestDeadline(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		called := make(chan int64, 10)
		rounds := 0
		s := serve(t, e, "tcp", func(c *conn) {
			c.deadline = func(c *conn, now int64) int64 {
				called <- now
				if rounds++; rounds < 3 {
					return now + 20
				}
				return 0
			}
		})
		_, stream := s.connect()
		var last int64
		on(t, s.loop, func() {
			last = s.loop.Now()
			stream.SetDeadline(last + 20)
		})
		for range 3 {
			now := await(t, called)
			if now < last+20 {
				t.Errorf("called at %d, %d ms after the last time, want 20", now, now-last)
			}
			last = now
		}
		passed(t, s.loop, 40*time.Millisecond)
		if len(called) != 0 {
			t.Error("called after it was over")
		}
	})
}

func TestDeadlineTakenBack(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		s := serve(t, e, "tcp", func(c *conn) {
			c.deadline = func(*conn, int64) int64 {
				t.Error("Deadline")
				return 0
			}
		})
		_, disarmed := s.connect()
		_, closed := s.connect()
		on(t, s.loop, func() {
			for _, stream := range []*conn{disarmed, closed} {
				stream.SetDeadline(s.loop.Now() + 15)
			}
			disarmed.SetDeadline(0)
			closed.Destroy(ErrDestroyed)
		})
		passed(t, s.loop, 30*time.Millisecond)
	})
}

// A deadline that closes the stream: Deadline is not called again.
func TestDeadlineThatCloses(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		calls := 0
		s := serve(t, e, "tcp", func(c *conn) {
			c.deadline = func(c *conn, now int64) int64 {
				calls++
				c.send([]byte("idle"))
				c.Close()
				return now + 1
			}
		})
		c, stream := s.connect()
		on(t, s.loop, func() { stream.SetDeadline(s.loop.Now() + 1) })
		c.expectEnd([]byte("idle"))
		passed(t, s.loop, 10*time.Millisecond)
		c.Close()
		if err := await(t, stream.closed); err != nil || calls != 1 {
			t.Errorf("Closed(%v) after %d calls of Deadline", err, calls)
		}
	})
}

func TestLastActive(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		s := serve(t, e, "tcp", nil)
		c, stream := s.connect()
		var opened, later, after int64
		on(t, s.loop, func() { opened = stream.LastActive() })
		passed(t, s.loop, 10*time.Millisecond)
		stream.send([]byte("out")) // sending is no activity of the peer
		on(t, s.loop, func() { later = stream.LastActive() })
		c.expect([]byte("out"))
		c.write([]byte("in"))
		c.expect([]byte("in"))
		on(t, s.loop, func() { after = stream.LastActive() })
		if later != opened || after < opened+9 {
			t.Errorf("opened at %d; last active at %d before input, at %d after it", opened, later, after)
		}
	})
}
