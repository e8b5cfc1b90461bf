package workerman_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/websocket"
)

func addrs(list ...string) (ips []netip.Addr) {
	for _, a := range list {
		ips = append(ips, netip.MustParseAddr(a))
	}
	return ips
}

// lookUps answers what a test says, and counts.
func lookUps(s *service, count *atomic.Int64, ips ...netip.Addr) {
	s.Master.Resolver().LookUp = func(_ context.Context, name string) ([]netip.Addr, error) {
		count.Add(1)
		if name != "server.test" {
			return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
		}
		return ips, nil
	}
}

func port(w *workerman.Worker) string {
	_, port, _ := net.SplitHostPort(w.Addr().String())
	return port
}

// The first address refuses: the next one is tried at once.
func TestClientTriesAllAddresses(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		var count atomic.Int64
		lookUps(s, &count, addrs("127.0.0.3", "::1", "127.0.0.1")...)
		h := make(happened, 20)
		for range 3 { // and the answer is remembered
			cl := s.Master.NewClient("text://server.test:" + port(w))
			h.Watch(cl)
			connect(t, cl)
			h.Expect(t, "connect")
			cl.Close()
			h.Expect(t, "close <nil>")
		}
		if n := count.Load(); n != 1 {
			t.Errorf("%d look-ups", n)
		}
		var op *net.OpError
		cl := s.Master.NewClient("text://server.test:" + strings.Split(refusing(t), ":")[1])
		_, err := failure(t, cl)
		if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &op) || !strings.Contains(err.Error(), "127.0.0.3") || !strings.Contains(err.Error(), "127.0.0.1:") {
			t.Errorf("%v", err)
		}
	})
}

func TestClientUnknownName(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, _ := serve(t, k, "text", echo)
		var count atomic.Int64
		lookUps(s, &count)
		var dns *net.DNSError
		for _, host := range []string{"unknown.test", "server.test"} {
			if _, err := failure(t, s.Master.NewClient("text://"+host+":1")); !errors.As(err, &dns) || dns.Name != host {
				t.Errorf("%v", err)
			}
		}
	})
}

// Who asks for a name while it is being looked up waits with the first, and a client that
// is closed meanwhile hears nothing.
func TestClientsShareALookUp(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		var count atomic.Int64
		release := make(chan struct{})
		s.Master.Resolver().LookUp = func(context.Context, string) ([]netip.Addr, error) {
			count.Add(1)
			<-release
			return addrs("127.0.0.1"), nil
		}
		h := make(happened, 20)
		var all []*workerman.Client
		for range 5 {
			cl := s.Master.NewClient("text://server.test:" + port(w))
			h.Watch(cl)
			connect(t, cl)
			all = append(all, cl)
		}
		eventually(t, "all wait", func() bool { return s.Master.Resolver().Waiting() == 5 })
		late := s.Master.NewClient("text://server.test:" + port(w))
		late.ConnectTimeout = 30 * time.Millisecond
		if _, err := failure(t, late); !errors.Is(err, workerman.ErrConnectTimeout) || !strings.Contains(err.Error(), "look-up of server.test") {
			t.Errorf("%v", err)
		}
		all[0].Close()
		eventually(t, "it is forgotten", func() bool { return len(s.Master.Registered()) == 4 })
		close(release)
		h.Expect(t, "connect", "connect", "connect", "connect")
		if n := count.Load(); n != 1 {
			t.Errorf("%d look-ups", n)
		}
	})
}

// Names are looked up as for streams, LocalAddr holds, and Backoff is for what does not
// come up or ends by a panic.
func TestClientUDPReconnects(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "udp", echo)
		var count atomic.Int64
		s.Master.Resolver().LookUp = func(_ context.Context, name string) ([]netip.Addr, error) {
			if count.Add(1) < 3 {
				return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
			}
			return addrs("2001:db8::1", "127.0.0.1"), nil
		}
		cl := s.Master.NewClient("udp://server.test:" + port(w))
		h := make(happened, 10)
		h.Watch(cl)
		cl.LocalAddr = netip.MustParseAddrPort("127.0.0.9:0")
		cl.Backoff = workerman.Backoff{Min: time.Millisecond, Max: 2 * time.Millisecond}
		cl.OnMessage = func(c *workerman.Conn, data []byte) {
			h <- "message " + string(data)
			panic("of the test")
		}
		cl.Send([]byte("x"))
		connect(t, cl)
		h.Expect(t, "error", "error", "connect", "message x", "close panic: of the test", "connect")
		if got := cl.Conn().LocalAddr().Addr(); got != cl.LocalAddr.Addr() {
			t.Errorf("from %v", got)
		}
		cl.Conn().Close()
		h.Expect(t, "close <nil>")
		eventually(t, "it has ended", func() bool { return len(s.Master.Registered()) == 0 })

		cl = s.Master.NewClient("udp://" + w.Addr().String())
		cl.LocalAddr = netip.MustParseAddrPort("203.0.113.9:0")
		if _, err := failure(t, cl); !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Errorf("%v", err)
		}
	})
}

// An address that does not answer holds the others up for no longer than its head start.
func TestClientDoesNotWaitForASilentAddress(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		addr := netip.MustParseAddrPort(testkit.FullListener(t))
		s := newService(t, k)
		w := s.NewWorker(fmt.Sprintf("text://127.0.0.2:%d", addr.Port()))
		echo(w)
		s.Start()
		var count atomic.Int64
		lookUps(s, &count, addr.Addr(), netip.MustParseAddr("127.0.0.2"))
		cl := s.Master.NewClient(fmt.Sprintf("text://server.test:%d", addr.Port()))
		cl.ConnectTimeout = testkit.Patience
		h := make(happened, 10)
		h.Watch(cl)
		connect(t, cl)
		h.Expect(t, "connect")
		if got := cl.Conn().RemoteAddr().Addr().String(); got != "127.0.0.2" {
			t.Errorf("connected to %v", got)
		}
	})
}

// Every method of a client, from many goroutines, while the server drops each connection as
// soon as it can: a call may be refused, but none meets a connection that is half gone.
func TestClientMethodsWhileTheServerDrops(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.OnConnect = func(c *workerman.Conn) {
				if rand.IntN(2) == 0 {
					c.Destroy()
				}
			}
			w.OnMessage = func(c *workerman.Conn, data []byte) { c.Destroy() }
		})
		const clients, actors, drops = 4, 4, 50
		var all []*workerman.Client
		var lost, posted atomic.Int64
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range clients {
			cl := clientOf(s, w, "text")
			cl.Backoff = workerman.Backoff{Min: time.Microsecond, Max: 10 * time.Microsecond}
			cl.MaxSendBuffer = 1000
			cl.OnClose = func(*workerman.Conn) { lost.Add(1) }
			cl.OnError = func(*workerman.Conn, error) {}
			connect(t, cl)
			all = append(all, cl)
			for range actors {
				wg.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						runtime.Gosched() // the loops have to get somewhere
						if err := cl.Send([]byte("x")); err != nil && err != workerman.ErrClosed && err != workerman.ErrBufferFull {
							t.Errorf("Send: got %v, want nil, ErrClosed or ErrBufferFull", err)
						}
						if c := cl.Conn(); c != nil && c.Client() != cl {
							t.Errorf("Conn: got one of %p, want one of %p", c.Client(), cl)
						}
						switch rand.IntN(1000) { // seldom, or the loop does nothing but carry decisions out
						case 0:
							cl.Close()
						case 1:
							cl.Reconnect(0)
						case 2:
							if c := cl.Conn(); c != nil {
								c.Close()
							}
						case 3, 4, 5:
							cl.Connect()
						case 6:
							cl.Post(func() { posted.Add(1) })
							cl.Context()
							cl.Address()
						}
					}
				})
			}
		}
		eventually(t, "the server has dropped enough", func() bool { return lost.Load() >= clients*drops })
		close(stop)
		wg.Wait()
		for _, cl := range all {
			cl.Close()
		}
		eventually(t, "nothing is left", func() bool {
			return s.Master.Outgoing() == 0 && len(s.Master.Registered()) == 0
		})
		if posted.Load() == 0 {
			t.Error("no posted function has run")
		}
	})
}

// failingClient is a way to fail: which error is told, and with which words.
type failingClient struct {
	name  string
	cl    *workerman.Client
	is    func(error) bool
	words string
}

func isError(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func asError[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// failingClients are clients that cannot connect, each for another reason.
func failingClients(t *testing.T, k kind) (*service, []failingClient) {
	s, w, a := serveTLS(t, k, "text", func(w *workerman.Worker) {})
	s.Master.Resolver().LookUp = func(_ context.Context, name string) ([]netip.Addr, error) {
		if name == "fails.test" {
			return nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
		}
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	reset := listenRaw(t, "127.0.0.1:0", func(c net.Conn) {
		c.Read(make([]byte, 1))
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	})
	leaves := listenRaw(t, "127.0.0.1:0", func(c net.Conn) {
		c.(*net.TCPConn).CloseWrite()
		silent(c)
	})
	mute := listenRaw(t, "127.0.0.1:0", silent)
	answering := func(text string) string {
		return listenRaw(t, "127.0.0.1:0", func(c net.Conn) {
			c.Read(make([]byte, 1024))
			io.WriteString(c, text)
			silent(c)
		})
	}
	noProxy := answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
	noSOCKS := answering("\x05\xff")
	noSocket := answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
	plain := answering("220 this is no TLS\r\n")

	to := func(scheme, addr string) *workerman.Client { return s.Master.NewClient(scheme + "://" + addr) }
	impatient := func(cl *workerman.Client) *workerman.Client {
		cl.ConnectTimeout = 10 * time.Millisecond
		return cl
	}
	named := func(name string) *workerman.Client {
		cl := clientOf(s, w, "text")
		cl.TLS = a.ClientConfig(name)
		return cl
	}
	stranger := clientOf(s, w, "text")
	stranger.TLS = testkit.NewAuthority("other").ClientConfig("a.test")
	return s, []failingClient{
		{"refused", to("tcp", refusing(t)), isError(syscall.ECONNREFUSED), "connection refused"},
		{"reset in TLS", to("tls", reset), isError(syscall.ECONNRESET), "TLS handshake"},
		{"reset in WebSocket", to("ws", reset), isError(syscall.ECONNRESET), "WebSocket handshake"},
		{"half-open in TLS", impatient(to("tls", mute)), isError(workerman.ErrConnectTimeout), "not done within 10ms"},
		{"half-open in WebSocket", impatient(to("ws", mute)), isError(workerman.ErrConnectTimeout), "not done within 10ms"},
		{"half-open proxy", impatient(throughProxy(to("tcp", "a.test:1"), "socks5://"+mute)), isError(workerman.ErrConnectTimeout), "not done within 10ms"},
		{"end in TLS", to("tls", leaves), isError(io.ErrUnexpectedEOF), "closed the connection in the TLS handshake"},
		{"end in WebSocket", to("ws", leaves), isError(io.ErrUnexpectedEOF), "the server closed the connection in the WebSocket handshake"},
		{"end in the proxy", throughProxy(to("tcp", "a.test:1"), "http://"+leaves), isError(io.ErrUnexpectedEOF), "the proxy closed the connection in the negotiation with the proxy"},
		{"unknown name", to("text", "unknown.test:1"), asError[*net.DNSError], "no such host"},
		{"DNS fails", to("udp", "fails.test:1"), asError[*net.DNSError], "server misbehaving"},
		{"another name", named("b.test"), asError[x509.HostnameError], "b.test"},
		{"another authority", stranger, asError[x509.UnknownAuthorityError], "unknown authority"},
		{"no TLS", to("tls", plain), func(err error) bool { return true }, "does not look like a TLS handshake"},
		{"CONNECT refused", throughProxy(to("tcp", "a.test:1"), "http://user:secret@"+noProxy), asError[*workerman.ProxyError], "403"},
		{"SOCKS refused", throughProxy(to("tcp", "a.test:1"), "socks5://"+noSOCKS), asError[*workerman.ProxyError], noSOCKS},
		{"proxy is not there", throughProxy(to("tcp", "a.test:1"), "socks5://"+refusing(t)), isError(syscall.ECONNREFUSED), "connection refused"},
		{"no WebSocket", to("ws", noSocket), asError[*websocket.HandshakeError], "404"},
		{"no such socket", to("unix", t.TempDir()+"/none"), isError(syscall.ENOENT), "no such file"},
		{"no way from here", fromForeign(to("tcp", mute)), isError(syscall.EADDRNOTAVAIL), "assign requested address"},
	}
}

func fromForeign(cl *workerman.Client) *workerman.Client {
	cl.LocalAddr = netip.MustParseAddrPort("203.0.113.9:0")
	return cl
}

// A thousand attempts that fail, in twenty ways: each is told once, by the right error, the
// next one comes as configured, and in the end nothing is left of them.
func TestClientThousandFailures(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, list := failingClients(t, k)
		const cycles = 50
		run := func(cycles int) {
			t.Helper()
			done := make(chan struct{}, len(list))
			for i, f := range list {
				cl, seen := f.cl, 0
				var last *workerman.Conn
				byHand := i%2 == 0
				cl.Backoff = workerman.Backoff{}
				if !byHand {
					cl.Backoff = workerman.Backoff{Min: time.Millisecond, Max: time.Millisecond}
				}
				cl.OnConnect = func(*workerman.Conn) { t.Errorf("%s: OnConnect", f.name) }
				cl.OnClose = func(*workerman.Conn) { t.Errorf("%s: OnClose", f.name) }
				cl.OnMessage = func(_ *workerman.Conn, data []byte) { t.Errorf("%s: OnMessage %q", f.name, data) }
				cl.OnError = func(c *workerman.Conn, err error) {
					seen++
					if !f.is(err) || !strings.Contains(err.Error(), f.words) || strings.Contains(err.Error(), "secret") {
						t.Errorf("%s: %T %v", f.name, err, err)
					}
					if c == last || c.Connected() || c.Client() != cl || c.Err() == nil || cl.Conn() != nil || seen > cycles {
						t.Errorf("%s: failure %d with a Conn that is not its own, or open", f.name, seen)
					}
					last = c
					switch {
					case seen == cycles:
						cl.Close()
						done <- struct{}{}
					case byHand:
						cl.Reconnect(0)
					}
				}
				connect(t, cl)
			}
			for range list {
				testkit.Receive(t, done, "all failures")
			}
			eventually(t, "no client is left", func() bool {
				return len(s.Master.Registered()) == 0 && s.Master.Outgoing() == 0 && s.Master.Resolver().Waiting() == 0
			})
		}
		run(2) // what the process needs once
		goroutines, files := runtime.NumGoroutine(), testkit.OpenFiles()
		run(cycles)
		var g, f atomic.Int64
		eventually(t, "goroutines and descriptors are as before", func() bool {
			g.Store(int64(runtime.NumGoroutine()))
			f.Store(int64(testkit.OpenFiles()))
			return int(g.Load()) <= goroutines && int(f.Load()) <= files
		})
	})
}
