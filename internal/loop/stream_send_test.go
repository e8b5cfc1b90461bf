package loop

import (
	"encoding/binary"
	"io"
	"sync"
	"testing"
	"time"
)

// Every way to send, from many goroutines and the loop at once: messages arrive whole,
// and those of one sender in their order.
func TestSendsAreNeverMixed(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		const senders, each = 8, 250
		s := serve(t, e, network, nil)
		c, stream := s.connect()
		var wg sync.WaitGroup
		for g := range senders {
			wg.Go(func() {
				for i := range each {
					size := []int{0, 5, 300, 5000, 20_000}[(i+g)%5]
					m := numberedMessage(g, i, size)
					if g < 2 {
						ran := make(chan struct{})
						s.loop.Post(func() { sendSomehow(t, stream, m, i); close(ran) })
						await(t, ran)
					} else {
						sendSomehow(t, stream, m, i)
					}
				}
			})
		}
		var next [senders]int
		for range senders * each {
			g, i := c.readNumbered()
			if next[g] != i {
				t.Fatalf("message %d of sender %d came as number %d", i, g, next[g])
			}
			next[g]++
		}
		wg.Wait()
		stream.Close()
		c.expectEnd(nil)
		if _, _, sends := stream.Counts(); sends != senders*each {
			t.Errorf("%d sends counted, want %d", sends, senders*each)
		}
	})
}

// numberedMessage holds its size, sender, number and a known filling.
func numberedMessage(sender, number, size int) []byte {
	m := binary.BigEndian.AppendUint32(nil, uint32(size))
	m = append(m, byte(sender))
	m = binary.BigEndian.AppendUint16(m, uint16(number))
	for i := range size {
		m = append(m, byte(sender*31+number+i))
	}
	return m
}

func (c *client) readNumbered() (sender, number int) {
	c.t.Helper()
	head := make([]byte, 7)
	if _, err := io.ReadFull(c, head); err != nil {
		c.t.Fatal(err)
	}
	size := int(binary.BigEndian.Uint32(head))
	sender, number = int(head[4]), int(binary.BigEndian.Uint16(head[5:]))
	if size > 20_000 {
		c.t.Fatalf("a message of %d bytes: messages are mixed", size)
	}
	c.expect(numberedMessage(sender, number, size)[7:])
	return sender, number
}

// sendSomehow sends m in one of the ways there are.
func sendSomehow(t *testing.T, c *conn, m []byte, way int) {
	tx, ok := c.Begin()
	if !ok {
		t.Error("the stream is closed")
		return
	}
	switch way % 4 {
	case 0:
		tx.Append(m)
		tx.Commit(noLimit)
	case 1:
		tx.Append(append(tx.Reserve(len(m)), m...))
		tx.Commit(noLimit)
	case 2:
		tx.Write(m[:3], m[3:len(m)-1], m[len(m)-1:])
		tx.Commit(noLimit)
	case 3:
		tx.Share(m)
		if wake, _ := tx.CommitLater(noLimit); wake {
			c.Loop().Wake()
		}
	}
}

func TestAbortSendsNothing(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		s := serve(t, e, "tcp", func(c *conn) {
			c.receive = func(c *conn, b []byte) (int, int) {
				c.abandoned()
				c.send([]byte("a"))
				c.abandoned()
				c.send([]byte("b"))
				c.abandoned()
				return len(b), 0
			}
		})
		c, stream := s.connect()
		stream.abandoned()
		stream.send([]byte("1"))
		c.write([]byte("x"))
		c.expect([]byte("1ab"))
		stream.mu.Lock()
		defer stream.mu.Unlock()
		if stream.out != nil && stream.out.size != 0 {
			t.Error("output is left")
		}
	})
}

// abandoned begins a message and thinks better of it.
func (c *conn) abandoned() {
	if tx, ok := c.Begin(); ok {
		room := tx.Reserve(100)
		copy(room[:100], "abandoned")
		tx.Abort()
	}
}

func TestBeginAfterClose(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		for name, closing := range map[string]func(c *conn){
			"Close":   func(c *conn) { c.Close() },
			"Destroy": func(c *conn) { c.Destroy(ErrDestroyed) },
			"CommitClose": func(c *conn) {
				tx, _ := c.Begin()
				tx.CommitClose()
			},
		} {
			s := serve(t, e, "tcp", nil)
			_, stream := s.connect()
			closing(stream)
			if stream.send([]byte("late")) || stream.Open() {
				t.Errorf("%s: a send was accepted behind it", name)
			}
			if stream.Close() {
				t.Errorf("%s: another Close says that it was the first", name)
			}
			stream.Destroy(ErrDestroyed)
			await(t, stream.closed)
			if stream.send([]byte("late")) || stream.Close() || stream.Queued() != 0 {
				t.Errorf("%s: a closed stream takes sends", name)
			}
			stream.Destroy(ErrDestroyed)
			stream.NeedAttention(1)
			stream.Pause(1)
			stream.Resume(1)
			on(t, s.loop, func() {})
		}
	})
}

// Queued and Commit tell how much waits for a peer that does not read; Drained follows
// once when it has read.
func TestQueueOfASlowPeer(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		drained := make(chan struct{}, 10)
		s := serve(t, e, network, func(c *conn) { c.drained = func(*conn) { drained <- struct{}{} } })
		c, stream := s.connect()
		m := pattern(1<<20, 3)
		const count, limit = 32, 16 << 20 // the kernel has no room for half of it
		on(t, s.loop, func() {
			for range count {
				tx, ok := stream.Begin()
				if !ok {
					t.Error("Begin refused to send")
					return
				}
				if got, want := tx.Queued(), stream.outSize(); got != want {
					t.Errorf("got %d bytes queued in the transaction, want %d", got, want)
				}
				tx.Append(m)
				full := tx.Commit(limit)
				if n := stream.Queued(); full != (n >= limit) {
					t.Errorf("Commit = %v with %d bytes queued", full, n)
				}
			}
		})
		passed(t, s.loop, 10*time.Millisecond)
		if n := stream.Queued(); n < limit || !stream.Waiting() || len(drained) != 0 {
			t.Errorf("%d bytes queued, waiting %v, %d times Drained", n, stream.Waiting(), len(drained))
		}
		for range count {
			c.expect(m)
		}
		await(t, drained)
		on(t, s.loop, func() {})
		if len(drained) != 0 || stream.Queued() != 0 || stream.Waiting() {
			t.Errorf("%d more Drained, %d bytes queued, waiting %v", len(drained), stream.Queued(), stream.Waiting())
		}
	})
}

// outSize is what is queued, inside a transaction.
func (c *conn) outSize() int {
	if c.out == nil {
		return 0
	}
	return c.out.size
}

// Bits for the owner come together, once, and never in the middle of Receive.
func TestAttention(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		seen := make(chan uint32, 10)
		s := serve(t, e, "tcp", func(c *conn) {
			c.notice = func(_ *conn, bits uint32) { seen <- bits }
			c.receive = func(c *conn, b []byte) (int, int) {
				c.NeedAttention(8)
				if bits := c.TakeAttention(); bits != 8 {
					t.Errorf("TakeAttention = %d, want 8", bits)
				}
				c.NeedAttention(1)
				c.NeedAttention(4)
				if len(seen) != 0 {
					t.Error("Attention was called in the middle of Receive")
				}
				return len(b), 0
			}
		})
		c, stream := s.connect()
		stream.NeedAttention(2)
		if bits := await(t, seen); bits != 2 {
			t.Errorf("bits %d, want 2", bits)
		}
		for range 3 {
			c.write([]byte("x"))
			if bits := await(t, seen); bits != 5 {
				t.Errorf("bits %d, want 5", bits)
			}
		}
		on(t, s.loop, func() {})
		if len(seen) != 0 || stream.TakeAttention() != 0 {
			t.Error("Attention once more")
		}
	})
}
