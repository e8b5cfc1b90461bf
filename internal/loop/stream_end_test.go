package loop

import (
	"errors"
	"io"
	"syscall"
	"testing"
	"time"
)

// A peer that shuts its sending side still gets its answers, everything it sent is
// received first, and the end is told once.
func TestHalfClosedPeer(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		want := pattern(3<<20, 5)
		received := 0
		s := serve(t, e, network, func(c *conn) {
			c.receive = func(c *conn, b []byte) (int, int) {
				same(t, b, want[received:received+len(b)])
				received += len(b)
				return len(b), 0
			}
			c.end = func(c *conn) {
				if received != len(want) {
					t.Errorf("the end was told after %d of %d bytes", received, len(want))
				}
				c.loop.After(20*time.Millisecond, func() { // the answer takes its time
					c.send(want[:1000])
					c.Close()
				})
			}
		})
		c, stream := s.connect()
		c.write(want)
		c.closeWrite()
		c.expectEnd(want[:1000])
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v)", err)
		}
		if n := stream.ends.Load(); n != 1 {
			t.Errorf("EndOfInput was called %d times", n)
		}
	})
}

// The answer to a half-closed peer is delivered however slowly it reads.
func TestHalfClosedPeerThatReadsSlowly(t *testing.T) {
	want := pattern(8<<20, 5)
	transports(t, func(t *testing.T, e Engine, network string) {
		s := serve(t, e, network, func(c *conn) {
			c.receive = func(c *conn, b []byte) (int, int) { return len(b), 0 }
			c.end = func(c *conn) {
				c.sendLarge(want)
				c.Close()
			}
		})
		c, stream := s.connect()
		c.write([]byte("x"))
		c.closeWrite()
		c.readSlowly(s, want)
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v)", err)
		}
	})
}

// The end while a message is incomplete is told, with the rest still kept.
func TestEndInsideAMessage(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		kept := make(chan int, 1)
		s := serve(t, e, network, func(c *conn) {
			c.receive = frames(true, func(*conn, []byte) { t.Error("a message") })
			c.end = func(c *conn) {
				kept <- c.Unconsumed()
				c.Close()
			}
		})
		c, stream := s.connect()
		c.write([]byte{0, 0, 0, 9, 1, 2})
		c.closeWrite()
		if n := await(t, kept); n != 6 {
			t.Errorf("%d bytes are kept, want 6", n)
		}
		await(t, stream.closed)
	})
}

func TestReset(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, s *server, c *client, stream *conn){
		"of an idle stream": func(*testing.T, *server, *client, *conn) {},
		"in the middle of a message": func(t *testing.T, s *server, c *client, stream *conn) {
			on(t, s.loop, func() { stream.receive = frames(true, nil) })
			c.write([]byte{0, 1, 0, 0, 5, 6, 7})
		},
		"while output waits": func(t *testing.T, s *server, c *client, stream *conn) {
			stream.sendLarge(make([]byte, 16<<20))
		},
		"while paused": func(t *testing.T, s *server, c *client, stream *conn) {
			on(t, s.loop, func() { stream.receive = func(_ *conn, b []byte) (int, int) { return len(b), 0 } })
			stream.Pause(1)
			c.write([]byte("unread"))
		},
		"while closing": func(t *testing.T, s *server, c *client, stream *conn) {
			stream.sendLarge(make([]byte, 16<<20))
			stream.Close()
		},
		"after the end of input": func(t *testing.T, s *server, c *client, stream *conn) {
			on(t, s.loop, func() { stream.end = func(c *conn) { c.sendLarge(make([]byte, 16<<20)) } })
			c.closeWrite()
			until(t, "output waits", stream.Waiting)
		},
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, e Engine) {
				s := serve(t, e, "tcp", nil)
				c, stream := s.connect()
				prepare(t, s, c, stream)
				on(t, s.loop, func() {})
				c.reset()
				stream.Resume(1)
				if err := await(t, stream.closed); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
					t.Errorf("Closed(%v), want a reset", err)
				}
			})
		})
	}
}

// The system tells of a reset once, to whoever asks first: it is no orderly end even if a
// write learned of it.
func TestResetThatAWriteLearnsOf(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		s := serve(t, e, "tcp", nil) // echoes
		for range 50 {
			c, stream := s.connect()
			stream.Pause(1)
			c.write([]byte("unread"))
			c.reset()
			stream.Resume(1)
			if err := await(t, stream.closed); err == nil {
				t.Fatal("Closed(nil) after a reset")
			}
		}
	})
}

// Sending to a peer that is gone closes the stream from whatever goroutine sends.
func TestSendingToAGonePeer(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		s := serve(t, e, network, func(c *conn) { c.end = func(*conn) {} }) // an owner that does not close
		c, stream := s.connect()
		c.Close()
		until(t, "sends are refused", func() bool { return !stream.send([]byte("x")) })
		if err := await(t, stream.closed); err == nil {
			t.Error("Closed(nil)")
		}
	})
}

// Both sides close at the same time.
func TestBothSidesClose(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		s := serve(t, e, network, nil)
		for range 100 {
			c, stream := s.connect()
			stream.send([]byte("bye"))
			go stream.Close()
			c.closeWrite()
			if got, err := io.ReadAll(c); string(got) != "bye" || err != nil {
				t.Fatalf("read %q, %v", got, err)
			}
			if err := await(t, stream.closed); err != nil {
				t.Fatalf("Closed(%v)", err)
			}
		}
	})
}
