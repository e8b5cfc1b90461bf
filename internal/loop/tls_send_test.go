package loop

import (
	"io"
	"runtime"
	"sync"
	"testing"
)

func TestTLSSendFile(t *testing.T) {
	content := pattern(3<<20, 1)
	path := fileOf(t, content)
	securities(t, func(t *testing.T, k security) {
		own, peer := k.configs()
		s := serveTLS(t, k.engine, k.role, own, nil)
		c, stream := s.secure(k, peer)
		var want []byte
		for i, size := range []int{0, 1, 4 << 10, 64 << 10, 3<<20 - 5} {
			head := numbered(i, 10*i)
			stream.sendFile(head, openFile(t, path), 5, int64(size))
			stream.send([]byte("behind"))
			want = append(append(append(want, head...), content[5:5+size]...), "behind"...)
		}
		stream.Close()
		c.expectEnd(want)
	})
}

// What was sent during the handshake waits for its end.
func TestTLSSendDuringTheHandshake(t *testing.T) {
	securities(t, func(t *testing.T, k security) {
		own, peer := k.configs()
		early := pattern(200_000, 1)
		s := serveTLS(t, k.engine, k.role, own, func(c *conn) {
			c.secured = func(c *conn, err error) { c.send([]byte("secured")) }
		})
		raw, stream := s.connect()
		shared := []byte("shared")
		tx, _ := stream.Begin()
		tx.Share(shared)
		tx.Commit(noLimit)
		stream.send(early[:10])
		stream.sendLarge(early[10:])
		c := &client{k.over(raw.Conn, peer), t}
		c.expect(append(append(shared, early...), "secured"...))
	})
}

// A burst is encrypted and leaves in one write; a message needs one read.
func TestTLSBurstLeavesInOneWrite(t *testing.T) {
	s := serveTLS(t, Native, Server, serverConfig(), func(c *conn) {
		c.receive = func(c *conn, b []byte) (int, int) {
			for range 100 {
				c.send([]byte("0123456789"))
				tx, _ := c.Begin()
				tx.Share([]byte("shared"))
				tx.Commit(noLimit)
			}
			return len(b), 0
		}
	})
	c, _ := s.secure(security{}, clientConfig())
	c.write([]byte("x"))
	answer := make([]byte, 1600)
	io.ReadFull(c, answer)
	for range 5 {
		on(t, s.loop, func() {})
		writes, ctls := s.loop.counters.Writes.Load(), s.loop.counters.Ctls.Load()
		var reads, readsAfter uint64
		on(t, s.loop, func() { reads = s.loop.counters.Reads })
		c.write([]byte("x"))
		c.expect(answer)
		on(t, s.loop, func() { readsAfter = s.loop.counters.Reads })
		if n := s.loop.counters.Writes.Load() - writes; n != 1 {
			t.Errorf("%d writes", n)
		}
		if n := readsAfter - reads; n != 1 {
			t.Errorf("%d reads", n)
		}
		if n := s.loop.counters.Ctls.Load() - ctls; n != 0 {
			t.Errorf("%d changes of interest", n)
		}
	}
}

// What waits for a slow peer waits in clear but for one batch, and an idle stream holds
// nothing.
func TestTLSMemoryOfOutput(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		s := serveTLS(t, e, Server, serverConfig(), nil)
		c, stream := s.secure(security{engine: e}, clientConfig())
		m := pattern(12<<20, 1)
		for rest := m; len(rest) > 0; rest = rest[1<<20:] {
			stream.send(rest[:1<<20])
		}
		until(t, "the peer is slow", stream.Waiting)
		stream.mu.Lock()
		if n := stream.tls().sealed(); n > sealedSize {
			t.Errorf("%d bytes are encrypted", n)
		}
		stream.mu.Unlock()
		c.expect(m)
		c.write([]byte("x"))
		c.expect([]byte("x"))
		until(t, "all is written", func() bool { return stream.Queued() == 0 })
		on(t, s.loop, func() {
			stream.mu.Lock()
			defer stream.mu.Unlock()
			if l := stream.tls(); l.out != nil || l.in != nil || stream.out != nil || stream.in != nil {
				t.Errorf("an idle stream holds %v, %v, %v, %v", l.out, l.in, stream.out, stream.in)
			}
		})
	})
}

// A message needs no more memory than crypto/tls takes for itself: two small objects for
// each record that is read.
func TestTLSAllocations(t *testing.T) {
	if racing {
		t.Skip("the race detector makes pools drop")
	}
	s := serveTLS(t, Native, Server, serverConfig(), nil)
	c, _ := s.secure(security{}, clientConfig())
	const messages = 5000
	for _, size := range []int{64, 8000} {
		m, answer := pattern(size, 1), make([]byte, size)
		exchange := func(n int) {
			for range n {
				c.Write(m)
				io.ReadFull(c, answer)
			}
		}
		exchange(messages / 10)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		exchange(messages)
		runtime.ReadMemStats(&after)
		per := float64(after.Mallocs-before.Mallocs) / messages
		t.Logf("%d bytes: %.2f allocations in both sides of crypto/tls", size, per)
		if records := float64(size/1100 + 1); per > 4*records+0.1 {
			t.Errorf("%d bytes: %.2f allocations", size, per)
		}
	}
}

// Many goroutines send in every way, while the loop receives.
func TestTLSStorm(t *testing.T) {
	securities(t, func(t *testing.T, k security) {
		own, peer := k.configs()
		const senders, each = 8, 100
		received := make(chan int, 1)
		total := 0
		input := pattern(1<<20, 1)
		s := serveTLS(t, k.engine, k.role, own, func(c *conn) {
			c.receive = func(c *conn, b []byte) (int, int) {
				if total += len(b); total == len(input) {
					received <- total
				}
				return len(b), 0
			}
		})
		c, stream := s.secure(k, peer)
		var all sync.WaitGroup
		for i := range senders {
			all.Go(func() {
				for j := range each {
					sendSomehow(t, stream, numberedMessage(i, j, 1+j*97%9000), i+j)
				}
			})
		}
		all.Go(func() { c.Write(input) })
		var next [senders]int
		for range senders * each {
			i, j := c.readNumbered()
			if j != next[i] {
				t.Fatalf("sender %d: message %d, want %d", i, j, next[i])
			}
			next[i]++
		}
		all.Wait()
		await(t, received)
	})
}
