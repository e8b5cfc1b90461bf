package workerman

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// clientOf makes a client of the service for the address of one of its workers.
func clientOf(s *testService, w *Worker, scheme string) *Client {
	a := w.Addr()
	if a.Network() == "unix" && scheme == "tcp" {
		scheme = "unix"
	} else if a.Network() == "unix" {
		scheme += "+unix"
	}
	return s.master.NewClient(scheme + "://" + a.String())
}

// happened records what callbacks tell.
type happened chan string

func (h happened) watch(cl *Client) {
	cl.OnConnect = func(c *Conn) { h <- "connect" }
	cl.OnMessage = func(c *Conn, data []byte) { h <- "message " + string(data) }
	cl.OnClose = func(c *Conn) { h <- fmt.Sprint("close ", c.Err()) }
	cl.OnError = func(c *Conn, err error) { h <- "error" }
}

func (h happened) expect(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		if got := receive(t, h, w); got != w {
			t.Fatalf("got %q, want %q", got, w)
		}
	}
}

// connect calls Connect, which must not fail.
func connect(t *testing.T, cl *Client) {
	t.Helper()
	if err := cl.Connect(); err != nil {
		t.Fatal(err)
	}
}

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
			t.Fatal(err)
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

// refusing is an address where nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// failure connects and returns what OnError gets.
func failure(t *testing.T, cl *Client) (*Conn, error) {
	t.Helper()
	type outcome struct {
		c   *Conn
		err error
	}
	got := make(chan outcome, 10)
	cl.OnConnect = func(c *Conn) { t.Error("OnConnect") }
	cl.OnClose = func(c *Conn) { t.Error("OnClose without OnConnect") }
	cl.OnError = func(c *Conn, err error) { got <- outcome{c, err} }
	connect(t, cl)
	o := receive(t, got, "OnError")
	return o.c, o.err
}

func TestClientRefused(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, _ := serve(t, k, "tcp", nil)
		cl := s.master.NewClient("tcp://" + refusing(t))
		c, err := failure(t, cl)
		var op *net.OpError
		if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &op) || op.Addr.String() != strings.TrimPrefix(cl.Address(), "tcp://") {
			t.Errorf("%v", err)
		}
		if c.Connected() || c.Client() != cl || c.Err() != err || c.Post(func() {}) || c.Send(nil) != ErrClosed {
			t.Error("the Conn of a failed attempt is no closed one")
		}
		c.Close()
		c.After(0, func() { t.Error("a timer of a Conn that never was open") })
		c.Opened()
		if got := c.LocalAddr(); got.IsValid() {
			t.Errorf("local address %v", got)
		}
		if err := cl.Send([]byte("x")); err != ErrClosed {
			t.Errorf("Send: %v", err)
		}
	})
	kinds(t, func(t *testing.T, k kind) {
		if k.network != "unix" {
			return
		}
		s, _ := serve(t, k, "tcp", nil)
		if _, err := failure(t, s.master.NewClient("unix://"+t.TempDir()+"/none")); !errors.Is(err, syscall.ENOENT) {
			t.Errorf("%v", err)
		}
	})
}

// listenRaw accepts connections for a test and passes them on.
func listenRaw(t *testing.T, addr string, serve func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return ln.Addr().String()
}

// silent reads and never answers.
func silent(c net.Conn) {
	defer c.Close()
	io.Copy(io.Discard, c)
}

func TestClientTimeout(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, _ := serve(t, k, "tcp", nil)
		addr := listenRaw(t, "127.0.0.1:0", silent)
		for _, cl := range []*Client{
			s.master.NewClient("tls://" + addr),
			s.master.NewClient("ws://" + addr),
			throughProxy(s.master.NewClient("tcp://a.test:1"), "socks5://"+addr),
			throughProxy(s.master.NewClient("tls://a.test:1"), "http://"+addr),
		} {
			cl.ConnectTimeout = 50 * time.Millisecond
			if _, err := failure(t, cl); !errors.Is(err, ErrConnectTimeout) {
				t.Errorf("%s %s: %v", cl.address, cl.Proxy, err)
			}
		}
	})
}

func throughProxy(cl *Client, proxy string) *Client {
	cl.Proxy = proxy
	return cl
}

func TestClientResetInTheHandshake(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, _ := serve(t, k, "tcp", nil)
		reset := listenRaw(t, "127.0.0.1:0", func(c net.Conn) {
			c.Read(make([]byte, 1))
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
		})
		left := listenRaw(t, "127.0.0.1:0", func(c net.Conn) {
			c.(*net.TCPConn).CloseWrite()
			silent(c)
		})
		for _, scheme := range []string{"tls", "ws", "wss"} {
			if _, err := failure(t, s.master.NewClient(scheme+"://"+reset)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s: %v, want a reset", scheme, err)
			}
			if _, err := failure(t, s.master.NewClient(scheme+"://"+left)); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: %v, want an unexpected end", scheme, err)
			}
		}
	})
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
			t.Errorf("%v", err)
		}
		cl = clientOf(s, w, "tcp")
		cl.LocalAddr = netip.MustParseAddrPort("[::1]:0")
		if _, err := failure(t, cl); err == nil || !strings.Contains(err.Error(), "LocalAddr") {
			t.Errorf("%v", err)
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

// A client keeps its callbacks, and comes back when the server does.
func TestClientBackoff(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		cl := clientOf(s, w, "text")
		h := make(happened, 100)
		h.watch(cl)
		cl.Backoff = Backoff{Min: time.Millisecond, Max: 4 * time.Millisecond}
		connect(t, cl)
		h.expect(t, "connect")
		eventually(t, "the server knows it too", func() bool { return w.Stats().Connections == 1 })
		again, addr := s.master.NewWorker(w.Address()), w.Addr().String()
		again.OnMessage = w.OnMessage
		if k.network == "tcp" {
			again.address = "text://" + addr
		}
		w.Unlisten()
		eventually(t, "the listener is gone", func() bool {
			c, err := net.Dial(k.network, addr)
			if err == nil {
				c.Close()
			}
			return err != nil
		})
		for c := range w.Connections() {
			c.Destroy()
		}
		if got := receive(t, h, "close"); !strings.HasPrefix(got, "close") {
			t.Fatalf("%q", got)
		}
		h.expect(t, "error", "error", "error")
		if err := cl.Send([]byte("meanwhile")); err != nil {
			t.Error(err)
		}
		if err := again.Listen(); err != nil {
			t.Fatal(err)
		}
		for got := "error"; got != "connect"; {
			got = receive(t, h, "connect")
			if got != "error" && got != "connect" {
				t.Fatal(got)
			}
		}
		h.expect(t, "message meanwhile")
	})
}

func TestBackoffPauses(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		b        Backoff
		failures int
		random   float64
		want     time.Duration
	}{
		{Backoff{Min: s, Jitter: -1}, 0, 0.7, s},
		{Backoff{Min: s, Jitter: -1}, 1, 0, 2 * s},
		{Backoff{Min: s, Jitter: -1}, 4, 0, 16 * s},
		{Backoff{Min: s, Jitter: -1}, 5, 0, 30 * s},
		{Backoff{Min: s, Jitter: -1}, 1 << 40, 0, 30 * s},
		{Backoff{Min: 60 * s, Jitter: -1}, 3, 0, 60 * s},
		{Backoff{Max: s, Jitter: -1}, 0, 0, s / 2},
		{Backoff{Min: 3 * s, Max: s, Jitter: -1}, 0, 0, s},
		{Backoff{Min: s}, 1, 0.5, 3 * s / 2},
		{Backoff{Min: s, Jitter: 1}, 0, 0.25, 3 * s / 4},
		{Backoff{Min: s, Jitter: 9}, 0, 1, 0},
	} {
		if got := c.b.pause(c.failures, c.random); got != c.want {
			t.Errorf("%+v after %d failures: %v, want %v", c.b, c.failures, got, c.want)
		}
	}
	if (&Backoff{Jitter: 1}).used() || !(&Backoff{Max: 1}).used() {
		t.Error("used")
	}
}

func TestClientReconnect(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		cl := clientOf(s, w, "text")
		h := make(happened, 100)
		h.watch(cl)
		connect(t, cl)
		h.expect(t, "connect")
		cl.Reconnect(time.Millisecond) // ends the connection first
		h.expect(t, "close <nil>", "connect")

		closes := 0
		cl.OnClose = func(c *Conn) {
			h <- "close"
			if closes++; closes < 3 {
				c.Client().Reconnect(0)
				c.Client().Send([]byte("from OnClose"))
			}
		}
		cl.Reconnect(0)
		h.expect(t, "close <nil>", "connect")
		for range 2 {
			cl.Conn().Close()
			h.expect(t, "close", "connect", "message from OnClose")
		}
		cl.Conn().Close()
		h.expect(t, "close")
		eventually(t, "it has ended", func() bool { return cl.Send(nil) == ErrClosed })

		cl.address = "text://" + refusing(t)
		errs := 0
		cl.OnError = func(c *Conn, err error) {
			h <- "error"
			if errs++; errs < 3 {
				c.Client().Reconnect(time.Millisecond)
			}
		}
		connect(t, cl)
		h.expect(t, "error", "error", "error")
	})
}

// Close in any state, also twice, and Connect behind it.
func TestClientCloseEndsAttempts(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		slow := listenRaw(t, "127.0.0.1:0", silent)
		for _, address := range []string{"tls://" + slow, "tcp://" + slow, "tcp://" + refusing(t), "text://" + w.Addr().String()} {
			cl := s.master.NewClient(address)
			cl.Backoff.Min = time.Millisecond
			cl.OnMessage = func(c *Conn, data []byte) { t.Errorf("%q", data) }
			cl.Close()
			connect(t, cl)
			cl.Send([]byte("dropped"))
			cl.Close()
			cl.Close()
			if err := cl.Send(nil); err != ErrClosed {
				t.Errorf("%v", err)
			}
		}
		eventually(t, "no client is left", func() bool {
			return len(s.master.registered()) == 0 && s.master.outgoing.Load() == 0
		})
	})
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
		trying.OnError = func(c *Conn, err error) { t.Error(err) }
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
			t.Error(err)
		}
	})
}

// proxyTo pipes a connection to a server through a client on the same loop.
func proxyTo(address string, c *Conn, connects *atomic.Int64) {
	c.PauseRecv()
	up := c.NewClient(address)
	up.OnConnect = func(u *Conn) {
		if u.stream.Loop() != c.stream.Loop() {
			panic("another loop")
		}
		connects.Add(1)
		c.Pipe(u)
		u.Pipe(c)
		c.ResumeRecv()
	}
	up.OnError = func(_ *Conn, err error) { c.Close() }
	up.Connect()
}

func TestClientPipes(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		var connects atomic.Int64
		var address atomic.Value
		var back *Worker
		_, front := serve(t, k, "tcp", func(w *Worker) {
			w.Loops = 2
			w.MaxSendBuffer = 128 << 10
			back = w.master.NewWorker(k.address(t, "tcp"))
			echo(back)
			back.MaxSendBuffer = 64 << 20
			w.OnConnect = func(c *Conn) { proxyTo(address.Load().(string), c, &connects) }
		})
		address.Store(map[string]string{"tcp": "tcp://", "unix": "unix://"}[k.network] + back.Addr().String())
		const size = 2 << 20
		for i := range 4 {
			c := dial(t, front)
			go c.Write(numbered(i, size))
			got := make([]byte, size)
			if n, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, numbered(i, size)) {
				t.Fatalf("%d of %d bytes, %v", n, size, err)
			}
			c.Close()
		}
		eventually(t, "all are gone", func() bool { return back.Stats().Connections+front.Stats().Connections == 0 })
		if connects.Load() != 4 {
			t.Errorf("%d connections through the proxy", connects.Load())
		}
		back.Unlisten()
		eventually(t, "the server refuses", func() bool {
			c := dial(t, front)
			defer c.Close()
			c.Write([]byte("x"))
			_, err := c.Read(make([]byte, 1))
			return err != nil
		})
	})
}

func TestClientManyCycles(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		const clients, cycles = 10, 100
		done := make(chan struct{}, clients)
		for i := range clients {
			cl := clientOf(s, w, "text")
			n, want := 0, fmt.Sprint(i)
			cl.OnConnect = func(c *Conn) { c.Send([]byte(want)) }
			cl.OnMessage = func(c *Conn, data []byte) {
				if string(data) != want {
					t.Errorf("%q, want %q", data, want)
				}
				if n%2 == 0 {
					c.Close()
				} else {
					c.Destroy()
				}
			}
			cl.OnError = func(c *Conn, err error) {
				if !errors.Is(err, syscall.EAGAIN) { // the queue of a Unix socket is full
					t.Error(err)
				}
				cl.Reconnect(time.Millisecond)
			}
			cl.OnClose = func(c *Conn) {
				if n++; n < cycles {
					cl.Reconnect(0)
				} else {
					done <- struct{}{}
				}
			}
			connect(t, cl)
		}
		for range clients {
			receive(t, done, "all cycles")
		}
		eventually(t, "nothing is left", func() bool {
			return s.master.outgoing.Load() == 0 && len(s.master.registered()) == 0 && w.Stats().Connections == 0
		})
		if n := w.Stats().Accepted; n < clients*cycles {
			t.Errorf("%d connections", n)
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
