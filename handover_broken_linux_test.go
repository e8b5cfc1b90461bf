package workerman_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/handover"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/tlsfiles"
)

// These are messages on the link between two processes: see package handover.
const (
	endOfLink   = "\x02\x00\x00\x00\x00\x00\x00"
	takesOne    = "\x03\x01"
	refusesOne  = "\x03\x00"
	headOfOffer = 7 // bytes
)

// Whatever the successor does before it has said that it takes a connection, the old
// process keeps it.
func TestHandoverToBrokenSuccessor(t *testing.T) {
	for name, successor := range map[string]func(link *net.UnixConn){
		"gone from the beginning": func(link *net.UnixConn) {},
		"gone with the head of an offer": func(link *net.UnixConn) {
			io.ReadFull(link, make([]byte, headOfOffer))
		},
		"gone with an offer": func(link *net.UnixConn) {
			readOffer(link)
		},
		"gone in the middle of its answer": func(link *net.UnixConn) {
			readOffer(link)
			io.WriteString(link, takesOne) // of three
		},
		"that answers something else": func(link *net.UnixConn) {
			link.Write(append([]byte{1}, make([]byte, readOffer(link))...)) // the kind of an offer
			io.Copy(io.Discard, link)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, w := serve(t, kind{Network: "tcp"}, "text", func(w *workerman.Worker) {
				w.OnMessage = func(c *workerman.Conn, data []byte) {
					if string(data) == "timer" {
						c.After(time.Millisecond, func() { c.Send([]byte("timer")) })
					}
					c.Send(data)
				}
				w.OnAdopt = func(c *workerman.Conn, data []byte) { t.Error("adopted by its own process") }
				w.OnClose = func(c *workerman.Conn) { t.Log("closed", c.Err()) }
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
			if err := s.Master.HandOver(give, time.Now(), nil); err == nil {
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

// readOffer reads a whole offer, and returns the number of connections in it. Their descriptors
// are dropped by the system.
func readOffer(link *net.UnixConn) (count int) {
	var head [headOfOffer]byte
	io.ReadFull(link, head[:])
	io.CopyN(io.Discard, link, int64(binary.BigEndian.Uint32(head[3:])))
	return int(binary.BigEndian.Uint16(head[1:]))
}

// oneOffer is an offer of one connection.
type oneOffer struct {
	fd    int
	state []byte
}

// write sends the offer.
func (o oneOffer) write(link *net.UnixConn) error {
	state := append(binary.AppendUvarint(nil, uint64(len(o.state))), o.state...)
	message := binary.BigEndian.AppendUint32([]byte{1, 0, 1}, uint32(len(state)))
	_, _, err := link.WriteMsgUnix(append(message, state...), unix.UnixRights(o.fd), nil)
	return err
}

// send sends the offer and returns the answer.
func (o oneOffer) send(link *net.UnixConn) (answer string, err error) {
	if err = o.write(link); err != nil {
		return "", err
	}
	link.SetReadDeadline(time.Now().Add(testkit.Patience))
	b := make([]byte, len(takesOne))
	_, err = io.ReadFull(link, b)
	return string(b), err
}

// offerOne detaches the only connection of the old process, as handOver does, and returns it with
// an offer of it.
func (n *neighbours) offerOne() (c *workerman.Conn, o oneOffer) {
	n.t.Helper()
	for c = range n.workers[0].Connections() {
		break
	}
	n.onLoop(c, func() {
		state, fd, v := c.Detach(nil)
		if v != handover.MovesNow {
			n.t.Errorf("it does not move: %d", v)
		}
		o = oneOffer{fd, state}
	})
	return c, o
}

func (n *neighbours) onLoop(c *workerman.Conn, fn func()) {
	n.t.Helper()
	done := make(chan struct{})
	c.PostToLoop(func() {
		defer close(done)
		fn()
	})
	testkit.Receive(n.t, done, "the loop")
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
	go func() { adopted <- n.new.Master.Adopt(take) }()
	if answer, err := o.send(give); err != nil || answer != takesOne {
		t.Errorf("got the answer %q, %v, want %q", answer, err, takesOne)
	}
	give.Close() // without a word
	if err := testkit.Receive(t, adopted, "adopt returns"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
	io.WriteString(client, " a message\n")
	if err := readBack(client, []byte("half a message\n")); err != nil {
		t.Error(err)
	}
	n.onLoop(c, c.Release)
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
	if err := o.write(give); err != nil {
		t.Error(err)
	}
	give.CloseRead() // which is how a sender gives up
	n.onLoop(c, c.Reattach)
	if err := n.new.Master.Adopt(take); !errors.Is(err, syscall.EPIPE) {
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
		"worker":  {func(n *neighbours, state []byte) []byte { n.workers[1].SetKey("other"); return state }, "no worker for"},
		"TLS": {func(n *neighbours, state []byte) []byte {
			n.workers[1].SetSecurity(new(tlsfiles.Server))
			return state
		}, "has TLS now"},
		"protocol": {func(n *neighbours, state []byte) []byte {
			n.workers[1].SpeakHTTP()
			return state
		}, "speaks another protocol now"},
		"id": {func(n *neighbours, state []byte) []byte {
			n.workers[1].TakeID(1)
			return state
		}, "another connection has the id 1"},
	} {
		t.Run(name, func(t *testing.T) {
			n := startNeighbours(t, "text://127.0.0.1:0", echo)
			client := dial(t, n.workers[0])
			eventually(t, "it is connected", func() bool { return len(idsOf(n.workers[0])) == 1 })
			conn, o := n.offerOne()
			o.state = c.spoil(n, o.state)
			give, take := link(t)
			adopted := make(chan error, 1)
			go func() { adopted <- n.new.Master.Adopt(take) }()
			if answer, err := o.send(give); err != nil || answer != refusesOne {
				t.Errorf("got the answer %q, %v, want %q", answer, err, refusesOne)
			}
			io.WriteString(give, endOfLink)
			if err := testkit.Receive(t, adopted, "adopt returns"); err != nil {
				t.Error(err)
			}
			give.Close()
			n.workers[1].FreeID(1)
			n.workers[1].SetSecurity(nil)
			n.onLoop(conn, conn.Reattach)
			io.WriteString(client, "hello\n")
			if err := readBack(client, []byte("hello\n")); err != nil {
				t.Error(err)
			}
			if len(n.new.Log.Lines("connection stays with the old process", c.log)) != 1 {
				t.Errorf("log:\n%s", n.new.Log)
			}
		})
	}
}

// Garbage on the link is an error, not more.
func TestAdoptGarbage(t *testing.T) {
	for _, garbage := range []string{
		"", "\x01\x00", "\x07\x00\x00\x00\x00\x00\x00", "\x01\x00\x41\x00\x00\x00\x00",
		"\x01\x00\x01\x00\x00\x00\x01\x05", "\x01\x00\x00\x00\x00\x00\x01x", "\x01\x00\x00\x00\x00\x00\x05x",
	} {
		s, _ := serve(t, kind{Network: "tcp"}, "text", echo)
		give, take := link(t)
		give.Write([]byte(garbage))
		give.Close()
		if err := s.Master.Adopt(take); err == nil {
			t.Errorf("%q is accepted", garbage)
		}
	}
}

// What is asked of a connection between the two processes is not forgotten if it comes back.
func TestReattach(t *testing.T) {
	for name, c := range map[string]struct {
		ask  func(c *workerman.Conn)
		ends bool
	}{
		"Send":    {func(c *workerman.Conn) {}, false},
		"Close":   {func(c *workerman.Conn) { c.Close() }, true},
		"Destroy": {func(c *workerman.Conn) { c.Destroy() }, true},
		"Post":    {func(c *workerman.Conn) { c.Run(func() { c.Send([]byte("ran")) }) }, false},
		"pause":   {func(c *workerman.Conn) { c.PauseRecv(); c.ResumeRecv() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			closed := make(chan error, 1)
			n := startNeighbours(t, "text://127.0.0.1:0", func(w *workerman.Worker) {
				echo(w)
				w.Handover = workerman.HandoverAlways
				w.OnClose = func(c *workerman.Conn) { closed <- c.Err() }
			})
			client := dial(t, n.workers[0])
			eventually(t, "it is connected", func() bool { return len(idsOf(n.workers[0])) == 1 })
			conn, _ := n.offerOne()
			if err := conn.Send([]byte("x")); err != workerman.ErrClosed {
				t.Errorf("Send: %v", err)
			}
			if conn.Post(func() {}) {
				t.Error("Post is accepted")
			}
			n.onLoop(conn, func() { c.ask(conn) })
			n.onLoop(conn, conn.Reattach)
			switch {
			case c.ends:
				testkit.Receive(t, closed, "OnClose")
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
