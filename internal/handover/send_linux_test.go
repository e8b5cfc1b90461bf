package handover

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

// move has everything moved from a process to another.
func move(t *testing.T, from *fakeSource, to *successor, deadline time.Time) (moved, left int) {
	t.Helper()
	a, b := newLink(t)
	received := make(chan error, 1)
	go func() { received <- Receive(b, slog.New(slog.DiscardHandler), to.restore) }()
	if err := Send(a, from, deadline, func(m, l int) { moved, left = m, l }); err != nil {
		t.Errorf("Send: got %v, want no error", err)
	}
	if err := testkit.Receive(t, received, "Receive returns"); err != nil {
		t.Errorf("Receive: got %v, want no error", err)
	}
	if from.settled != 1 {
		t.Errorf("Settle was called %d times, want 1", from.settled)
	}
	from.endLoops()
	return moved, left
}

func TestSend(t *testing.T) {
	const never = 3
	taken, refused, stays := newConn(t, 1), newConn(t, 2), newConn(t, never, MovesNever)
	from, to := sourceOf(t, taken, refused, stays), &successor{refuse: 2}
	moved, left := move(t, from, to, time.Now().Add(testkit.Patience))
	if got := to.ids(); !slices.Equal(got, []uint64{1}) {
		t.Errorf("adopted: got %v, want [1]", got)
	}
	if moved != 1 || left != 0 {
		t.Errorf("progress: got %d moved, %d left, want 1 and 0", moved, left)
	}
	for _, c := range []struct {
		conn                           *fakeConn
		detached, reattached, released int
	}{{taken, 1, 0, 1}, {refused, 1, 1, 0}, {stays, 0, 0, 0}} {
		got := [3]int{c.conn.detached, c.conn.reattached, int(c.conn.released.Load())}
		if want := [3]int{c.detached, c.reattached, c.released}; got != want {
			t.Errorf("connection %d: detached, reattached, released: got %v, want %v", c.conn.state.ID, got, want)
		}
	}
}

// A connection that is busy is asked again, also after others have moved; one that was refused
// is not.
func TestSendAsksAgain(t *testing.T) {
	busy := newConn(t, 1, MovesLater, MovesLater, MovesNow)
	refused := newConn(t, 2)
	from, to := sourceOf(t, busy, refused, newConn(t, 3)), &successor{refuse: 2}
	if moved, left := move(t, from, to, time.Now().Add(testkit.Patience)); moved != 2 || left != 0 {
		t.Errorf("got %d moved, %d left, want 2 and 0", moved, left)
	}
	if from.rounds != 3 || refused.detached != 1 {
		t.Errorf("got %d rounds, a refused one is detached %d times, want 3 and 1", from.rounds, refused.detached)
	}
}

func TestSendGivesUpOnBusyOnes(t *testing.T) {
	for name, c := range map[string]struct {
		deadline time.Duration
		stopping bool
	}{"deadline": {0, false}, "stop": {testkit.Patience, true}} {
		from := sourceOf(t, newConn(t, 1, MovesLater))
		from.stopping = c.stopping
		move(t, from, new(successor), time.Now().Add(c.deadline))
		if from.rounds != 1 {
			t.Errorf("%s: got %d rounds, want 1", name, from.rounds)
		}
	}
}

// More connections, or more bytes, than an offer holds go in several.
func TestSendInBatches(t *testing.T) {
	socket := newConn(t, 0).socket
	for name, c := range map[string]struct{ count, padding, batches int }{
		"many":  {2*maxOffer + 1, 0, 3},
		"large": {5, offerBytes/2 + 1, 3},
		"none":  {0, 0, 0},
	} {
		conns := make([]*fakeConn, c.count)
		for i := range conns {
			conns[i] = &fakeConn{t: t, state: State{ID: uint64(i)}, socket: socket, padding: c.padding}
		}
		a, b := newLink(t)
		batches := make(chan int, 1)
		go func() {
			n := 0
			for {
				fds, states, err := readOffer(b)
				closeAll(fds)
				if err != nil {
					batches <- n
					return
				}
				b.Write(append([]byte{linkAnswer}, make([]byte, len(states))...))
				n++
			}
		}()
		from := sourceOf(t, conns...)
		if err := Send(a, from, time.Now(), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := testkit.Receive(t, batches, "the end"); got != c.batches {
			t.Errorf("%s: got %d batches, want %d", name, got, c.batches)
		}
		from.endLoops()
		for _, c := range conns {
			if c.detached != 1 || c.reattached != 1 {
				t.Fatalf("%s: connection %d: detached %d, reattached %d times, want 1 and 1", name, c.state.ID, c.detached, c.reattached)
			}
		}
	}
}

// A process that dies at any step before its answer leaves everything with the old one.
func TestSendToDyingSuccessor(t *testing.T) {
	for name, successor := range map[string]func(link *net.UnixConn){
		"at once":                   func(link *net.UnixConn) {},
		"behind the head":           func(link *net.UnixConn) { io.ReadFull(link, make([]byte, linkHead)) },
		"before the answer":         func(link *net.UnixConn) { readAll(link) },
		"in the middle of it":       func(link *net.UnixConn) { readAll(link); link.Write([]byte{linkAnswer, taken}) },
		"after something different": func(link *net.UnixConn) { readAll(link); link.Write([]byte{linkOffer, taken, taken}) },
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newLink(t)
			conns := []*fakeConn{newConn(t, 1), newConn(t, 2)}
			from := sourceOf(t, conns...)
			go func() {
				successor(b)
				b.Close()
			}()
			if err := Send(a, from, time.Now(), nil); err == nil {
				t.Error("got no error")
			}
			from.endLoops()
			for _, c := range conns {
				if c.detached != 1 || c.reattached != 1 || c.released.Load() != 0 {
					t.Errorf("connection %d: got %v, want it detached and reattached", c.state.ID, c)
				}
			}
		})
	}
}

// readAll reads an offer and drops its descriptors.
func readAll(link *net.UnixConn) {
	fds, _, _ := readOffer(link)
	closeAll(fds)
}

// A process that dies behind its answer has taken the connections nevertheless.
func TestSendToSuccessorThatDiesLater(t *testing.T) {
	a, b := newLink(t)
	first, second := newConn(t, 1), newConn(t, 2)
	from := &fakeSource{lists: map[*fakeLoop][]*fakeConn{newLoop(t): {first}, newLoop(t): {second}}}
	go func() {
		readAll(b)
		b.Write([]byte{linkAnswer, taken})
		b.Close()
	}()
	if err := Send(a, from, time.Now(), nil); err == nil {
		t.Error("got no error")
	}
	from.endLoops()
	if first.released.Load() == 0 {
		first, second = second, first // loops have no order
	}
	if first.released.Load() != 1 || first.reattached != 0 || second.reattached != 1 || second.released.Load() != 0 {
		t.Errorf("got %v\n%v\nwant one released, the other reattached", first, second)
	}
}

// A sender that has given up and a receiver that answers after all agree on who serves.
func TestSendToSilentSuccessor(t *testing.T) {
	a, b := newLink(t)
	c := newConn(t, 1)
	from := sourceOf(t, c)
	s := newSender(a, from, time.Now(), nil)
	s.answerPatience = time.Millisecond
	if err := s.run(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want %v", err, os.ErrDeadlineExceeded)
	}
	from.endLoops()
	if c.reattached != 1 || c.released.Load() != 0 {
		t.Errorf("got %v, want one that is reattached", c)
	}
	to := new(successor)
	if err := Receive(b, slog.New(slog.DiscardHandler), to.restore); err == nil {
		t.Error("the receiver noticed nothing")
	}
	if got := to.ids(); len(got) != 0 {
		t.Errorf("adopted: got %v, want none", got)
	}
}

// An answer that is there when the sender gives up counts, although the sender has not read it.
func TestSendFindsLateAnswer(t *testing.T) {
	a, b := newLink(t)
	b.Write([]byte{linkAnswer, taken})
	o := new(offer)
	o.add(int(newConn(t, 1).socket.Fd()), nil)
	answers, err := o.send(a, -time.Second) // it is too late already
	if !errors.Is(err, os.ErrDeadlineExceeded) || !slices.Equal(answers, []byte{taken}) {
		t.Errorf("got %v, %v, want an answer and %v", answers, err, os.ErrDeadlineExceeded)
	}
}

// Connections of a loop that a callback holds, or that has ended, stay; others move.
func TestSendSkipsLoops(t *testing.T) {
	for _, name := range []string{"held", "ended"} {
		t.Run(name, func(t *testing.T) {
			skipped, good := newLoop(t), newLoop(t)
			hold := make(chan struct{})
			if name == "held" {
				skipped.Post(func() { <-hold })
			} else {
				skipped.end()
			}
			stays, moves := newConn(t, 1), newConn(t, 2)
			from := &fakeSource{lists: map[*fakeLoop][]*fakeConn{skipped: {stays}, good: {moves}}}
			a, b := newLink(t)
			to := new(successor)
			received := make(chan error, 1)
			go func() { received <- Receive(b, slog.New(slog.DiscardHandler), to.restore) }()
			s := newSender(a, from, time.Now(), nil)
			s.loopPatience = 10 * time.Millisecond
			if err := s.round(); err != nil {
				t.Error(err)
			}
			close(hold)
			from.endLoops() // also what was posted too late has run now
			if err := writeEnd(a); err != nil {
				t.Error(err)
			}
			if err := testkit.Receive(t, received, "Receive returns"); err != nil {
				t.Error(err)
			}
			if stays.detached != 0 || moves.released.Load() != 1 {
				t.Errorf("got %v\n%v\nwant only the second one detached", stays, moves)
			}
		})
	}
}
