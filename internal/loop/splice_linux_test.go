package loop

import (
	"io"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

// spliced are two streams of a loop with what arrives at the first going to the second, and
// the clients at their other ends.
type spliced struct {
	t        *testing.T
	loop     *Loop
	from, to *conn
	in, out  net.Conn // what goes into in comes out of out
	moved    int      // bytes that were spliced
	forbid   bool     // MayMove answers no
	received int      // bytes that came by Receive
}

const splicePause = 1 << 3

func (s *spliced) MayMove() bool { return !s.forbid }
func (s *spliced) Moved(n int)   { s.moved += n }

// attach connects a client to a stream on the loop.
func (s *spliced) attach(network string, c *conn) net.Conn {
	t := s.t
	t.Helper()
	addr := "127.0.0.1:0"
	if network == "unix" {
		addr = filepath.Join(t.TempDir(), "s")
	}
	ln, target := listenOn(t, network, addr)
	defer ln.Close()
	got := connectOn(t, s.loop, target)
	if got.err != nil {
		t.Fatal(got.err)
	}
	peer, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		peer.Close()
		over := make(chan struct{}) // a loop that stops leaves its streams alone
		if s.loop.Post(func() { c.Destroy(ErrDestroyed) }) && s.loop.Post(func() { close(over) }) {
			await(t, over)
		}
	})
	peer.SetDeadline(time.Now().Add(patience))
	c.closed = make(chan error, 1)
	on(t, s.loop, func() {
		if err := s.loop.Attach(&c.Stream, got.in, (*owner)(c), time.Second); err != nil {
			t.Error(err)
		}
	})
	return peer
}

// startSplice connects both and begins.
func startSplice(t *testing.T, network string) *spliced {
	t.Helper()
	s := &spliced{t: t, loop: startLoop(t, Native), from: new(conn), to: new(conn)}
	s.from.receive = func(_ *conn, b []byte) (int, int) {
		s.received += len(b)
		s.to.send(b)
		return len(b), 0
	}
	s.to.drained = func(*conn) { s.from.Resume(splicePause) }
	s.from.drained = func(*conn) { s.to.Resume(splicePause) }
	s.in, s.out = s.attach(network, s.from), s.attach(network, s.to)
	s.begin()
	return s
}

// begin splices, unless that is so already.
func (s *spliced) begin() {
	s.t.Helper()
	on(s.t, s.loop, func() {
		if s.from.pipes().into == nil && !s.from.SpliceTo(&s.to.Stream, s, splicePause) {
			s.t.Error("not spliced")
		}
	})
}

// pass sends b through and compares.
func (s *spliced) pass(b []byte) {
	s.t.Helper()
	go s.in.Write(b)
	got := make([]byte, len(b))
	if n, err := io.ReadFull(s.out, got); err != nil {
		s.t.Fatalf("%d of %d bytes: %v", n, len(b), err)
	}
	same(s.t, got, b)
}

// pipesUsed are the pipes of the loop in use, and those that wait.
func (s *spliced) pipesUsed() (used, spare int) {
	on(s.t, s.loop, func() { used, spare = s.loop.pipes.used, len(s.loop.pipes.spare) })
	return used, spare
}

func spliceNetworks(t *testing.T, test func(t *testing.T, network string)) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) { test(t, network) })
	}
}

func TestSplice(t *testing.T) {
	spliceNetworks(t, func(t *testing.T, network string) {
		const size = 8 << 20
		one, two, three := pattern(size, 1), pattern(size, 2), pattern(size, 3)
		s := startSplice(t, network)
		s.pass(one)
		on(t, s.loop, func() {
			if s.moved != size || s.received != 0 {
				t.Errorf("%d bytes were spliced and %d received", s.moved, s.received)
			}
			if in, _, _ := s.from.Counts(); in != size {
				t.Errorf("%d bytes counted in", in)
			}
			if _, out, sends := s.to.Counts(); out != size || sends == 0 {
				t.Errorf("%d bytes counted out in %d sends", out, sends)
			}
		})
		// What the second stream sends by itself goes between, and both ways at once is fine.
		s.to.send([]byte("between"))
		got := make([]byte, 7)
		io.ReadFull(s.out, got)
		same(t, got, []byte("between"))
		s.begin()
		on(t, s.loop, func() {
			s.to.receive = func(*conn, []byte) (int, int) { t.Error("received"); return 0, 0 }
			if !s.to.SpliceTo(&s.from.Stream, s, splicePause) || s.from.SpliceTo(&s.to.Stream, s, splicePause) {
				t.Error("a second pipe in the same direction, or none back")
			}
			s.moved = 0
		})
		go s.out.Write(two)
		s.pass(three)
		got = make([]byte, size)
		if _, err := io.ReadFull(s.in, got); err != nil {
			t.Fatal(err)
		}
		same(t, got, two)
		on(t, s.loop, func() {
			if s.moved != 2*size || s.received != 0 {
				t.Errorf("%d bytes were spliced and %d received", s.moved, s.received)
			}
		})
		s.in.Close()
		if err := await(t, s.from.closed); err != nil {
			t.Errorf("closed with %v", err)
		}
		on(t, s.loop, func() { s.to.Close() })
		if b, err := io.ReadAll(s.out); len(b) != 0 || err != nil {
			t.Errorf("%d bytes, %v", len(b), err)
		}
		s.out.Close()
		await(t, s.to.closed)
		if used, spare := s.pipesUsed(); used != 0 || spare != 2 {
			t.Errorf("%d pipes in use, %d spare", used, spare)
		}
	})
}

// A slow reader pauses the source with a pipe full at most; what is in it, and what was sent
// behind it, arrives after the source has gone, in order.
func TestSpliceHoldsBack(t *testing.T) {
	spliceNetworks(t, func(t *testing.T, network string) {
		const size = 32 << 20
		first, again := pattern(size, 1), pattern(size, 2) // beforehand: a splice does not wait
		s := startSplice(t, network)
		wrote := make(chan error, 1)
		go func() {
			_, err := s.in.Write(first)
			wrote <- err
		}()
		until(t, "the source is paused", func() bool { return s.from.Paused() })
		if n := s.to.Queued(); n == 0 || n > spliceSize {
			t.Errorf("%d bytes wait", n)
		}
		got := make([]byte, size)
		if n, err := io.ReadFull(s.out, got); err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		same(t, got, first)
		if err := await(t, wrote); err != nil {
			t.Error(err)
		}
		s.begin() // it may have ended in an idle time
		go s.in.Write(again)
		until(t, "it is paused again", func() bool { return s.from.Paused() })
		var moved int
		on(t, s.loop, func() {
			moved = s.moved - size
			s.from.Destroy(ErrDestroyed)
			s.to.send([]byte("behind"))
		})
		if err := await(t, s.from.closed); err != ErrDestroyed {
			t.Errorf("closed with %v", err)
		}
		on(t, s.loop, func() { s.to.Close() })
		b, err := io.ReadAll(s.out)
		if err != nil {
			t.Fatal(err)
		}
		same(t, b, append(again[:moved:moved], "behind"...))
		s.out.Close()
		if err := await(t, s.to.closed); err != nil {
			t.Errorf("closed with %v", err)
		}
		if used, _ := s.pipesUsed(); used != 0 {
			t.Errorf("%d pipes in use", used)
		}
	})
}

// Whoever leaves first takes the pipe back, and what nobody will read is not read by the next.
func TestSpliceIsSpoiled(t *testing.T) {
	spliceNetworks(t, func(t *testing.T, network string) {
		bulk := make([]byte, 32<<20)
		for _, c := range []struct {
			what string
			end  func(*spliced)
		}{
			{"destroyed on the loop", func(s *spliced) { on(t, s.loop, func() { s.to.Destroy(ErrDestroyed) }) }},
			{"destroyed elsewhere", func(s *spliced) { s.to.Destroy(ErrDestroyed) }},
			{"closed by the peer", func(s *spliced) { s.out.Close() }},
		} {
			s := startSplice(t, network)
			go s.in.Write(bulk)
			until(t, "the source is paused", func() bool { return s.from.Paused() })
			c.end(s)
			err := await(t, s.to.closed)
			if err == nil {
				t.Errorf("%s: closed without an error", c.what)
			}
			if used, spare := s.pipesUsed(); used != 0 || spare != 0 {
				t.Errorf("%s: %d pipes in use, %d spare", c.what, used, spare)
			}
			if !s.from.Open() {
				t.Errorf("%s: the source has closed too", c.what)
			}
			on(t, s.loop, func() { s.from.Destroy(ErrDestroyed) })
			await(t, s.from.closed)
		}
	})
}

// Little data, a veto and an idle time end the splice; then everything is received as before.
func TestSpliceEnds(t *testing.T) {
	spliceNetworks(t, func(t *testing.T, network string) {
		s := startSplice(t, network)
		for i := range 2 * maxSmall {
			s.pass(pattern(100, byte(i)))
		}
		if used, spare := s.pipesUsed(); used != 0 || spare != 1 || s.moved != maxSmall*100 || s.received != maxSmall*100 {
			t.Errorf("%d pipes in use, %d spare, %d bytes spliced, %d received", used, spare, s.moved, s.received)
		}
		s.begin()
		on(t, s.loop, func() { s.forbid = true })
		s.pass(pattern(1000, 1))
		if used, spare := s.pipesUsed(); used != 0 || spare != 1 || s.moved != maxSmall*100 {
			t.Errorf("after a veto: %d pipes in use, %d spare", used, spare)
		}
		s.begin()
		on(t, s.loop, func() { s.forbid = false })
		s.pass(pattern(1000, 2))
		until(t, "it has ended by itself", func() bool {
			used, spare := s.pipesUsed()
			return used == 0 && spare == 1
		})
		on(t, s.loop, func() {
			if s.from.layers != nil || s.to.layers != nil {
				t.Error("a trace is left")
			}
		})
		s.pass(pattern(1000, 3))
	})
}

func TestSpliceIsNotPossible(t *testing.T) {
	s := startSplice(t, "tcp")
	refuse := func(what string, from, to *conn) {
		t.Helper()
		on(t, from.Loop(), func() {
			if from.SpliceTo(&to.Stream, s, splicePause) {
				t.Errorf("spliced %s", what)
			}
		})
	}
	refuse("to itself", s.to, s.to)
	other := startSplice(t, "tcp")
	refuse("to another loop", s.to, other.to)
	refuse("twice", s.from, s.to)
	portable := &spliced{t: t, loop: startLoop(t, Portable), from: new(conn), to: new(conn)}
	portable.attach("tcp", portable.from)
	portable.attach("tcp", portable.to)
	refuse("with the portable engine", portable.from, portable.to)
	on(t, s.loop, func() {
		s.loop.pipes.used += maxPipes
		if s.to.SpliceTo(&s.from.Stream, s, splicePause) {
			t.Error("spliced with more pipes than there may be")
		}
		s.loop.pipes.used -= maxPipes
		s.from.Destroy(ErrDestroyed)
	})
	await(t, s.from.closed)
	refuse("to a closed one", s.to, s.from)
}

// A reset of the source is its end, and the descriptors of all pipes are given back.
func TestSpliceLeaksNothing(t *testing.T) {
	before := testkit.OpenFiles()
	func() {
		l, err := New(Native)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- l.Run() }()
		for range maxSparePipes + 2 {
			s := &spliced{t: t, loop: l, from: new(conn), to: new(conn)}
			s.in, s.out = s.attach("tcp", s.from), s.attach("tcp", s.to)
			s.begin()
			s.pass(pattern(1<<17, 1))
			s.in.(*net.TCPConn).SetLinger(0)
			s.in.Close()
			if err := await(t, s.from.closed); err != syscall.ECONNRESET {
				t.Errorf("closed with %v", err)
			}
			s.to.Destroy(ErrDestroyed)
			await(t, s.to.closed)
			s.out.Close()
		}
		l.Stop()
		if err := await(t, done); err != nil {
			t.Error(err)
		}
	}()
	until(t, "all descriptors are closed", func() bool { return testkit.OpenFiles() <= before })
}
