package loop

import (
	"fmt"
	"sync/atomic"
	"testing"
)

func TestInputByteByByte(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		var got []string
		s := serve(t, e, network, func(c *conn) {
			c.receive = frames(true, func(c *conn, b []byte) {
				got = append(got, string(b))
				c.send([]byte{byte(len(got))})
			})
		})
		c, _ := s.connect()
		want := []string{"", "a", "bc", "", "0123456789"}
		for i, m := range want {
			for _, b := range framed([]byte(m)) {
				c.write([]byte{b})
			}
			c.expect([]byte{byte(i + 1)})
		}
		on(t, s.loop, func() {
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("received %q, want %q", got, want)
			}
			if n := s.conns[0].Unconsumed(); n != 0 {
				t.Errorf("%d bytes are kept", n)
			}
		})
	})
}

// Messages of all sizes around the buffers', several in one write and cut anywhere.
func TestInputOfEverySize(t *testing.T) {
	for _, known := range []bool{true, false} {
		t.Run(fmt.Sprintf("size known %v", known), func(t *testing.T) {
			transports(t, func(t *testing.T, e Engine, network string) { testInputOfEverySize(t, e, network, known) })
		})
	}
}

func testInputOfEverySize(t *testing.T, e Engine, network string, known bool) {
	sizes := []int{0, 1, 1000, smallInput, smallInput + 1, ownRead - 1, ownRead, ownRead + 1, 40000, readBufferSize - 4,
		readBufferSize - 3, readBufferSize + 1, 7, 300_000, 3, 3, 3, 2 << 20, 5}
	var messages [][]byte
	var input []byte
	for i, size := range sizes {
		messages = append(messages, pattern(size, byte(i)))
		input = append(input, framed(messages[i])...)
	}
	for _, step := range []int{len(input), 100_003, 5000} {
		next := 0
		done := make(chan struct{})
		s := serve(t, e, network, func(c *conn) {
			c.receive = frames(known, func(c *conn, b []byte) {
				same(t, b, messages[next])
				if next++; next == len(messages) {
					close(done)
				}
			})
		})
		c, stream := s.connect()
		for rest := input; len(rest) > 0; {
			n := min(step, len(rest))
			c.write(rest[:n])
			rest = rest[n:]
		}
		await(t, done)
		on(t, s.loop, func() {
			if stream.in != nil {
				t.Error("a buffer is kept without input in it")
			}
		})
		if in, _, _ := stream.Counts(); in != uint64(len(input)) {
			t.Errorf("counted %d bytes, want %d", in, len(input))
		}
	}
}

// Of a message of known size nothing is handed over before it is complete, except what
// shares a read with its beginning.
func TestLargeMessageIsHandedOverOnce(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		var calls atomic.Int32
		done := make(chan struct{})
		want := pattern(4<<20, 9)
		cut := frames(true, func(_ *conn, b []byte) { same(t, b, want); close(done) })
		s := serve(t, e, "tcp", func(c *conn) {
			c.receive = func(c *conn, b []byte) (int, int) {
				calls.Add(1)
				return cut(c, b)
			}
		})
		c, _ := s.connect()
		c.write(framed(want))
		await(t, done)
		if n := calls.Load(); n > 4 {
			t.Errorf("Receive was called %d times for one message", n)
		}
	})
}

// A size that the peer claims is not believed before a good part of it has arrived.
func TestClaimedSizeTakesNoMemory(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		s := serve(t, e, "tcp", func(c *conn) { c.receive = frames(true, func(*conn, []byte) {}) })
		c, stream := s.connect()
		c.write([]byte{0x3f, 0xff, 0xff, 0xff})
		c.write(make([]byte, 100_000))
		until(t, "all is received", func() (ok bool) {
			on(t, s.loop, func() { ok = stream.Unconsumed() == 100_004 })
			return ok
		})
		on(t, s.loop, func() {
			if n := cap(stream.in.b); n > 1<<20 {
				t.Errorf("a buffer of %d bytes for 100004", n)
			}
		})
	})
}

// What is lent is gone after Receive: an owner that keeps nothing leaves no buffer.
func TestIdleStreamOwnsNoBuffer(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		s := serve(t, e, "tcp", nil)
		c, stream := s.connect()
		want := pattern(200_000, 4)
		go c.Write(want)
		c.expect(want)
		until(t, "the output is written", func() bool { return stream.Queued() == 0 })
		on(t, s.loop, func() {})
		stream.mu.Lock()
		defer stream.mu.Unlock()
		if stream.in != nil || stream.out != nil {
			t.Error("an idle stream holds a buffer")
		}
	})
}
