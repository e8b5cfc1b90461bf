package workerman

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/websocket"
)

// failingClient is a way to fail: which error is told, and with which words.
type failingClient struct {
	name  string
	cl    *Client
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
func failingClients(t *testing.T, k kind) (*testService, []failingClient) {
	s, w, a := serveTLS(t, k, "text", func(w *Worker) {})
	s.master.resolver.LookUp = func(_ context.Context, name string) ([]netip.Addr, error) {
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

	to := func(scheme, addr string) *Client { return s.master.NewClient(scheme + "://" + addr) }
	impatient := func(cl *Client) *Client {
		cl.ConnectTimeout = 10 * time.Millisecond
		return cl
	}
	named := func(name string) *Client {
		cl := clientOf(s, w, "text")
		cl.TLS = a.client(name)
		return cl
	}
	stranger := clientOf(s, w, "text")
	stranger.TLS = newAuthority(t, "other").client("a.test")
	return s, []failingClient{
		{"refused", to("tcp", refusing(t)), isError(syscall.ECONNREFUSED), "connection refused"},
		{"reset in TLS", to("tls", reset), isError(syscall.ECONNRESET), "TLS handshake"},
		{"reset in WebSocket", to("ws", reset), isError(syscall.ECONNRESET), "WebSocket handshake"},
		{"half-open in TLS", impatient(to("tls", mute)), isError(ErrConnectTimeout), "not done within 10ms"},
		{"half-open in WebSocket", impatient(to("ws", mute)), isError(ErrConnectTimeout), "not done within 10ms"},
		{"half-open proxy", impatient(throughProxy(to("tcp", "a.test:1"), "socks5://"+mute)), isError(ErrConnectTimeout), "not done within 10ms"},
		{"end in TLS", to("tls", leaves), isError(io.ErrUnexpectedEOF), "closed the connection in the TLS handshake"},
		{"end in WebSocket", to("ws", leaves), isError(io.ErrUnexpectedEOF), "the server closed the connection in the WebSocket handshake"},
		{"end in the proxy", throughProxy(to("tcp", "a.test:1"), "http://"+leaves), isError(io.ErrUnexpectedEOF), "the proxy closed the connection in the negotiation with the proxy"},
		{"unknown name", to("text", "unknown.test:1"), asError[*net.DNSError], "no such host"},
		{"DNS fails", to("udp", "fails.test:1"), asError[*net.DNSError], "server misbehaving"},
		{"another name", named("b.test"), asError[x509.HostnameError], "b.test"},
		{"another authority", stranger, asError[x509.UnknownAuthorityError], "unknown authority"},
		{"no TLS", to("tls", plain), func(err error) bool { return true }, "does not look like a TLS handshake"},
		{"CONNECT refused", throughProxy(to("tcp", "a.test:1"), "http://user:secret@"+noProxy), asError[*ProxyError], "403"},
		{"SOCKS refused", throughProxy(to("tcp", "a.test:1"), "socks5://"+noSOCKS), asError[*ProxyError], noSOCKS},
		{"proxy is not there", throughProxy(to("tcp", "a.test:1"), "socks5://"+refusing(t)), isError(syscall.ECONNREFUSED), "connection refused"},
		{"no WebSocket", to("ws", noSocket), asError[*websocket.HandshakeError], "404"},
		{"no such socket", to("unix", t.TempDir()+"/none"), isError(syscall.ENOENT), "no such file"},
		{"no way from here", fromForeign(to("tcp", mute)), isError(syscall.EADDRNOTAVAIL), "assign requested address"},
	}
}

func fromForeign(cl *Client) *Client {
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
				var last *Conn
				byHand := i%2 == 0
				cl.Backoff = Backoff{}
				if !byHand {
					cl.Backoff = Backoff{Min: time.Millisecond, Max: time.Millisecond}
				}
				cl.OnConnect = func(*Conn) { t.Errorf("%s: OnConnect", f.name) }
				cl.OnClose = func(*Conn) { t.Errorf("%s: OnClose", f.name) }
				cl.OnMessage = func(_ *Conn, data []byte) { t.Errorf("%s: OnMessage %q", f.name, data) }
				cl.OnError = func(c *Conn, err error) {
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
				receive(t, done, "all failures")
			}
			eventually(t, "no client is left", func() bool {
				return len(s.master.registered()) == 0 && s.master.outgoing.Load() == 0 && s.master.resolver.Waiting() == 0
			})
		}
		run(2) // what the process needs once
		goroutines, files := runtime.NumGoroutine(), openFiles(t)
		run(cycles)
		var g, f atomic.Int64
		eventually(t, "goroutines and descriptors are as before", func() bool {
			g.Store(int64(runtime.NumGoroutine()))
			f.Store(int64(openFiles(t)))
			return int(g.Load()) <= goroutines && int(f.Load()) <= files
		})
	})
}

// A server that fails in each way, one after the other, and is well in the end: the client
// finds it, and what waited is sent.
func TestClientComesThroughFailures(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		var round atomic.Int64
		var up atomic.Value
		up.Store(w.Addr().String())
		addr := listenRaw(t, "127.0.0.1:0", func(c net.Conn) {
			switch round.Add(1) {
			case 1:
				c.Close()
			case 2:
				c.(*net.TCPConn).SetLinger(0)
				c.Close()
			case 3:
				io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
				silent(c)
			case 4:
				silent(c)
			default:
				io.Copy(io.Discard, io.LimitReader(c, int64(len("CONNECT a.test:1 HTTP/1.1\r\nHost: a.test:1\r\n\r\n"))))
				io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
				server, err := net.Dial("tcp", up.Load().(string))
				if err != nil {
					t.Error(err)
					return
				}
				join(c, server)
			}
		})
		cl := throughProxy(s.master.NewClient("text://a.test:1"), "http://"+addr)
		cl.ConnectTimeout = 100 * time.Millisecond
		cl.Backoff = Backoff{Min: time.Millisecond, Max: time.Millisecond}
		h := make(happened, 100)
		h.watch(cl)
		cl.Send([]byte("waited"))
		connect(t, cl)
		h.expect(t, "error", "error", "error", "error", "connect", "message waited")
		cl.Close()
		h.expect(t, "close <nil>")
	})
}
