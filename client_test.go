package workerman

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestClientConversation(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		for _, scheme := range []string{"tcp", "text", "frame"} {
			t.Run(scheme, func(t *testing.T) {
				s, w := serve(t, k, scheme, echo)
				cl := clientOf(s, w, scheme)
				h := make(happened, 10)
				h.watch(cl)
				if cl.Send([]byte("early")) != nil {
					t.Fatal("not queued")
				}
				connect(t, cl)
				h.expect(t, "connect", "message early")
				c := cl.Conn()
				if c.Client() != cl || c.Worker() != nil || !c.Connected() || c.Transport() != k.network {
					t.Errorf("client %p, worker %p, connected %v, transport %s", c.Client(), c.Worker(), c.Connected(), c.Transport())
				}
				if k.network == "tcp" && c.RemoteAddr().String() != w.Addr().String() {
					t.Errorf("peer %v, want %v", c.RemoteAddr(), w.Addr())
				}
				cl.Connect() // is connected already
				cl.Send([]byte("later"))
				h.expect(t, "message later")
				cl.Close()
				h.expect(t, "close <nil>")
				if err := cl.Send([]byte("x")); err != ErrClosed || cl.Conn() != nil {
					t.Errorf("after Close: %v, %v", err, cl.Conn())
				}
				connect(t, cl)
				h.expect(t, "connect")
			})
		}
	})
}

// What was sent before the connection is up leaves in order, behind what OnConnect sends.
func TestClientQueue(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		got := make(chan string, 2000)
		s, w := serve(t, k, "text", func(w *Worker) {
			w.OnMessage = func(c *Conn, data []byte) { got <- string(data) }
		})
		cl := clientOf(s, w, "text")
		cl.OnConnect = func(c *Conn) {
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
		if first := receive(t, got, "login"); first != "login" {
			t.Fatalf("%q came first", first)
		}
		seen, next := false, 0
		for range 1001 {
			switch m := receive(t, got, "message"); m {
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
	s, w := serve(t, kind{network: "tcp"}, "text", echo)
	cl := clientOf(s, w, "text")
	cl.MaxSendBuffer = 1000
	for range 10 {
		if err := cl.Send(make([]byte, 100)); err != nil {
			t.Fatalf("Send: %v", err)
		}
	}
	if err := cl.Send([]byte("x")); err != ErrBufferFull {
		t.Errorf("%v, want ErrBufferFull", err)
	}
	h := make(happened, 20)
	h.watch(cl)
	connect(t, cl)
	h.expect(t, "connect")
	for range 10 {
		h.expect(t, "message "+string(make([]byte, 100)))
	}
}

func TestClientLocalAddr(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		peers := make(chan netip.AddrPort, 1)
		s, w := serve(t, k, "tcp", func(w *Worker) {
			w.OnConnect = func(c *Conn) { peers <- c.RemoteAddr() }
		})
		cl := clientOf(s, w, "tcp")
		cl.LocalAddr = netip.MustParseAddrPort("127.0.0.2:0")
		connect(t, cl)
		peer := receive(t, peers, "the connection")
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

func TestClientMistakes(t *testing.T) {
	m := new(Master)
	for _, c := range []struct {
		address string
		set     func(*Client)
		want    string
	}{
		{"127.0.0.1:80", nil, "no scheme"},
		{"http://127.0.0.1:80", nil, "speaks no HTTP"},
		{"udp://127.0.0.1:0", nil, "no port"},
		{"ws+udp://127.0.0.1:80", nil, "not udp"},
		{"text+udp://127.0.0.1:80", func(cl *Client) { cl.TLS = new(tls.Config) }, "TLS needs a stream"},
		{"udp://127.0.0.1:80", func(cl *Client) { cl.Proxy = "socks5://h:1" }, "over tcp only"},
		{"nonsense://127.0.0.1:80", nil, "unknown scheme"},
		{"tcp://127.0.0.1:0", nil, "no port"},
		{"tcp://127.0.0.1", nil, "HOST:PORT"},
		{"ws://", nil, "HOST:PORT"},
		{"ws://user@host/", nil, "no host name has"},
		{"ws://a.test/with space", nil, "target"},
		{"ssl+unix:///run/x", nil, ""},
		{"text+ssl://127.0.0.1:1", func(cl *Client) { cl.ConnectTimeout = -1 }, "negative"},
		{"tcp://a.test:1", func(cl *Client) { cl.Backoff.Min = -1 }, "negative"},
		{"tcp://a.test:1", func(cl *Client) { cl.MaxPackageSize = -1 }, "negative"},
		{"tcp://a.test:1", func(cl *Client) { cl.Proxy = "ftp://h:1" }, "scheme"},
		{"tcp://a.test:1", func(cl *Client) { cl.Proxy = "h:1" }, "no SCHEME"},
		{"tcp://a.test:1", func(cl *Client) { cl.Proxy = "socks5://:secret@h:1" }, "1 to 255 bytes"},
		{"unix:///run/x", func(cl *Client) { cl.Proxy = "socks5://h:1" }, "over tcp only"},
		{"unix:///run/x", func(cl *Client) { cl.LocalAddr = netip.MustParseAddrPort("127.0.0.1:0") }, "LocalAddr"},
	} {
		cl := m.NewClient(c.address)
		if c.set != nil {
			c.set(cl)
		}
		err := cl.Connect()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.address) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want an error with %q", c.address, err, c.want)
		}
	}
}

func TestClientTargets(t *testing.T) {
	for _, c := range []struct{ in, addr, target string }{
		{"ws://a.test", "a.test:80", "/"},
		{"wss://a.test", "a.test:443", "/"},
		{"wss://[::1]/x", "[::1]:443", "/x"},
		{"ws://a.test:8080/chat?room=1#top", "a.test:8080", "/chat?room=1"},
		{"ws://a.test?x=/", "a.test:80", "/?x=/"},
		{"WS://a.test:1#x", "a.test:1", "/"},
		{"ws+ssl://a.test", "a.test:443", "/"},
		{"ws+unix:///run/x.sock", "/run/x.sock", ""},
		{"text://a.test:1", "a.test:1", ""},
	} {
		e, target, err := parseTarget(c.in)
		if err != nil || e.addr.String() != c.addr || target != c.target {
			t.Errorf("%s: %v %q, %v", c.in, e.addr, target, err)
		}
	}
}

func TestClientsOfAStoppedMaster(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		closed := make(chan error, 1)
		up := clientOf(s, w, "text")
		up.Backoff.Min = time.Millisecond
		up.OnMessage = func(c *Conn, data []byte) {}
		up.OnClose = func(c *Conn) { closed <- c.Client().Connect() }
		connect(t, up)
		slow := listenRaw(t, "127.0.0.1:0", silent)
		trying := s.master.NewClient("tls://" + slow)
		trying.OnError = func(c *Conn, err error) { t.Errorf("OnError: %v", err) }
		connect(t, trying)
		waiting := s.master.NewClient("tcp://" + refusing(t))
		waiting.Backoff.Min = time.Hour
		failed := make(chan error, 10)
		waiting.OnError = func(c *Conn, err error) { failed <- err }
		connect(t, waiting)
		receive(t, failed, "OnError")
		eventually(t, "it is up", func() bool { return up.Conn() != nil })
		s.stop()
		if err := receive(t, closed, "OnClose"); !errors.Is(err, ErrNotRunning) {
			t.Errorf("Connect during the stop: %v", err)
		}
		if n := len(s.master.registered()) + int(s.master.outgoing.Load()); n != 0 {
			t.Errorf("%d left", n)
		}
	})
}

// A program of clients alone needs no worker.
func TestClientsAlone(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "text", echo)
		m := &Master{Portable: k.portable, Logger: discardLogger()}
		h := make(happened, 10)
		cl := m.NewClient("text://" + w.Addr().String())
		h.watch(cl)
		cl.Send([]byte("before Run"))
		connect(t, cl)
		cl.Send([]byte("too"))
		done := make(chan error)
		go func() { done <- m.Run(t.Context()) }()
		h.expect(t, "connect", "message before Run", "message too")
		m.StopAll()
		h.expect(t, "close <nil>")
		if err := receive(t, done, "Run"); err != nil {
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
		h.watch(cl)
		cl.Backoff.Min = time.Millisecond
		connects := 0
		cl.OnConnect = func(c *Conn) {
			if connects++; connects == 1 {
				panic("in OnConnect")
			}
			h <- "connect"
		}
		connect(t, cl)
		h.expect(t, "close panic: in OnConnect", "connect")
		bad := s.master.NewClient("tcp://" + refusing(t))
		bad.OnError = func(c *Conn, err error) { defer func() { h <- "error" }(); panic("in OnError") }
		connect(t, bad)
		h.expect(t, "error")
		eventually(t, "both are logged", func() bool { return len(s.log.lines("panic in a callback")) == 2 })
	})
}

func TestClientIdleTimeout(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", nil)
		cl := clientOf(s, w, "text")
		cl.Name = "bored"
		cl.IdleTimeout = 20 * time.Millisecond
		h := make(happened, 10)
		h.watch(cl)
		connect(t, cl)
		h.expect(t, "connect", "close idle timeout: nothing received for 20ms")
		if len(s.log.lines("connection closed", "client=bored", "idle timeout")) != 1 {
			t.Errorf("log:\n%s", s.log)
		}
	})
}
