package loop

import (
	"bytes"
	"crypto/tls"
	"io"
	"os"
	"slices"
	"syscall"
	"testing"
)

// movedFor is the reason to pause of adopted streams in these tests.
const movedFor = 1 << 30

// detach takes the stream off its loop.
func (c *conn) detach(t *testing.T) (d Detached) {
	t.Helper()
	on(t, c.Loop(), func() {
		var ok bool
		if d, ok = c.Detach(); !ok {
			t.Error("not detached")
		}
		d.Input = bytes.Clone(d.Input)
		d.Output = [][]byte{bytes.Join(d.Output, nil)}
	})
	return d
}

// adopt goes on with a detached stream on another loop, as another process would: with a
// descriptor of its own.
func adopt(t *testing.T, l *Loop, d Detached, setup func(c *conn)) *conn {
	t.Helper()
	fd, err := syscall.Dup(d.FD)
	if err != nil {
		t.Fatal(err)
	}
	d.FD = fd
	c := &conn{closed: make(chan error, 1)}
	if setup != nil {
		setup(c)
	}
	on(t, l, func() { l.Adopt(&c.Stream, d, (*owner)(c), patience, movedFor) })
	t.Cleanup(func() {
		c.Destroy(ErrDestroyed)
		until(t, "the adopted stream is closed", func() bool { return c.closes.Load() == 1 })
	})
	return c
}

// leave gives the stream up in the old process.
func (c *conn) leave(t *testing.T) {
	t.Helper()
	on(t, c.Loop(), c.Release)
	if c.closes.Load() != 0 {
		t.Error("Closed was called")
	}
	c.closes.Store(1) // for the server's check
}

// both runs a test over TCP and over Unix sockets.
func both(t *testing.T, test func(t *testing.T, network string)) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) { test(t, network) })
	}
}

func TestDetach(t *testing.T) {
	both(t, func(t *testing.T, network string) {
		lines := func(c *conn) { // answers lines, and keeps the beginning of one
			c.receive = func(c *conn, b []byte) (used, want int) {
				n := bytes.LastIndexByte(b, '\n') + 1
				if n > 0 {
					c.send(b[:n])
				}
				return n, 0
			}
		}
		s := serve(t, Native, network, lines)
		client, c := s.connect()
		client.write([]byte("one\ntw"))
		if got := client.read(4); got != "one\n" {
			t.Fatalf("%q", got)
		}
		until(t, "the rest is kept", func() (kept bool) {
			on(t, s.loop, func() { kept = c.Unconsumed() == 2 })
			return kept
		})
		d := c.detach(t)
		if string(d.Input) != "tw" || d.BytesIn != 6 || d.BytesOut != 4 || d.Sends != 1 {
			t.Errorf("%+v", d)
		}
		if c.send([]byte("late")) {
			t.Error("a detached stream takes output")
		}
		client.write([]byte("o\n")) // to nobody
		other := startLoop(t, Native)
		moved := adopt(t, other, d, lines)
		c.leave(t)
		if s.loop.Streams() != 0 || other.Streams() != 1 {
			t.Errorf("%d and %d streams", s.loop.Streams(), other.Streams())
		}
		moved.Continue(movedFor)
		if got := client.read(4); got != "two\n" {
			t.Errorf("%q", got)
		}
		if in, out, sends := moved.Counts(); in != 8 || out != 8 || sends != 2 {
			t.Errorf("%d bytes in, %d out, %d sends", in, out, sends)
		}
	})
}

// Whatever waits for a slow peer leaves from the new loop.
func TestDetachWithOutput(t *testing.T) {
	both(t, func(t *testing.T, network string) {
		s := serve(t, Native, network, nil)
		client, c := s.connect()
		var sent []byte
		for i := range 40 {
			piece := bytes.Repeat([]byte{byte(i)}, 200<<10)
			sent = append(sent, piece...)
			c.send(piece)
		}
		if c.Queued() == 0 {
			t.Fatal("the system took everything")
		}
		d := c.detach(t)
		drained := make(chan struct{})
		moved := adopt(t, startLoop(t, Native), d, func(c *conn) { c.drained = func(*conn) { close(drained) } })
		c.leave(t)
		moved.send([]byte("end"))
		moved.Continue(movedFor)
		if got := client.read(len(sent) + 3); got != string(sent)+"end" {
			t.Error("the output is another one")
		}
		await(t, drained)
	})
}

// What is there for a stream is delivered even if its peer says nothing any more, and the peer's
// end is heard again.
func TestAdoptDelivers(t *testing.T) {
	both(t, func(t *testing.T, network string) {
		s := serve(t, Native, network, func(c *conn) {
			c.receive = func(*conn, []byte) (used, want int) { return 0, 0 }
			c.end = func(*conn) {}
		})
		client, c := s.connect()
		client.write([]byte("hello"))
		client.closeWrite()
		until(t, "the end is known", func() bool { return c.ends.Load() == 1 })
		d := c.detach(t)
		moved := adopt(t, startLoop(t, Native), d, nil)
		c.leave(t)
		on(t, moved.Loop(), func() {})
		if moved.ends.Load() != 0 || moved.Queued() != 0 {
			t.Error("it did not wait for Continue")
		}
		moved.Continue(movedFor)
		if rest, err := io.ReadAll(client); string(rest) != "hello" || err != nil {
			t.Errorf("%q, %v", rest, err)
		}
	})
}

// A stream that comes back has missed nothing.
func TestReattach(t *testing.T) {
	both(t, func(t *testing.T, network string) {
		s := serve(t, Native, network, nil)
		client, c := s.connect()
		for range 3 {
			c.detach(t)
			client.write([]byte("while it was away"))
			on(t, s.loop, c.Reattach)
			if got := client.read(17); got != "while it was away" {
				t.Errorf("%q", got)
			}
		}
		c.Pause(1)
		c.detach(t)
		client.write([]byte("paused"))
		on(t, s.loop, c.Reattach)
		on(t, s.loop, func() {})
		if in, _, _ := c.Counts(); in != 3*17 {
			t.Error("it reads although it is paused")
		}
		c.Resume(1)
		if got := client.read(6); got != "paused" {
			t.Errorf("%q", got)
		}
	})
}

// A close that is asked for on the way follows when the stream comes back.
func TestReattachCloses(t *testing.T) {
	for _, end := range []func(c *conn){
		func(c *conn) { c.Close() },
		func(c *conn) { c.Destroy(ErrDestroyed) },
		func(c *conn) { c.Close(); c.Destroy(ErrDestroyed) },
	} {
		s := serve(t, Native, "tcp", nil)
		client, c := s.connect()
		c.detach(t)
		end(c)
		if c.Close() {
			t.Error("Close started something")
		}
		on(t, s.loop, func() {})
		if c.closes.Load() != 0 {
			t.Error("it closed on the way")
		}
		on(t, s.loop, c.Reattach)
		if rest, err := io.ReadAll(client); err != nil || len(rest) > 0 {
			t.Errorf("%q, %v", rest, err)
		}
		client.Close()
		await(t, c.closed)
	}
}

func TestDetachRefuses(t *testing.T) {
	refused := func(t *testing.T, c *conn) {
		t.Helper()
		on(t, c.Loop(), func() {
			if c.Detachable() {
				t.Error("Detachable")
			}
			if _, ok := c.Detach(); ok {
				t.Error("detached")
			}
		})
	}
	t.Run("portable", func(t *testing.T) {
		_, c := serve(t, Portable, "tcp", nil).connect()
		refused(t, c)
	})
	t.Run("TLS", func(t *testing.T) {
		_, c := serve(t, Native, "tcp", nil).connect()
		on(t, c.Loop(), func() { c.StartTLS(new(tls.Config), Server) })
		refused(t, c)
	})
	t.Run("file", func(t *testing.T) {
		f, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		f.Truncate(64 << 20)
		_, c := serve(t, Native, "tcp", nil).connect()
		tx, _ := c.Begin()
		tx.SendFile(f, 0, 64<<20)
		tx.Commit(noLimit)
		refused(t, c)
	})
	t.Run("closing", func(t *testing.T) {
		client, c := serve(t, Native, "tcp", nil).connect()
		client.write([]byte("x"))
		client.read(1)
		c.Close()
		refused(t, c)
	})
	t.Run("failed", func(t *testing.T) {
		_, c := serve(t, Native, "tcp", nil).connect()
		on(t, c.Loop(), func() {
			c.Destroy(ErrDestroyed)
			if _, ok := c.Detach(); ok {
				t.Error("detached")
			}
		})
	})
	t.Run("burst", func(t *testing.T) {
		asked := make(chan bool, 1)
		client, _ := serve(t, Native, "tcp", func(c *conn) {
			c.receive = func(c *conn, b []byte) (used, want int) {
				_, ok := c.Detach()
				asked <- ok
				return len(b), 0
			}
		}).connect()
		client.write([]byte("x"))
		if await(t, asked) {
			t.Error("detached")
		}
	})
}

// A broken connection is noticed by whoever has it in the end.
func TestAdoptBroken(t *testing.T) {
	s := serve(t, Native, "tcp", nil)
	client, c := s.connect()
	d := c.detach(t)
	client.reset()
	moved := adopt(t, startLoop(t, Native), d, nil)
	c.leave(t)
	moved.Continue(movedFor)
	if err := await(t, moved.closed); err != syscall.ECONNRESET {
		t.Errorf("%v", err)
	}
	moved.closed <- nil
}

// The time of the last input goes along, also if that was before the loop began.
func TestAdoptKeepsTime(t *testing.T) {
	s := serve(t, Native, "tcp", nil)
	_, c := s.connect()
	d := c.detach(t)
	d.Idle = 1 << 40
	l := startLoop(t, Native)
	moved := adopt(t, l, d, nil)
	c.leave(t)
	on(t, l, func() {
		if idle := l.Now() - moved.LastActive(); idle < 1<<40 {
			t.Errorf("idle for %d ms", idle)
		}
	})
	if !slices.Equal(d.Output[0], nil) || moved.Waiting() {
		t.Error("something waits")
	}
}

// read reads n bytes.
func (c *client) read(n int) string {
	c.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(c, b); err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}
