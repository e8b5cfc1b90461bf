package workerman_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// A message of which a part has arrived, and a part not, is not lost.
func TestHandoverInTheMiddle(t *testing.T) {
	masked := func(op byte, fin bool, payload string) string {
		b := []byte{op, 0x80 | byte(len(payload)), 1, 2, 3, 4}
		if fin {
			b[0] |= 0x80
		}
		for i := range len(payload) {
			b = append(b, payload[i]^byte(i%4+1))
		}
		return string(b)
	}
	post := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n0123456789ab"
	chunked := "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n7\r\n56789ab\r\n0\r\n\r\n"
	for name, c := range map[string]struct {
		conversation, message, answer string
	}{
		"text":      {"text", "hello, world\n", "hello, world\n"},
		"frame":     {"frame", "\x00\x00\x00\x10hello, world", "\x00\x00\x00\x10hello, world"},
		"http":      {"http", post, "0123456789ab"},
		"chunked":   {"http", chunked, "0123456789ab"},
		"websocket": {"websocket", masked(1, true, "hello, world"), "hello, world"},
		"fragments": {"websocket", masked(1, false, "hello") + masked(9, true, "p") + masked(0, false, ", w\xc3") + masked(0, true, "\xa4rld"), "hello, w\u00e4rld"},
	} {
		t.Run(name, func(t *testing.T) {
			p := conversations[c.conversation]
			n := startNeighbours(t, p.address, p.configure)
			var conn net.Conn
			var ws *workertest.WebSocket
			if c.conversation == "websocket" {
				ws = workertest.DialWebSocket(t, n.workers[0], "/", nil)
				conn = ws
			} else {
				conn = dial(t, n.workers[0])
			}
			reader := bufio.NewReader(conn)
			eventually(t, "it is connected", func() bool { return len(idsOf(n.workers[0])) == 1 })
			for i := range len(c.message) {
				io.WriteString(conn, c.message[i:i+1])
				if i < len(c.message)-1 {
					n.expectMove(1)
				}
			}
			switch c.conversation {
			case "websocket":
				ev := ws.Next()
				if ev.Op == websocket.Pong {
					ev = ws.Next()
				}
				if string(ev.Data) != c.answer {
					t.Errorf("%q", ev.Data)
				}
			case "http":
				if body, err := readAnswer(reader); body != c.answer || err != nil {
					t.Errorf("%q, %v", body, err)
				}
			default:
				if err := readBack(reader, []byte(c.answer)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// What a slow client has not taken is not lost, and neither is the news that it has.
func TestHandoverUnsent(t *testing.T) {
	drained := make(chan uint64, 10)
	n := startNeighbours(t, "tcp://127.0.0.1:0", func(w *workerman.Worker) {
		w.MaxSendBuffer = 64 << 20
		w.OnMessage = func(c *workerman.Conn, data []byte) {
			for i := range 16 {
				if err := c.Send(numbered(i, 1<<20)); err != nil {
					t.Error(err)
				}
			}
		}
		w.OnBufferDrain = func(c *workerman.Conn) { drained <- c.Master().NextID() }
	})
	c := dial(t, n.workers[0])
	c.(*net.TCPConn).SetReadBuffer(64 << 10)
	io.WriteString(c, "go")
	eventually(t, "the client is slow", func() bool {
		for c := range n.workers[0].Connections() {
			s := c.Stats()
			return s.MessagesSent == 16 && s.SendQueue >= 1<<20
		}
		return false
	})
	successor := n.new.Master.NextID()
	n.expectMove(1)
	for c := range n.workers[0].Connections() {
		if s := c.Stats(); s.SendQueue < 1<<20 || s.MessagesSent != 16 || s.MessagesReceived != 1 || s.BytesRead != 2 {
			t.Errorf("%+v", s)
		}
	}
	for i := range 16 {
		if err := readBack(c, numbered(i, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if id := testkit.Receive(t, drained, "OnBufferDrain"); id != successor {
		t.Error("the old process was told")
	}
}

// More answers of HTTP wait than MaxSendBuffer: no request is taken until they are written, in
// the new process as in the old.
func TestHandoverOfFullHTTP(t *testing.T) {
	n := startNeighbours(t, "http://127.0.0.1:0", func(w *workerman.Worker) {
		w.OnRequest = func(c *workerman.Conn, r *web.Request) { c.Respond(web.Bytes("text/plain", numbered(1, 16<<20))) }
	})
	c := dial(t, n.workers[0])
	request := "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	io.WriteString(c, request+request)
	eventually(t, "an answer waits", func() bool {
		for c := range n.workers[0].Connections() {
			return c.PausedByAnswers()
		}
		return false
	})
	n.expectMove(1)
	r := bufio.NewReader(c)
	for range 2 {
		if body, err := readAnswer(r); err != nil || body != string(numbered(1, 16<<20)) {
			t.Fatalf("%d bytes, %v", len(body), err)
		}
	}
}

// Everything that is known about a connection travels.
func TestHandoverTakesAlong(t *testing.T) {
	type fact struct {
		id, received uint64
		opened       time.Time
		remote       netip.AddrPort
		uid          string
		groups       []string
		data         any
		subprotocol  string
		limit        int
		handed       string
	}
	facts := make(chan fact, 2)
	tell := func(c *workerman.Conn, handed []byte) {
		maxPackage, maxSend := c.Limits()
		facts <- fact{
			c.ID(), c.Stats().MessagesReceived, c.Opened(), c.RemoteAddr(), c.UID(), c.Groups(), c.Data,
			c.Subprotocol(), maxPackage + maxSend, string(handed),
		}
	}
	n := startNeighbours(t, "websocket://127.0.0.1:0", func(w *workerman.Worker) {
		w.ProxyProtocol = true
		w.MaxConnectionsPerIP = 1
		w.WebSocket.Subprotocols = []string{"chat"}
		w.OnUpgrade = func(c *workerman.Conn, r *web.Request) *web.Response {
			c.SetMaxPackageSize(5000)
			return nil
		}
		w.OnConnect = func(c *workerman.Conn) { t.Log("connected", c.ID()) }
		w.OnClose = func(c *workerman.Conn) { t.Log("closed", c.ID()) }
		w.OnMessage = func(c *workerman.Conn, data []byte) {
			c.SetMaxSendBuffer(3000)
			c.Bind("user")
			c.Join("b")
			c.Join("a")
			c.Data = "data"
			tell(c, []byte("handed over"))
		}
		w.OnHandover = func(c *workerman.Conn) ([]byte, error) { return []byte("handed over"), nil }
		w.OnAdopt = func(c *workerman.Conn, data []byte) {
			c.Data = "data"
			tell(c, data)
		}
	})
	client := workertest.NewWebSocket(t, dial(t, n.workers[0]))
	io.WriteString(client, "PROXY TCP4 192.0.2.7 192.0.2.8 1234 80\r\n")
	if err := client.ShakeHands("/", &websocket.Options{Subprotocols: []string{"chat"}}); err != nil {
		t.Fatal(err)
	}
	client.Send(websocket.Text, []byte("hello"))
	before := testkit.Receive(t, facts, "the message")
	for range 3 {
		n.expectMove(1)
		after := testkit.Receive(t, facts, "OnAdopt")
		if d := after.opened.Sub(before.opened).Abs(); d > time.Second {
			t.Errorf("opened at %v, then at %v", before.opened, after.opened)
		}
		before.received = 2 // with the handshake
		after.opened = before.opened
		if fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%+v\nbecame of %+v", after, before)
		}
	}
	if w := n.workers[0]; w.Group("a").Count() != 1 || !w.IsOnline("user") || w.PerIP(netip.MustParseAddr("192.0.2.7")) != 1 {
		t.Error("the new worker does not know where the connection belongs")
	}
	if w := n.workers[1]; w.Group("a").Count() != 0 || w.IsOnline("user") || !w.CountsNobody() {
		t.Error("the old worker still counts the connection")
	}
	if before.remote.String() != "192.0.2.7:1234" || before.limit != 8000 || before.subprotocol != "chat" {
		t.Errorf("%+v", before)
	}
}

// Callbacks in their order: OnHandover is the last one here, OnAdopt the first one there.
func TestHandoverCallbacks(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		t.Run(fmt.Sprintf("blocking=%v", blocking), func(t *testing.T) {
			calls := make(chan string, 20)
			n := startNeighbours(t, "text://127.0.0.1:0", func(w *workerman.Worker) {
				w.Blocking = blocking
				w.Loops = 2
				note := func(what string) func(*workerman.Conn) {
					return func(c *workerman.Conn) { calls <- fmt.Sprint(what, c.Worker().Name) }
				}
				w.OnConnect, w.OnClose = note("connect "), note("close ")
				w.OnMessage = func(c *workerman.Conn, data []byte) {
					calls <- string(data)
					c.PauseRecv()
				}
				w.OnHandover = func(c *workerman.Conn) ([]byte, error) {
					note("handover ")(c)
					return nil, c.Send([]byte("bye"))
				}
				w.OnAdopt = func(c *workerman.Conn, data []byte) {
					note("adopt ")(c)
					c.Send([]byte("hi"))
					c.ResumeRecv()
				}
			})
			n.workers[0].SetRunningName("old")
			n.workers[1].SetRunningName("new")
			c := dial(t, n.workers[0])
			io.WriteString(c, "one\ntwo\n")
			expect := func(want ...string) {
				t.Helper()
				for _, what := range want {
					if got := testkit.Receive(t, calls, what); got != what {
						t.Errorf("%s instead of %s", got, what)
					}
				}
			}
			expect("connect old", "one")
			if blocking {
				expect("two") // which was read before the pause
			}
			n.expectMove(1)
			expect("handover old", "adopt new")
			if !blocking {
				expect("two")
			}
			if err := readBack(c, []byte("bye\nhi\n")); err != nil {
				t.Error(err)
			}
			c.Close()
			for c := range n.workers[0].Connections() {
				c.ResumeRecv()
			}
			expect("close new")
			if len(calls) > 0 {
				t.Error(<-calls)
			}
		})
	}
}

// A connection that was paused stays so, and what has arrived meanwhile waits for it.
func TestHandoverOfPaused(t *testing.T) {
	n := startNeighbours(t, "text://127.0.0.1:0", func(w *workerman.Worker) {
		w.OnMessage = func(c *workerman.Conn, data []byte) {
			c.Send(data)
			c.PauseRecv()
		}
	})
	c := dial(t, n.workers[0])
	io.WriteString(c, "one\ntwo\n")
	if err := readBack(c, []byte("one\n")); err != nil {
		t.Fatal(err)
	}
	c.(*net.TCPConn).CloseWrite()
	for range 2 {
		n.expectMove(1)
	}
	for c := range n.workers[0].Connections() {
		if !c.Paused() || c.Stats().MessagesReceived != 1 {
			t.Error("it goes on by itself")
		}
		c.ResumeRecv()
	}
	if err := readBack(c, []byte("two\n")); err != nil {
		t.Error(err)
	}
	for c := range n.workers[0].Connections() {
		c.ResumeRecv()
	}
	ends(t, c) // the end of stream is known in the new process, too
}

// counter is a protocol whose messages are numbered by a state.
type counter struct{ workerman.TextProtocol }

func (counter) Encode(c *workerman.Conn, dst, data []byte) ([]byte, error) {
	n, _ := c.ProtocolState().(int)
	return fmt.Appendf(dst, "%d %s\n", n, data), nil
}

func (counter) Decode(c *workerman.Conn, frame []byte) ([]byte, error) {
	n, _ := c.ProtocolState().(int)
	c.SetProtocolState(n + 1)
	return bytes.TrimSuffix(frame, []byte("\n")), nil
}

// movingCounter is one whose state can be moved.
type movingCounter struct{ counter }

func (movingCounter) AppendState(c *workerman.Conn, dst []byte) ([]byte, error) {
	return binary.AppendUvarint(dst, uint64(c.ProtocolState().(int))), nil
}

func (movingCounter) RestoreState(c *workerman.Conn, state []byte) error {
	n, size := binary.Uvarint(state)
	if size <= 0 || n > 2 {
		return errors.New("not my state")
	}
	c.SetProtocolState(int(n))
	return nil
}

func TestHandoverOfProtocolState(t *testing.T) {
	talk := func(t *testing.T, c net.Conn, want int) {
		t.Helper()
		io.WriteString(c, "x\n")
		if err := readBack(c, fmt.Appendf(nil, "%d x\n", want)); err != nil {
			t.Error(err)
		}
	}
	t.Run("of the worker", func(t *testing.T) {
		n := startNeighbours(t, "tcp://127.0.0.1:0", func(w *workerman.Worker) {
			w.Protocol = movingCounter{}
			echo(w)
		})
		c := dial(t, n.workers[0])
		talk(t, c, 1)
		n.expectMove(1)
		talk(t, c, 2)
		n.expectMove(1)
		talk(t, c, 3)
		if moved, _ := n.move(); moved != 0 { // RestoreState refuses 3
			t.Error("it has moved")
		}
		n.turn()
		talk(t, c, 4)
	})
	t.Run("of its own", func(t *testing.T) {
		n := startNeighbours(t, "tcp://127.0.0.1:0", func(w *workerman.Worker) {
			w.OnConnect = func(c *workerman.Conn) { c.SetProtocol(movingCounter{}) }
			w.OnAdopt = func(c *workerman.Conn, data []byte) { c.SetProtocol(movingCounter{}) }
			echo(w)
		})
		c := dial(t, n.workers[0])
		talk(t, c, 1)
		n.expectMove(1)
		talk(t, c, 2)
	})
	t.Run("that cannot move", func(t *testing.T) {
		n := startNeighbours(t, "tcp://127.0.0.1:0", func(w *workerman.Worker) {
			w.Protocol, w.Handover = counter{}, workerman.HandoverAlways
			echo(w)
		})
		c := dial(t, n.workers[0])
		talk(t, c, 1)
		if moved, left := n.move(); moved+left != 0 {
			t.Error("it has moved", moved, left)
		}
		n.turn()
		talk(t, c, 2)
	})
}

func TestHandoverOfUnixSockets(t *testing.T) {
	n := startNeighbours(t, "", func(w *workerman.Worker) {
		w.SetAddress("text+unix://"+filepath.Join(t.TempDir(), "s"), "lines")
		echo(w)
		w.OnAdopt = func(c *workerman.Conn, data []byte) { c.Send([]byte(c.Transport())) }
	})
	c := dial(t, n.workers[0])
	io.WriteString(c, "hello\n")
	if err := readBack(c, []byte("hello\n")); err != nil {
		t.Fatal(err)
	}
	n.expectMove(1)
	if err := readBack(c, []byte("unix\n")); err != nil {
		t.Error(err)
	}
}

// The windows of compression travel, so that what was said once is short the next time.
func TestHandoverKeepsWindows(t *testing.T) {
	p := conversations["workertest.Compressed websocket"]
	n := startNeighbours(t, p.address, p.configure)
	c := workertest.DialWebSocket(t, n.workers[0], "/", &websocket.Options{Compression: workertest.Compressed})
	var text []byte
	for i := range 50 {
		text = fmt.Appendf(text, "the square of %d is %d, ", i, i*i)
	}
	sizes := make([]int, 4) // of the answers
	for i := range sizes {
		before := bytesOut(n.workers[0])
		c.Send(websocket.Text, text)
		if ev := c.Next(); !slices.Equal(ev.Data, text) {
			t.Fatalf("%q", ev.Data)
		}
		sizes[i] = int(bytesOut(n.workers[0]) - before)
		if i > 0 {
			n.expectMove(1)
		}
	}
	if sizes[2] > sizes[0]/4 || sizes[3] > sizes[0]/4 {
		t.Errorf("a message said again, and again after it moved, had %d bytes of %d", sizes, len(text))
	}
}

// bytesOut is what the only connection has sent.
func bytesOut(w *workerman.Worker) uint64 {
	for c := range w.Connections() {
		return c.Stats().BytesWritten
	}
	return 0
}
