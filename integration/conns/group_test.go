package conns

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/workerman-go/workerman"
)

func TestGroupsAndUsers(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		inClose := make(chan string, 4)
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				verb, arg, _ := strings.Cut(string(data), " ")
				switch verb {
				case "join":
					c.Join(arg)
				case "leave":
					c.Leave(arg)
				case "bind":
					c.Bind(arg)
				}
				c.Send([]byte("ok"))
			}
			w.OnClose = func(c *workerman.Conn) {
				inClose <- fmt.Sprintf("%s in %v, online %v, members %d", c.UID(), c.Groups(), c.Worker().IsOnline(c.UID()), c.Worker().Group("red").Count())
				c.Join("ghosts")
				c.Bind("ghost")
			}
		})
		clients := make([]net.Conn, 3)
		readers := make([]*bufio.Reader, 3)
		say := func(i int, line string) {
			t.Helper()
			fmt.Fprintln(clients[i], line)
			if got, err := readers[i].ReadString('\n'); got != "ok\n" {
				t.Fatalf("%q, %v", got, err)
			}
		}
		hear := func(i int, want string) {
			t.Helper()
			if got, err := readers[i].ReadString('\n'); got != want+"\n" {
				t.Fatalf("client %d: %q, %v, want %q", i, got, err, want)
			}
		}
		for i := range clients {
			clients[i] = dial(t, w)
			readers[i] = bufio.NewReader(clients[i])
			say(i, "join all")
		}
		say(0, "join red")
		say(1, "join red")
		say(0, "bind ann")
		say(1, "bind ann")
		say(2, "bind bob")

		if n, err := w.Group("red").Send([]byte("to red")); n != 2 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		hear(0, "to red")
		hear(1, "to red")
		if n, _ := w.SendTo("ann", []byte("to ann")); n != 2 {
			t.Errorf("%d connections of ann", n)
		}
		hear(0, "to ann")
		hear(1, "to ann")
		if n, _ := w.SendTo("nobody", []byte("x")); n != 0 || w.IsOnline("nobody") || !w.IsOnline("bob") {
			t.Error("who is online is wrong")
		}
		members := slices.Collect(w.Group("red").Members())
		if n, _ := w.Broadcast([]byte("to all others"), members...); n != 1 {
			t.Errorf("%d got what all but red should", n)
		}
		hear(2, "to all others")
		say(1, "leave red")
		say(1, "bind") // nobody any more
		if n := w.Group("red").Count(); n != 1 {
			t.Errorf("%d in red after leave", n)
		}
		clients[0].Close()
		if s := receive(t, inClose, "OnClose"); s != "ann in [all red], online false, members 0" {
			t.Errorf("in OnClose: %s", s)
		}
		eventually(t, "the groups forget", func() bool { return w.Group("all").Count() == 2 })
		if w.Group("ghosts").Count() != 0 || w.IsOnline("ghost") {
			t.Error("a closed connection joined")
		}
		if n, err := w.SendTo("ann", []byte("x")); n != 0 || err != nil || w.IsOnline("ann") || w.Group("red").Count() != 0 {
			t.Errorf("got %d, %v, online %v and %d members, want that empty groups and users are gone", n, err, w.IsOnline("ann"), w.Group("red").Count())
		}
	})
}

func TestBroadcastKeepsProgramOrder(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		const rounds = 500
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				for i := range rounds {
					c.Send(fmt.Append(nil, i, " sent"))
					w.Broadcast(fmt.Append(nil, i, " cast"))
				}
			}
		})
		c := dial(t, w)
		io.WriteString(c, "go\n")
		in := bufio.NewScanner(c)
		for i := range rounds {
			for _, how := range []string{"sent", "cast"} {
				if want := fmt.Sprint(i, " ", how); !in.Scan() || in.Text() != want {
					t.Fatalf("%q, want %q", in.Text(), want)
				}
			}
		}
	})
}

func TestBroadcastReachesEveryoneOnce(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		const clients, senders, each = 200, 4, 20
		_, w := serve(t, k, "frame", func(w *workerman.Worker) { w.Loops = 2 })
		conns := make([]net.Conn, clients)
		for i := range conns {
			conns[i] = dial(t, w)
		}
		eventually(t, "all are connected", func() bool { return len(slices.Collect(w.Connections())) == clients })
		var wg sync.WaitGroup
		for g := range senders {
			wg.Go(func() {
				buf := make([]byte, 100) // used again and again: it must have been copied
				for i := range each {
					copy(buf, numbered(g*each+i, 100))
					if n, err := w.Broadcast(buf); n != clients || err != nil {
						t.Errorf("%d took it, %v", n, err)
					}
				}
			})
		}
		wg.Wait()
		for _, c := range conns {
			seen := make(map[int]bool)
			last := make([]int, senders)
			for range senders * each {
				m, err := readFrame(c)
				if err != nil {
					t.Fatal(err)
				}
				var id int
				fmt.Sscanf(string(m), "%08d.", &id)
				if seen[id] || !bytes.Equal(m, numbered(id, 100)) || id < last[id/each] {
					t.Fatalf("message %d is double, damaged or out of order", id)
				}
				seen[id], last[id/each] = true, id
			}
			c.Close()
		}
	})
}

func TestBroadcastWhileConnectionsComeAndGo(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.Loops = 2
			w.OnConnect = func(c *workerman.Conn) { c.Join("g") }
			w.OnMessage = func(c *workerman.Conn, data []byte) { c.SetProtocol(nil) } // encodes for itself
		})
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						w.Broadcast([]byte("all"))
						w.Group("g").Send([]byte("group"))
					}
				}
			})
		}
		for range 50 {
			c := dial(t, w)
			io.WriteString(c, "x\n")
			if _, err := c.Read(make([]byte, 1)); err != nil {
				t.Error(err)
			}
			c.Close()
		}
		close(stop)
		wg.Wait()
	})
}
