package clients

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

func TestClientRefused(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, _ := serve(t, k, "tcp", nil)
		cl := s.Master.NewClient("tcp://" + refusing(t))
		c, err := failure(t, cl)
		var op *net.OpError
		if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &op) || op.Addr.String() != strings.TrimPrefix(cl.Address(), "tcp://") {
			t.Errorf("the failure is %v, want %v of %s", err, syscall.ECONNREFUSED, cl.Address())
		}
		if c.Connected() || c.Client() != cl || c.Err() != err || c.Post(func() {}) || c.Send(nil) != workerman.ErrClosed {
			t.Error("the Conn of a failed attempt is no closed one")
		}
		c.Close()
		c.After(0, func() { t.Error("a timer of a Conn that never was open") })
		c.Opened()
		if got := c.LocalAddr(); got.IsValid() {
			t.Errorf("local address %v", got)
		}
		if err := cl.Send([]byte("x")); err != workerman.ErrClosed {
			t.Errorf("Send: %v", err)
		}
	})
	kinds(t, func(t *testing.T, k kind) {
		if k.Network != "unix" {
			return
		}
		s, _ := serve(t, k, "tcp", nil)
		if _, err := failure(t, s.Master.NewClient("unix://"+t.TempDir()+"/none")); !errors.Is(err, syscall.ENOENT) {
			t.Errorf("the failure is %v, want %v", err, syscall.ENOENT)
		}
	})
}

func TestClientTimeout(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, _ := serve(t, k, "tcp", nil)
		addr := listenRaw(t, "127.0.0.1:0", silent)
		for _, cl := range []*workerman.Client{
			s.Master.NewClient("tls://" + addr),
			s.Master.NewClient("ws://" + addr),
			throughProxy(s.Master.NewClient("tcp://a.test:1"), "socks5://"+addr),
			throughProxy(s.Master.NewClient("tls://a.test:1"), "http://"+addr),
		} {
			cl.ConnectTimeout = 50 * time.Millisecond
			if _, err := failure(t, cl); !errors.Is(err, workerman.ErrConnectTimeout) {
				t.Errorf("%s %s: %v", cl.Address(), cl.Proxy, err)
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
			if _, err := failure(t, s.Master.NewClient(scheme+"://"+reset)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s: %v, want a reset", scheme, err)
			}
			if _, err := failure(t, s.Master.NewClient(scheme+"://"+left)); !errors.Is(err, io.ErrUnexpectedEOF) {
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
		h.Watch(cl)
		cl.Backoff = workerman.Backoff{Min: time.Millisecond, Max: 4 * time.Millisecond}
		connect(t, cl)
		h.Expect(t, "connect")
		eventually(t, "the server knows it too", func() bool { return w.Stats().Connections == 1 })
		address, addr := w.Address(), w.Addr().String()
		if k.Network == "tcp" {
			address = "text://" + addr
		}
		again := s.Master.NewWorker(address)
		again.OnMessage = w.OnMessage
		w.Unlisten()
		eventually(t, "the listener is gone", func() bool {
			c, err := net.Dial(k.Network, addr)
			if err == nil {
				c.Close()
			}
			return err != nil
		})
		for c := range w.Connections() {
			c.Destroy()
		}
		if got := testkit.Receive(t, h, "close"); !strings.HasPrefix(got, "close") {
			t.Fatalf("callback %q, want the close", got)
		}
		h.Expect(t, "error", "error", "error")
		if err := cl.Send([]byte("meanwhile")); err != nil {
			t.Errorf("Send: %v", err)
		}
		if err := again.Listen(); err != nil {
			t.Fatalf("Listen: %v", err)
		}
		for got := "error"; got != "connect"; {
			got = testkit.Receive(t, h, "connect")
			if got != "error" && got != "connect" {
				t.Fatalf("callback %q, want an error or the connect", got)
			}
		}
		h.Expect(t, "message meanwhile")
	})
}

func TestClientReconnect(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		cl := clientOf(s, w, "text")
		h := make(happened, 100)
		h.Watch(cl)
		connect(t, cl)
		h.Expect(t, "connect")
		cl.Reconnect(time.Millisecond) // ends the connection first
		h.Expect(t, "close <nil>", "connect")

		closes := 0
		cl.OnClose = func(c *workerman.Conn) {
			h <- "close"
			if closes++; closes < 3 {
				c.Client().Reconnect(0)
				c.Client().Send([]byte("from OnClose"))
			}
		}
		cl.Reconnect(0)
		h.Expect(t, "close <nil>", "connect")
		for range 2 {
			cl.Conn().Close()
			h.Expect(t, "close", "connect", "message from OnClose")
		}
		cl.Conn().Close()
		h.Expect(t, "close")
		eventually(t, "it has ended", func() bool { return cl.Send(nil) == workerman.ErrClosed })

		nobody := s.Master.NewClient("text://" + refusing(t))
		nobody.ClientOptions = cl.ClientOptions
		errs := 0
		nobody.OnError = func(c *workerman.Conn, err error) {
			h <- "error"
			if errs++; errs < 3 {
				c.Client().Reconnect(time.Millisecond)
			}
		}
		connect(t, nobody)
		h.Expect(t, "error", "error", "error")
	})
}

// A full queue of a listener swallows what asks for a connection.
func TestClientTimeoutOfTheConnect(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, _ := serve(t, k, "tcp", nil)
		addr := testkit.FullListener(t)
		cl := s.Master.NewClient("tcp://" + addr)
		cl.ConnectTimeout = 50 * time.Millisecond
		if _, err := failure(t, cl); !errors.Is(err, workerman.ErrConnectTimeout) || !strings.Contains(err.Error(), "connect not done within 50ms") {
			t.Errorf("%v", err)
		}
	})
}
