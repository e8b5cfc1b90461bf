package workerman

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/tlsfiles"
)

// Whatever the successor does before it has said that it takes a connection, the old
// process keeps it.
func TestHandoverToBrokenSuccessor(t *testing.T) {
	for name, successor := range map[string]func(link *net.UnixConn){
		"gone from the beginning": func(link *net.UnixConn) {},
		"gone with the head of an offer": func(link *net.UnixConn) {
			link.Read(make([]byte, linkHead))
		},
		"gone with an offer": func(link *net.UnixConn) {
			fds, _, _ := readOffer(link)
			discard(fds)
		},
		"gone in the middle of its answer": func(link *net.UnixConn) {
			fds, _, _ := readOffer(link)
			discard(fds)
			link.Write([]byte{linkAnswer, passengerTaken})
		},
		"that answers something else": func(link *net.UnixConn) {
			fds, states, _ := readOffer(link)
			discard(fds)
			link.Write(append([]byte{linkOffer}, make([]byte, len(states))...))
			io.Copy(io.Discard, link)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, w := serve(t, kind{network: "tcp"}, "text", func(w *Worker) {
				w.OnMessage = func(c *Conn, data []byte) {
					if string(data) == "timer" {
						c.After(time.Millisecond, func() { c.Send([]byte("timer")) })
					}
					c.Send(data)
				}
				w.OnAdopt = func(c *Conn, data []byte) { t.Error("adopted by its own process") }
				w.OnClose = func(c *Conn) { t.Log("closed", c.Err()) }
			})
			var clients []net.Conn
			for range 3 {
				c := dial(t, w)
				io.WriteString(c, "timer\nhalf")
				if err := readBack(c, []byte("timer\n")); err != nil {
					t.Fatal(err)
				}
				clients = append(clients, c)
			}
			give, take := link(t)
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				successor(take)
				take.Close()
			}()
			if err := s.master.handOver(give, time.Now(), nil); err == nil {
				t.Error("no error")
			}
			<-gone
			for _, c := range clients {
				io.WriteString(c, " a message\n")
				answer := make([]byte, len("timer\nhalf a message\n")) // one before the other
				if _, err := io.ReadFull(c, answer); err != nil {
					t.Error(err)
				}
				if s := string(answer); !strings.Contains(s, "timer\n") || !strings.Contains(s, "half a message\n") {
					t.Errorf("%q", s)
				}
			}
		})
	}
}

// offerOne takes the only connection of the old process off its loop, as handOver does, and
// returns it with the offer.
func (n *neighbours) offerOne() (c *Conn, o *offer) {
	n.t.Helper()
	o = new(offer)
	for c = range n.workers[0].Connections() {
		break
	}
	n.onLoop(c, func() {
		state, fd, v := c.depart(nil)
		if v != movesNow {
			n.t.Errorf("it does not move: %d", v)
		}
		o.add(fd, state)
	})
	return c, o
}

func (n *neighbours) onLoop(c *Conn, fn func()) {
	n.t.Helper()
	done := make(chan struct{})
	c.stream.Loop().Post(func() {
		defer close(done)
		fn()
	})
	receive(n.t, done, "the loop")
}

// Once the answer is there the connection is the successor's, whether the old process lives to
// see it or not.
func TestHandoverFromDyingProcess(t *testing.T) {
	n := startNeighbours(t, "text://127.0.0.1:0", echo)
	client := dial(t, n.workers[0])
	io.WriteString(client, "half")
	eventually(t, "it is connected", func() bool { return len(idsOf(n.workers[0])) == 1 })
	c, o := n.offerOne()
	give, take := link(t)
	adopted := make(chan error, 1)
	go func() { adopted <- n.new.master.adopt(take) }()
	answers, err := o.give(give, patience)
	if err != nil || string(answers) != string([]byte{passengerTaken}) {
		t.Errorf("%v, %v", answers, err)
	}
	give.Close() // without a word
	if err := receive(t, adopted, "adopt returns"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
	io.WriteString(client, " a message\n")
	if err := readBack(client, []byte("half a message\n")); err != nil {
		t.Error(err)
	}
	n.onLoop(c, c.moved)
	io.WriteString(client, "more\n")
	if err := readBack(client, []byte("more\n")); err != nil {
		t.Error(err)
	}
}

// An old process that has given up and a successor that answers after all agree on who serves.
func TestHandoverToLateSuccessor(t *testing.T) {
	n := startNeighbours(t, "text://127.0.0.1:0", echo)
	client := dial(t, n.workers[0])
	eventually(t, "it is connected", func() bool { return len(idsOf(n.workers[0])) == 1 })
	c, o := n.offerOne()
	give, take := link(t)
	defer give.Close()
	if answers, err := o.give(give, time.Millisecond); answers != nil || err == nil {
		t.Errorf("%v, %v", answers, err)
	}
	n.onLoop(c, c.comeBack)
	if err := n.new.master.adopt(take); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("adopt: %v", err)
	}
	io.WriteString(client, "hello\n")
	if err := readBack(client, []byte("hello\n")); err != nil {
		t.Error(err)
	}
	if n.workers[1].Stats().Connections != 0 {
		t.Error("the successor serves it, too")
	}
}

// What the successor cannot take stays with the old process, which is told so.
func TestHandoverRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(n *neighbours, state []byte) []byte
		log   string
	}{
		"version": {func(_ *neighbours, state []byte) []byte { state[0]++; return state }, "damaged state"},
		"damage":  {func(_ *neighbours, state []byte) []byte { return state[:len(state)-1] }, "damaged state"},
		"nothing": {func(*neighbours, []byte) []byte { return nil }, "damaged state"},
		"worker":  {func(n *neighbours, state []byte) []byte { n.workers[1].key = "other"; return state }, "no worker for"},
		"TLS": {func(n *neighbours, state []byte) []byte {
			n.workers[1].service().security = new(tlsfiles.Server)
			return state
		}, "has TLS now"},
		"protocol": {func(n *neighbours, state []byte) []byte {
			n.workers[1].service().kind = httpDialog
			return state
		}, "speaks another protocol now"},
		"id": {func(n *neighbours, state []byte) []byte {
			n.workers[1].service().conns[1] = new(Conn)
			return state
		}, "another connection has the id 1"},
	} {
		t.Run(name, func(t *testing.T) {
			n := startNeighbours(t, "text://127.0.0.1:0", echo)
			client := dial(t, n.workers[0])
			eventually(t, "it is connected", func() bool { return len(idsOf(n.workers[0])) == 1 })
			conn, o := n.offerOne()
			r := stateReader{rest: o.states}
			o.states = appendString(nil, c.spoil(n, r.part()))
			give, take := link(t)
			adopted := make(chan error, 1)
			go func() { adopted <- n.new.master.adopt(take) }()
			answers, err := o.give(give, patience)
			if err != nil || string(answers) != string([]byte{passengerRefused}) {
				t.Errorf("%v, %v", answers, err)
			}
			writeHead(give, linkEnd, nil, 0)
			if err := receive(t, adopted, "adopt returns"); err != nil {
				t.Error(err)
			}
			give.Close()
			delete(n.workers[1].service().conns, 1)
			n.workers[1].service().security = nil
			n.onLoop(conn, conn.comeBack)
			io.WriteString(client, "hello\n")
			if err := readBack(client, []byte("hello\n")); err != nil {
				t.Error(err)
			}
			if len(n.new.log.lines("connection stays with the old process", c.log)) != 1 {
				t.Errorf("log:\n%s", n.new.log)
			}
		})
	}
}

// Descriptors that do not come, because the process may open no more, are refused.
func TestHandoverWithoutDescriptor(t *testing.T) {
	s, _ := serve(t, kind{network: "tcp"}, "text", echo)
	if _, err := s.master.consider(nil, false); err == nil || !strings.Contains(err.Error(), "ulimit -n") {
		t.Errorf("%v", err)
	}
}

// Garbage on the link is an error, not more.
func TestAdoptGarbage(t *testing.T) {
	for _, garbage := range []string{
		"", "\x01\x00", "\x07\x00\x00\x00\x00\x00\x00", "\x01\x00\x41\x00\x00\x00\x00",
		"\x01\x00\x01\x00\x00\x00\x01\x05", "\x01\x00\x00\x00\x00\x00\x01x", "\x01\x00\x00\x00\x00\x00\x05x",
	} {
		s, _ := serve(t, kind{network: "tcp"}, "text", echo)
		give, take := link(t)
		give.Write([]byte(garbage))
		give.Close()
		if err := s.master.adopt(take); err == nil {
			t.Errorf("%q is accepted", garbage)
		}
	}
}

// What is asked of a connection between the two processes is not forgotten if it comes back.
func TestComeBack(t *testing.T) {
	for name, c := range map[string]struct {
		ask  func(c *Conn)
		ends bool
	}{
		"Send":    {func(c *Conn) {}, false},
		"Close":   {func(c *Conn) { c.Close() }, true},
		"Destroy": {func(c *Conn) { c.Destroy() }, true},
		"Post":    {func(c *Conn) { c.run(func() { c.Send([]byte("ran")) }) }, false},
		"pause":   {func(c *Conn) { c.PauseRecv(); c.ResumeRecv() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			closed := make(chan error, 1)
			n := startNeighbours(t, "text://127.0.0.1:0", func(w *Worker) {
				echo(w)
				w.Handover = HandoverAlways
				w.OnClose = func(c *Conn) { closed <- c.Err() }
			})
			client := dial(t, n.workers[0])
			eventually(t, "it is connected", func() bool { return len(idsOf(n.workers[0])) == 1 })
			conn, _ := n.offerOne()
			if err := conn.Send([]byte("x")); err != ErrClosed {
				t.Errorf("Send: %v", err)
			}
			if conn.Post(func() {}) {
				t.Error("Post is accepted")
			}
			n.onLoop(conn, func() { c.ask(conn) })
			n.onLoop(conn, conn.comeBack)
			switch {
			case c.ends:
				receive(t, closed, "OnClose")
				ends(t, client)
			case name == "Post":
				if err := readBack(client, []byte("ran\n")); err != nil {
					t.Error(err)
				}
			default:
				io.WriteString(client, "hello\n")
				if err := readBack(client, []byte("hello\n")); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
