package loop

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/socket"
)

// connected is the outcome of Connect.
type connected struct {
	in  Incoming
	err error
}

// connectOn connects on the loop and returns the outcome.
func connectOn(t *testing.T, l *Loop, target Target) connected {
	t.Helper()
	got := make(chan connected, 1)
	l.Post(func() {
		early := true
		l.Connect(target, func(in Incoming, err error) {
			if early {
				t.Error("done was called by Connect")
			}
			got <- connected{in, err}
		})
		early = false
	})
	return await(t, got)
}

func listenOn(t *testing.T, network, addr string) (net.Listener, Target) {
	t.Helper()
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	if network == "unix" {
		return ln, Target{Path: addr}
	}
	return ln, Target{Addr: socket.AddrPort(ln.Addr())}
}

// A connected socket is a stream like an accepted one.
func TestConnect(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		for _, network := range []string{"tcp", "tcp6", "unix"} {
			addr := map[string]string{"tcp": "127.0.0.1:0", "tcp6": "[::1]:0", "unix": filepath.Join(t.TempDir(), "s")}[network]
			ln, target := listenOn(t, network, addr)
			c := connectOn(t, l, target)
			if c.err != nil || c.in.Remote != target.Addr || c.in.Unix != (network == "unix") {
				t.Fatalf("%s: %+v", network, c)
			}
			o := &greeter{received: make(chan []byte, 10), closed: make(chan error, 1)}
			l.Post(func() {
				if err := l.Attach(&o.stream, c.in, o, time.Second); err != nil {
					t.Error(err)
				}
				o.send("hello")
			})
			peer, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			peer.SetDeadline(time.Now().Add(patience))
			b := make([]byte, 5)
			if _, err := peer.Read(b); err != nil || string(b) != "hello" {
				t.Errorf("%s: %q, %v", network, b, err)
			}
			peer.Write([]byte("answer"))
			if got := await(t, o.received); string(got) != "answer" {
				t.Errorf("%s: %q", network, got)
			}
			peer.Close()
			if err := await(t, o.closed); err != nil {
				t.Errorf("%s: closed with %v", network, err)
			}
		}
	})
}

// greeter is an owner that reports what it receives.
type greeter struct {
	stream   Stream
	received chan []byte
	closed   chan error
}

func (g *greeter) send(text string) {
	if tx, ok := g.stream.Begin(); ok {
		tx.Append([]byte(text))
		tx.Commit(1 << 20)
	}
}

func (g *greeter) Receive(b []byte) (used, want int) {
	g.received <- bytes.Clone(b)
	return len(b), 0
}
func (g *greeter) EndOfInput() bool {
	g.stream.Close()
	return true
}
func (g *greeter) Attention(uint32)     {}
func (g *greeter) Drained()             {}
func (g *greeter) Deadline(int64) int64 { return 0 }
func (g *greeter) Secured(error)        {}
func (g *greeter) Closed(err error)     { g.closed <- err }

func TestConnectFails(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		ln, refused := listenOn(t, "tcp", "127.0.0.1:0")
		ln.Close()
		foreign := refused
		foreign.Local = netip.MustParseAddrPort("203.0.113.7:0")
		for _, c := range []struct {
			target Target
			want   error
			addr   string
		}{
			{refused, syscall.ECONNREFUSED, refused.Addr.String()},
			{foreign, syscall.EADDRNOTAVAIL, refused.Addr.String()},
			{Target{Path: filepath.Join(t.TempDir(), "none")}, syscall.ENOENT, ""},
		} {
			got := connectOn(t, l, c.target)
			var op *net.OpError
			if !errors.Is(got.err, c.want) || !errors.As(got.err, &op) || op.Op != "dial" || c.addr != "" && op.Addr.String() != c.addr {
				t.Errorf("%+v: %v, want %v", c.target, got.err, c.want)
			}
		}
	})
}

// A socket that TCP connects to itself has no server.
func TestConnectToItself(t *testing.T) {
	l := startLoop(t, Native)
	ln, target := listenOn(t, "tcp", "127.0.0.1:0")
	ln.Close()
	target.Local = target.Addr
	if c := connectOn(t, l, target); !errors.Is(c.err, syscall.ECONNREFUSED) {
		t.Errorf("%+v", c)
	}
}

func TestConnectFromAnAddress(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		ln, target := listenOn(t, "tcp", "127.0.0.1:0")
		target.Local = netip.MustParseAddrPort("127.0.0.9:0")
		c := connectOn(t, l, target)
		if c.err != nil {
			t.Fatal(c.err)
		}
		peer, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		if got := socket.AddrPort(peer.RemoteAddr()).Addr(); got != target.Local.Addr() {
			t.Errorf("from %v", got)
		}
		c.in.Discard()
	})
}

// A connection that was given up is closed, however far it has got.
func TestConnectCancelled(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		l := startLoop(t, e)
		ln, target := listenOn(t, "tcp", "127.0.0.1:0")
		for range 50 {
			over := make(chan struct{})
			l.Post(func() {
				c := l.Connect(target, func(Incoming, error) { t.Error("done was called") })
				c.Cancel()
				c.Cancel()
				close(over)
			})
			await(t, over)
		}
		// The listener sees the end of each that got through, and then the last.
		last := connectOn(t, l, target)
		if last.err != nil {
			t.Fatal(last.err)
		}
		last.in.Discard()
		ln.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
		peer, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		peer.SetDeadline(time.Now().Add(patience))
		if n, err := peer.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("%d, %v from a connection that was given up", n, err)
		}
	})
}

// A stream that was abandoned is a closed one.
func TestAbandon(t *testing.T) {
	l := startLoop(t, Native)
	var s Stream
	l.Abandon(&s, nil)
	if _, ok := s.Begin(); ok || s.Open() || s.Close() || s.Loop() != l || s.LocalAddr().IsValid() || l.Streams() != 0 {
		t.Error("it is open")
	}
	s.Destroy(ErrDestroyed)
	s.Pause(1)
	s.Resume(1)
}
