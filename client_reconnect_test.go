package workerman

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestClientRefused(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, _ := serve(t, k, "tcp", nil)
		cl := s.master.NewClient("tcp://" + refusing(t))
		c, err := failure(t, cl)
		var op *net.OpError
		if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &op) || op.Addr.String() != strings.TrimPrefix(cl.Address(), "tcp://") {
			t.Errorf("the failure is %v, want %v of %s", err, syscall.ECONNREFUSED, cl.Address())
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
			t.Errorf("the failure is %v, want %v", err, syscall.ENOENT)
		}
	})
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
			t.Fatalf("callback %q, want the close", got)
		}
		h.expect(t, "error", "error", "error")
		if err := cl.Send([]byte("meanwhile")); err != nil {
			t.Errorf("Send: %v", err)
		}
		if err := again.Listen(); err != nil {
			t.Fatalf("Listen: %v", err)
		}
		for got := "error"; got != "connect"; {
			got = receive(t, h, "connect")
			if got != "error" && got != "connect" {
				t.Fatalf("callback %q, want an error or the connect", got)
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
			cl.OnMessage = func(c *Conn, data []byte) { t.Errorf("message %q, want none", data) }
			cl.Close()
			connect(t, cl)
			cl.Send([]byte("dropped"))
			cl.Close()
			cl.Close()
			if err := cl.Send(nil); err != ErrClosed {
				t.Errorf("Send after Close: %v, want %v", err, ErrClosed)
			}
		}
		eventually(t, "no client is left", func() bool {
			return len(s.master.registered()) == 0 && s.master.outgoing.Load() == 0
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
					t.Errorf("OnError: %v, want %v at most", err, syscall.EAGAIN)
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
