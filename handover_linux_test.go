package workerman

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// neighbours are two masters with the same worker, as an old process and its successor.
type neighbours struct {
	t       *testing.T
	old     *testService
	new     *testService
	workers [2]*Worker
}

// startNeighbours starts two masters with a worker that configure sets up, each time anew.
func startNeighbours(t *testing.T, address string, configure func(w *Worker)) *neighbours {
	t.Helper()
	n := &neighbours{t: t}
	for i, s := range []**testService{&n.old, &n.new} {
		*s = newTestService(t, kind{network: "tcp"})
		(*s).master.nextID.Store(uint64(i) << 32)
		w := (*s).master.NewWorker(address)
		w.Name = "under-test"
		if configure != nil {
			configure(w)
		}
		n.workers[i] = w
		(*s).start()
	}
	return n
}

// turn makes the old one the successor.
func (n *neighbours) turn() {
	n.old, n.new = n.new, n.old
	n.workers[0], n.workers[1] = n.workers[1], n.workers[0]
}

// link is a stream socket between two processes.
func link(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "link")
		c, err := net.FileConn(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		ends[i] = c.(*net.UnixConn)
	}
	return ends[0], ends[1]
}

// move hands everything over that can be in a moment, and returns how many were moved and
// how many not.
func (n *neighbours) move() (moved, left int) {
	n.t.Helper()
	return n.moveUntil(time.Now())
}

func (n *neighbours) moveUntil(deadline time.Time) (moved, left int) {
	n.t.Helper()
	give, take := link(n.t)
	adopted := make(chan error, 1)
	go func() { adopted <- n.new.master.adopt(take) }()
	if err := n.old.master.handOver(give, deadline, func(m, l int) { moved, left = m, l }); err != nil {
		n.t.Errorf("handOver: %v", err)
	}
	if err := receive(n.t, adopted, "adopt returns"); err != nil {
		n.t.Errorf("adopt: %v", err)
	}
	n.turn()
	return moved, left
}

// expectMove is move of exactly so many connections.
func (n *neighbours) expectMove(want int) {
	n.t.Helper()
	moved := 0
	eventually(n.t, "all have moved", func() bool {
		m, _ := n.move()
		moved += m
		if moved != want {
			n.turn() // some are still busy
		}
		return moved == want
	})
	if got := n.workers[1].Stats().Connections; got != 0 {
		n.t.Errorf("%d connections are left in the old process", got)
	}
}

// talker is a client that sends numbered messages and checks what comes back.
type talker struct {
	send    func(i int) error
	receive func(i int) error
}

// talk exchanges messages until stop is closed.
func (c talker) talk(stop <-chan struct{}) (n int, err error) {
	for {
		select {
		case <-stop:
			return n, nil
		default:
		}
		if err = c.send(n); err == nil {
			err = c.receive(n)
		}
		if err != nil {
			return n, fmt.Errorf("message %d: %w", n, err)
		}
		n++
	}
}

// conversations are the ways in which clients talk to a worker.
var conversations = map[string]struct {
	address   string
	configure func(w *Worker)
	client    func(t *testing.T, w *Worker) talker
}{
	"tcp": {"tcp://127.0.0.1:0", echo, func(t *testing.T, w *Worker) talker {
		c := dial(t, w)
		return talker{
			func(i int) error { _, err := c.Write(numbered(i, 900)); return err },
			func(i int) error { return readBack(c, numbered(i, 900)) },
		}
	}},
	"text": {"text://127.0.0.1:0", echo, func(t *testing.T, w *Worker) talker {
		c := dial(t, w)
		return talker{
			func(i int) error { _, err := fmt.Fprintf(c, "%d\n", i); return err },
			func(i int) error { return readBack(c, fmt.Appendf(nil, "%d\n", i)) },
		}
	}},
	"frame": {"frame://127.0.0.1:0", echo, func(t *testing.T, w *Worker) talker {
		c := dial(t, w)
		frame := func(i int) []byte { return append([]byte{0, 0, 3, 4 + 132}, numbered(i, 900)...) }
		return talker{
			func(i int) error { _, err := c.Write(frame(i)); return err },
			func(i int) error { return readBack(c, frame(i)) },
		}
	}},
	"http": {"http://127.0.0.1:0", func(w *Worker) {
		w.OnRequest = func(c *Conn, r *web.Request) { c.Respond(web.Bytes("text/plain", r.Body())) }
	}, func(t *testing.T, w *Worker) talker {
		c := dial(t, w)
		r := bufio.NewReader(c)
		return talker{
			func(i int) error {
				_, err := fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n%08d\r\n0\r\n\r\n", i)
				return err
			},
			func(i int) error {
				body, err := readAnswer(r)
				if err == nil && body != fmt.Sprintf("%08d", i) {
					err = fmt.Errorf("the answer is %q", body)
				}
				return err
			},
		}
	}},
	"websocket": {"websocket://127.0.0.1:0", echo, func(t *testing.T, w *Worker) talker {
		return webSocketTalker(t, w, nil)
	}},
	"compressed websocket": {"websocket://127.0.0.1:0", func(w *Worker) {
		w.WebSocket.Compression = compressed
		echo(w)
	}, func(t *testing.T, w *Worker) talker {
		return webSocketTalker(t, w, &websocket.Options{Compression: compressed})
	}},
}

func webSocketTalker(t *testing.T, w *Worker, o *websocket.Options) talker {
	c := dialWebSocket(t, w, "/", o)
	if o != nil && !c.codec.Deflate().Enabled {
		t.Error("not compressed")
	}
	return talker{
		func(i int) error {
			out, err := c.codec.AppendMessage(nil, websocket.Text, numbered(i, 900))
			if err == nil {
				_, err = c.Write(out)
			}
			return err
		},
		func(i int) error {
			data, err := c.message()
			if err == nil && !bytes.Equal(data, numbered(i, 900)) {
				err = fmt.Errorf("got %.20q", data)
			}
			return err
		},
	}
}

// message waits for a message, on a goroutine that is not the test's.
func (c *wsClient) message() ([]byte, error) {
	for {
		ev, used, _, err := c.codec.Next(c.pending)
		data := bytes.Clone(ev.Data)
		c.pending = c.pending[used:]
		switch {
		case err != nil:
			return nil, err
		case ev.Op == websocket.Text || ev.Op == websocket.Binary:
			return data, nil
		case ev.Op != websocket.Continuation:
			return nil, fmt.Errorf("got a frame of kind %d: %q", ev.Op, data)
		}
		if err := c.more(); err != nil {
			return nil, err
		}
	}
}

// Clients of each protocol talk on while their connections go to and fro.
func TestHandover(t *testing.T) {
	for name, p := range conversations {
		t.Run(name, func(t *testing.T) {
			n := startNeighbours(t, p.address, p.configure)
			const clients, rounds = 20, 10
			stop := make(chan struct{})
			var all sync.WaitGroup
			for range clients {
				c := p.client(t, n.workers[0])
				all.Go(func() {
					if count, err := c.talk(stop); err != nil || count == 0 {
						t.Errorf("%d messages, then %v", count, err)
					}
				})
			}
			eventually(t, "all are connected", func() bool { return len(idsOf(n.workers[0])) == clients })
			ids := idsOf(n.workers[0])
			for range rounds {
				n.expectMove(clients)
			}
			if now := idsOf(n.workers[0]); !equalSets(ids, now) {
				t.Errorf("the ids changed: %d and %d", len(ids), len(now))
			}
			close(stop)
			all.Wait()
		})
	}
}

func idsOf(w *Worker) map[uint64]bool {
	ids := make(map[uint64]bool)
	for c := range w.Connections() {
		ids[c.ID()] = true
	}
	return ids
}

func equalSets(a, b map[uint64]bool) bool {
	for id := range a {
		if !b[id] {
			return false
		}
	}
	return len(a) == len(b)
}
