package loop

import (
	"errors"
	"io"
	"syscall"
	"testing"
	"time"
)

// readSlowly reads everything in small pieces and lets others run in between.
func (c *client) readSlowly(s *server, want []byte) {
	c.t.Helper()
	got := make([]byte, 0, len(want)+1)
	for {
		if len(got) < 512<<10 {
			passed(c.t, s.loop, 5*time.Millisecond)
		}
		if cap(got)-len(got) == 0 {
			c.t.Fatalf("more than the %d bytes that were sent", len(want))
		}
		n, err := c.Read(got[len(got):min(len(got)+32<<10, cap(got))])
		got = got[:len(got)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			c.t.Fatalf("after %d of %d bytes: %v", len(got), len(want), err)
		}
	}
	same(c.t, got, want)
}

func TestCloseDeliversEverythingToASlowReader(t *testing.T) {
	want := pattern(16<<20, 2)
	transports(t, func(t *testing.T, e Engine, network string) {
		s := serve(t, e, network, nil)
		c, stream := s.connect()
		if !stream.sendLarge(want) || !stream.Close() {
			t.Fatal("refused")
		}
		c.readSlowly(s, want)
		c.Close()
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v)", err)
		}
	})
}

// The last message and the close in the middle of a burst, with more input behind.
func TestCommitCloseInReceive(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		want := pattern(3<<20, 2)
		calls := 0
		s := serve(t, e, network, func(c *conn) {
			c.receive = func(c *conn, b []byte) (int, int) {
				if calls++; calls > 1 {
					t.Error("Receive after the close")
				}
				c.send(want[:100])
				tx, ok := c.Begin()
				if !ok {
					t.Error("closed already")
				}
				tx.Append(want[100:])
				tx.CommitClose()
				return 0, 0
			}
		})
		c, stream := s.connect()
		go c.Write(make([]byte, 100_000))
		c.expectEnd(want)
		c.Close()
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v)", err)
		}
	})
}

// A peer that sends without end must not turn the close into a reset that destroys what
// was sent.
func TestCloseWhileThePeerFloodsInput(t *testing.T) {
	want := pattern(4<<20, 2)
	transports(t, func(t *testing.T, e Engine, network string) {
		s := serve(t, e, network, func(c *conn) {
			c.receive = func(c *conn, b []byte) (int, int) {
				c.sendLarge(want)
				c.Close()
				return len(b), 0
			}
		})
		c, stream := s.connect()
		flooded := make(chan struct{})
		go func() {
			defer close(flooded)
			for b := make([]byte, 64<<10); ; {
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		}()
		c.expectEnd(want)
		c.Close()
		await(t, flooded)
		await(t, stream.closed) // with a reset or without: the peer did not wait
	})
}

// A peer that takes everything and never closes its side is left after a while.
func TestCloseLeavesAPeerThatDoesNotClose(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, e Engine, network string) {
		t.Parallel()
		s := serve(t, e, network, nil)
		c, stream := s.connect()
		c.write([]byte("x"))
		c.expect([]byte("x"))
		start := time.Now()
		stream.Close()
		c.expectEnd(nil)
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v)", err)
		}
		if took := time.Since(start); took > patience/2 {
			t.Errorf("that took %v, want about %d ms", took, endWait)
		}
	})
}

// Where nothing was sent nothing can be lost: the close is immediate.
func TestCloseOfAFreshStreamIsImmediate(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		s := serve(t, e, network, nil)
		c, stream := s.connect()
		start := time.Now()
		stream.Close()
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v)", err)
		}
		if took := time.Since(start); took >= time.Duration(endWait)*time.Millisecond {
			t.Errorf("that took %v, want less than the wait of %d ms", took, endWait)
		}
		c.expectEnd(nil)
	})
}

func TestDestroyDropsTheOutput(t *testing.T) {
	cause := errors.New("of the test")
	transports(t, func(t *testing.T, e Engine, network string) {
		s := serve(t, e, network, nil)
		c, stream := s.connect()
		stream.sendLarge(make([]byte, 16<<20))
		stream.Destroy(cause)
		stream.Destroy(errors.New("a later one"))
		if err := await(t, stream.closed); err != cause {
			t.Errorf("Closed(%v), want %v", err, cause)
		}
		if n, _ := io.Copy(io.Discard, c); n >= 16<<20 {
			t.Error("everything was delivered")
		}
	})
}

// Destroy in a burst drops what the burst has collected, and what it would still send.
func TestDestroyInReceive(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		s := serve(t, e, network, func(c *conn) {
			c.receive = func(c *conn, b []byte) (int, int) {
				c.send([]byte("before"))
				c.Destroy(ErrDestroyed)
				if c.send([]byte("behind")) {
					t.Error("a send behind Destroy was accepted")
				}
				return len(b), 0
			}
		})
		c, stream := s.connect()
		c.write([]byte("x"))
		if got, err := io.ReadAll(c); len(got) != 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("received %q, %v", got, err)
		}
		if err := await(t, stream.closed); err != ErrDestroyed {
			t.Errorf("Closed(%v), want %v", err, ErrDestroyed)
		}
	})
}

func TestDestroyOfAClosingStream(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		s := serve(t, e, "tcp", nil)
		_, stream := s.connect()
		stream.sendLarge(make([]byte, 16<<20))
		stream.Close()
		on(t, s.loop, func() {})
		stream.Destroy(ErrDestroyed)
		if err := await(t, stream.closed); err != ErrDestroyed {
			t.Errorf("Closed(%v), want %v", err, ErrDestroyed)
		}
	})
}
