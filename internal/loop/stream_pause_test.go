package loop

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// counted receives messages that are numbers counting up, and checks them.
type counted struct {
	t    *testing.T
	next atomic.Int32
}

func (n *counted) message(b []byte) int32 {
	i := n.next.Load()
	if len(b) != 4 || int32(b[0])|int32(b[1])<<8|int32(b[2])<<16 != i {
		n.t.Errorf("message %d is % x", i, b)
	}
	n.next.Store(i + 1)
	return i
}

func numbers(from, to int) (b []byte) {
	for i := from; i < to; i++ {
		b = append(b, framed([]byte{byte(i), byte(i >> 8), byte(i >> 16), 0})...)
	}
	return b
}

// An owner that pauses in every message gets the rest later, in order.
func TestPauseInReceive(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		const count = 2000
		n := &counted{t: t}
		done := make(chan struct{})
		s := serve(t, e, network, func(c *conn) {
			c.receive = frames(true, func(c *conn, b []byte) {
				i := n.message(b)
				c.Pause(1)
				switch {
				case i == count-1:
					close(done)
				case i%3 == 0:
					c.Resume(1) // at once
				case i%3 == 1:
					c.loop.Post(func() { c.Resume(1) })
				default:
					go c.Resume(1)
				}
			})
		})
		c, _ := s.connect()
		c.write(numbers(0, count))
		await(t, done)
	})
}

func TestNothingIsReceivedWhilePaused(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		n := &counted{t: t}
		s := serve(t, e, network, func(c *conn) {
			c.receive = frames(true, func(c *conn, b []byte) {
				if n.message(b) == 4 {
					c.Pause(1)
					c.Pause(2)
				}
			})
		})
		c, stream := s.connect()
		c.write(numbers(0, 10))
		until(t, "five messages arrived", func() bool { return n.next.Load() == 5 })
		c.write(numbers(10, 20))
		passed(t, s.loop, 20*time.Millisecond)
		if got := n.next.Load(); got != 5 || !stream.Paused() {
			t.Fatalf("%d messages although paused after 5", got)
		}
		stream.Resume(1)
		passed(t, s.loop, 20*time.Millisecond)
		if got := n.next.Load(); got != 5 || !stream.Paused() {
			t.Fatalf("%d messages although a reason to pause is left", got)
		}
		stream.Resume(2)
		until(t, "all messages arrived", func() bool { return n.next.Load() == 20 })
	})
}

// Pause and Resume from elsewhere at any moment lose and reorder nothing.
func TestPauseFromAnotherGoroutine(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		const count = 20_000
		n := &counted{t: t}
		done := make(chan struct{})
		s := serve(t, e, network, func(c *conn) {
			c.receive = frames(true, func(c *conn, b []byte) {
				if n.message(b) == count-1 {
					close(done)
				}
			})
		})
		c, stream := s.connect()
		go c.Write(numbers(0, count))
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for range 5000 {
					stream.Pause(4)
					runtime.Gosched()
					stream.Resume(4)
					runtime.Gosched()
				}
			})
		}
		wg.Wait()
		await(t, done)
	})
}

// A peer that sends and closes while it is not read loses nothing.
func TestPeerClosesWhilePaused(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		n := &counted{t: t}
		s := serve(t, e, network, func(c *conn) {
			c.receive = frames(true, func(c *conn, b []byte) {
				if n.message(b) == 0 {
					c.Pause(1)
				}
			})
		})
		c, stream := s.connect()
		c.write(numbers(0, 1))
		until(t, "the stream is paused", stream.Paused)
		c.write(numbers(1, 5000))
		c.Close()
		passed(t, s.loop, 20*time.Millisecond)
		if stream.ends.Load() != 0 || stream.closes.Load() != 0 {
			t.Error("a paused stream noticed the end in front of the messages")
		}
		stream.Resume(1)
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v)", err)
		}
		if got := n.next.Load(); got != 5000 || stream.ends.Load() != 1 {
			t.Errorf("%d of 5000 messages, EndOfInput %d times", got, stream.ends.Load())
		}
	})
}

// A hang-up is reported again and again; a peer that is gone must not keep the loop
// busy while its stream is paused.
func TestPausedStreamOfAGonePeerLetsTheLoopSleep(t *testing.T) {
	s := serve(t, Native, "unix", func(c *conn) { c.Pause(1) })
	c, stream := s.connect()
	c.write([]byte("x"))
	c.Close()
	passed(t, s.loop, 10*time.Millisecond)
	var before, after uint64
	on(t, s.loop, func() { before = s.loop.counters.Waits })
	passed(t, s.loop, 30*time.Millisecond)
	on(t, s.loop, func() { after = s.loop.counters.Waits })
	if after-before > 20 {
		t.Errorf("the loop woke up %d times in 30 ms", after-before)
	}
	stream.Resume(1)
	await(t, stream.closed)
}

// Closing a paused stream works without Resume.
func TestCloseWhilePaused(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		s := serve(t, e, network, nil)
		c, stream := s.connect()
		stream.Pause(1)
		c.write(make([]byte, 100_000))
		want := pattern(3<<20, 8)
		stream.sendLarge(want)
		stream.Close()
		c.expectEnd(want)
		c.Close()
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v)", err)
		}
	})
}
