package conns

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
)

// dialFrom connects from a loopback address of the caller's choice.
func dialFrom(t *testing.T, w *workerman.Worker, ip string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), 0)), Timeout: patience}
	c, err := d.Dial("tcp", w.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

// alive says whether a connection is served: an echo worker answers.
func alive(c net.Conn) bool {
	io.WriteString(c, "alive\n")
	line, _ := bufio.NewReader(c).ReadString('\n')
	return line == "alive\n"
}

func TestMaxConnections(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.MaxConnections = 3
			echo(w)
		})
		conns := make([]net.Conn, 3)
		for i := range conns {
			if conns[i] = dial(t, w); !alive(conns[i]) {
				t.Fatalf("connection %d is not served", i)
			}
		}
		if alive(dial(t, w)) {
			t.Error("a fourth connection is served")
		}
		if s := w.Stats(); s.Refused != 1 || s.Connections != 3 || s.Accepted != 3 {
			t.Errorf("%+v", s)
		}
		conns[0].Close()
		eventually(t, "the place is free", func() bool { return w.Stats().Connections == 2 })
		if !alive(dial(t, w)) {
			t.Error("the free place is not given away")
		}
	})
}

func TestMaxConnectionsPerIP(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.MaxConnectionsPerIP = 2
			echo(w)
		})
		one, two := dialFrom(t, w, "127.0.0.1"), dialFrom(t, w, "127.0.0.1")
		if !alive(one) || !alive(two) || alive(dialFrom(t, w, "127.0.0.1")) {
			t.Error("one address is not held to its limit")
		}
		if !alive(dialFrom(t, w, "127.0.0.2")) {
			t.Error("another address pays for it")
		}
		one.Close()
		eventually(t, "the place is free", func() bool { return w.Stats().Connections == 2 })
		if !alive(dialFrom(t, w, "127.0.0.1")) {
			t.Error("the free place is not given away")
		}
	})
}

func TestIdleTimeoutSparesWhoTalks(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		const limit = 600 * time.Millisecond
		closed := make(chan uint64, 2)
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.IdleTimeout = limit
			echo(w)
			w.OnClose = func(c *workerman.Conn) { closed <- c.ID() }
		})
		silent, talking := dial(t, w), dial(t, w)
		if !alive(silent) {
			t.Fatal("not served")
		}
		begin := time.Now()
		go func() {
			io.Copy(io.Discard, silent)
			silent.Close() // or the worker would wait a second for it
		}()
		for {
			select {
			case <-closed:
				if d := time.Since(begin); d < limit-20*time.Millisecond {
					t.Errorf("closed after %v, the limit is %v", d, limit)
				}
				if !alive(talking) {
					t.Error("the talking connection is closed too")
				}
				silent.Close()
				return
			default:
				if !alive(talking) {
					t.Fatal("the talking connection is closed")
				}
			}
		}
	})
}

func TestHandshakeTimeoutEndsWithTheFirstMessage(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		ran := make(chan struct{})
		s, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.HandshakeTimeout = 100 * time.Millisecond
			echo(w)
		})
		c := dial(t, w)
		if !alive(c) {
			t.Fatal("not served")
		}
		s.Master.After(400*time.Millisecond, func() { close(ran) })
		receive(t, ran, "the time after the deadline")
		if !alive(c) {
			t.Error("the deadline hit a connection that had sent its message")
		}
	})
}

func TestMemoryOfAPeerThatNeverReads(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "frame", func(w *workerman.Worker) {
			w.MaxSendBuffer, w.MaxPackageSize = 64<<10, 64<<10
			echo(w)
		})
		c := dial(t, w)
		message := append([]byte{0, 0, 0x40, 0}, bytes.Repeat([]byte("x"), 16<<10-4)...)
		for range 4096 { // 64 MiB, none of which the client reads
			if _, err := c.Write(message); err != nil {
				t.Fatal(err)
			}
		}
		most := 0
		eventually(t, "everything is received", func() bool {
			for conn := range w.Connections() {
				most = max(most, conn.Stats().SendQueue)
			}
			return w.Stats().Requests == 4096
		})
		if limit := 64<<10 + len(message); most > limit {
			t.Errorf("%d bytes wait for the peer, the bound is %d", most, limit)
		}
		if w.Stats().SendFail == 0 {
			t.Error("nothing was refused")
		}
	})
}

func TestLimitsOfOneConnection(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		closed := make(chan error, 1)
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.OnConnect = func(c *workerman.Conn) {
				c.SetMaxPackageSize(10)
				c.SetMaxSendBuffer(1)
			}
			echo(w)
			w.OnClose = func(c *workerman.Conn) { closed <- c.Err() }
		})
		c := dial(t, w)
		if !alive(c) {
			t.Error("a short line is refused")
		}
		fmt.Fprintln(c, strings.Repeat("x", 20))
		io.Copy(io.Discard, c)
		c.Close() // or the worker would wait a second for it
		if err := receive(t, closed, "OnClose"); err == nil {
			t.Error("a line above the connection's own limit is accepted")
		}
	})
}

func TestJSON(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		type order struct {
			Item  string
			Count int
		}
		got := make(chan order, 1)
		closed := make(chan error, 1)
		s, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.OnMessage = workerman.JSON(func(c *workerman.Conn, o order) { got <- o })
			w.OnClose = func(c *workerman.Conn) { closed <- c.Err() }
		})
		c := dial(t, w)
		io.WriteString(c, `{"item":"tea","count":3}`+"\n")
		if o := receive(t, got, "the order"); o != (order{"tea", 3}) {
			t.Errorf("%+v", o)
		}
		io.WriteString(c, "no json\n")
		if err := receive(t, closed, "OnClose"); err == nil || len(s.Log.Lines("connection closed", "message is no JSON")) != 1 {
			t.Errorf("%v\n%s", err, s.Log)
		}
	})
}
