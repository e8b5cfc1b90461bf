package clients

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

func TestClientConversation(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		for _, scheme := range []string{"tcp", "text", "frame"} {
			t.Run(scheme, func(t *testing.T) {
				s, w := serve(t, k, scheme, echo)
				cl := clientOf(s, w, scheme)
				h := make(happened, 10)
				h.Watch(cl)
				if cl.Send([]byte("early")) != nil {
					t.Fatal("not queued")
				}
				connect(t, cl)
				h.Expect(t, "connect", "message early")
				c := cl.Conn()
				if c.Client() != cl || c.Worker() != nil || !c.Connected() || c.Transport() != k.Network {
					t.Errorf("client %p, worker %p, connected %v, transport %s", c.Client(), c.Worker(), c.Connected(), c.Transport())
				}
				if k.Network == "tcp" && c.RemoteAddr().String() != w.Addr().String() {
					t.Errorf("peer %v, want %v", c.RemoteAddr(), w.Addr())
				}
				cl.Connect() // is connected already
				cl.Send([]byte("later"))
				h.Expect(t, "message later")
				cl.Close()
				h.Expect(t, "close <nil>")
				if err := cl.Send([]byte("x")); err != workerman.ErrClosed || cl.Conn() != nil {
					t.Errorf("after Close: %v, %v", err, cl.Conn())
				}
				connect(t, cl)
				h.Expect(t, "connect")
			})
		}
	})
}

// What was sent before the connection is up leaves in order, behind what OnConnect sends.
func TestClientQueue(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		got := make(chan string, 2000)
		s, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) { got <- string(data) }
		})
		cl := clientOf(s, w, "text")
		cl.OnConnect = func(c *workerman.Conn) {
			c.Send([]byte("login"))
			cl.Send([]byte("1000"))
		}
		for i := range 500 {
			cl.Send([]byte(fmt.Sprint(i)))
		}
		connect(t, cl)
		for i := 500; i < 1000; i++ {
			cl.Send([]byte(fmt.Sprint(i)))
		}
		if first := testkit.Receive(t, got, "login"); first != "login" {
			t.Fatalf("%q came first", first)
		}
		seen, next := false, 0
		for range 1001 {
			switch m := testkit.Receive(t, got, "message"); m {
			case "1000":
				seen = true
			case fmt.Sprint(next):
				next++
			default:
				t.Fatalf("%q, want %d", m, next)
			}
		}
		if !seen {
			t.Error("the message of OnConnect is missing")
		}
	})
}

func TestClientQueueIsBounded(t *testing.T) {
	s, w := serve(t, kind{Network: "tcp"}, "text", echo)
	cl := clientOf(s, w, "text")
	cl.MaxSendBuffer = 1000
	for range 10 {
		if err := cl.Send(make([]byte, 100)); err != nil {
			t.Fatalf("Send: %v", err)
		}
	}
	if err := cl.Send([]byte("x")); err != workerman.ErrBufferFull {
		t.Errorf("%v, want ErrBufferFull", err)
	}
	h := make(happened, 20)
	h.Watch(cl)
	connect(t, cl)
	h.Expect(t, "connect")
	for range 10 {
		h.Expect(t, "message "+string(make([]byte, 100)))
	}
}

func TestClientLocalAddr(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		peers := make(chan netip.AddrPort, 1)
		s, w := serve(t, k, "tcp", func(w *workerman.Worker) {
			w.OnConnect = func(c *workerman.Conn) { peers <- c.RemoteAddr() }
		})
		cl := clientOf(s, w, "tcp")
		cl.LocalAddr = netip.MustParseAddrPort("127.0.0.2:0")
		connect(t, cl)
		peer := testkit.Receive(t, peers, "the connection")
		if peer.Addr() != cl.LocalAddr.Addr() {
			t.Errorf("it came from %v", peer)
		}
		eventually(t, "the client knows it too", func() bool { return cl.Conn() != nil })
		if got := cl.Conn().LocalAddr(); got != peer {
			t.Errorf("local address %v, want %v", got, peer)
		}
		cl = clientOf(s, w, "tcp")
		cl.LocalAddr = netip.MustParseAddrPort("203.0.113.9:0")
		if _, err := failure(t, cl); !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Errorf("the failure is %v, want %v", err, syscall.EADDRNOTAVAIL)
		}
		cl = clientOf(s, w, "tcp")
		cl.LocalAddr = netip.MustParseAddrPort("[::1]:0")
		if _, err := failure(t, cl); err == nil || !strings.Contains(err.Error(), "LocalAddr") {
			t.Errorf("the failure is %v, want one about LocalAddr", err)
		}
	})
}

// A program of clients alone needs no worker.
func TestClientsAlone(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "text", echo)
		m := &workerman.Master{Portable: k.Portable, Logger: workertest.DiscardLogger()}
		h := make(happened, 10)
		cl := m.NewClient("text://" + w.Addr().String())
		h.Watch(cl)
		cl.Send([]byte("before Run"))
		connect(t, cl)
		cl.Send([]byte("too"))
		done := make(chan error)
		go func() { done <- m.Run(t.Context()) }()
		h.Expect(t, "connect", "message before Run", "message too")
		m.StopAll()
		h.Expect(t, "close <nil>")
		if err := testkit.Receive(t, done, "Run"); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// A panic in a callback closes the connection; Backoff goes on.
func TestClientPanics(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		cl := clientOf(s, w, "text")
		h := make(happened, 10)
		h.Watch(cl)
		cl.Backoff.Min = time.Millisecond
		connects := 0
		cl.OnConnect = func(c *workerman.Conn) {
			if connects++; connects == 1 {
				panic("in OnConnect")
			}
			h <- "connect"
		}
		connect(t, cl)
		h.Expect(t, "close panic: in OnConnect", "connect")
		bad := s.Master.NewClient("tcp://" + refusing(t))
		bad.OnError = func(c *workerman.Conn, err error) { defer func() { h <- "error" }(); panic("in OnError") }
		connect(t, bad)
		h.Expect(t, "error")
		eventually(t, "both are logged", func() bool { return len(s.Log.Lines("panic in a callback")) == 2 })
	})
}

func TestClientIdleTimeout(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", nil)
		cl := clientOf(s, w, "text")
		cl.Name = "bored"
		cl.IdleTimeout = 20 * time.Millisecond
		h := make(happened, 10)
		h.Watch(cl)
		connect(t, cl)
		h.Expect(t, "connect", "close idle timeout: nothing received for 20ms")
		if len(s.Log.Lines("connection closed", "client=bored", "idle timeout")) != 1 {
			t.Errorf("log:\n%s", s.Log)
		}
	})
}

// The system's resolver, with a name that needs no network.
func TestClientOfLocalhost(t *testing.T) {
	s, w := serve(t, kind{Network: "tcp"}, "text", echo)
	cl := s.Master.NewClient(fmt.Sprintf("text://localhost:%s", strings.Split(w.Addr().String(), ":")[1]))
	h := make(happened, 10)
	h.Watch(cl)
	connect(t, cl)
	h.Expect(t, "connect")
}
