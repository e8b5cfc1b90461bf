package clients

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

// testProxy is a proxy of the other kind of code: package net and goroutines.
type testProxy struct {
	addr  string
	login string       // user:password that it demands, "" if none
	to    atomic.Value // where it really leads
	asked atomic.Value
}

// join copies both ways until both sides have ended.
func join(a, b net.Conn) {
	done := make(chan struct{})
	go func() {
		io.Copy(a, b)
		a.(*net.TCPConn).CloseWrite()
		close(done)
	}()
	io.Copy(b, a)
	b.(*net.TCPConn).CloseWrite()
	<-done
	a.Close()
	b.Close()
}

// connectProxy speaks CONNECT with the parser of net/http.
func (p *testProxy) connectProxy(c net.Conn) {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil || r.Method != "CONNECT" || r.Host != r.URL.Host {
		c.Close()
		return
	}
	p.asked.Store(r.Host)
	if p.login != "" {
		r.Header.Set("Authorization", r.Header.Get("Proxy-Authorization"))
		if user, password, ok := r.BasicAuth(); !ok || user+":"+password != p.login {
			io.WriteString(c, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
			c.Close()
			return
		}
	}
	up, err := net.Dial("tcp", p.to.Load().(string))
	if err != nil {
		io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
		c.Close()
		return
	}
	io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Y: z\r\n\r\n")
	join(c, up)
}

// socksProxy speaks SOCKS5, in pieces of a byte to make reading hard.
func (p *testProxy) socksProxy(c net.Conn) {
	read := func(n int) []byte {
		b := make([]byte, n)
		io.ReadFull(c, b)
		return b
	}
	write := func(b ...byte) {
		for i := range b {
			c.Write(b[i : i+1])
		}
	}
	methods := read(int(read(2)[1]))
	if p.login != "" {
		if !strings.Contains(string(methods), "\x02") {
			write(5, 0xFF)
			c.Close()
			return
		}
		write(5, 2)
		user := read(int(read(2)[1]))
		password := read(int(read(1)[0]))
		if string(user)+":"+string(password) != p.login {
			write(1, 1)
			c.Close()
			return
		}
		write(1, 0)
	} else {
		write(5, 0)
	}
	var host string
	switch head := read(4); head[3] {
	case 1:
		host = net.IP(read(4)).String()
	case 3:
		host = string(read(int(read(1)[0])))
	case 4:
		host = net.IP(read(16)).String()
	}
	port := binary.BigEndian.Uint16(read(2))
	p.asked.Store(net.JoinHostPort(host, strconv.Itoa(int(port))))
	up, err := net.Dial("tcp", p.to.Load().(string))
	if err != nil {
		write(5, 5, 0, 1, 0, 0, 0, 0, 0, 0)
		c.Close()
		return
	}
	write(5, 0, 0, 3, 2, 'h', 'i', 0, 80)
	join(c, up)
}

func TestClientThroughProxies(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, ws, a := serveTLS(t, k, "websocket", func(w *workerman.Worker) {
			echo(w)
		})
		greeter := add(t, s, "tcp://127.0.0.1:0", func(w *workerman.Worker) {
			echo(w)
			w.OnConnect = func(c *workerman.Conn) { c.Send([]byte("hello")) } // the server speaks first
		})
		for _, scheme := range []string{"http", "socks5"} {
			for _, login := range []string{"", "us er:p@ss:word"} {
				p := &testProxy{login: login}
				p.to.Store(greeter.Addr().String())
				p.addr = listenRaw(t, "127.0.0.1:0", map[string]func(net.Conn){"http": p.connectProxy, "socks5": p.socksProxy}[scheme])
				proxy := scheme + "://" + map[bool]string{true: "us%20er:p%40ss%3Aword@"}[login != ""] + p.addr

				cl := s.Master.NewClient("tcp://server.test:4711") // a name that only the proxy knows
				cl.Proxy = proxy
				h := make(happened, 10)
				h.Watch(cl)
				connect(t, cl)
				h.Expect(t, "connect", "message hello")
				cl.Send([]byte("x"))
				h.Expect(t, "message x")
				if asked := p.asked.Load(); asked != "server.test:4711" {
					t.Errorf("%s was asked for %v", scheme, asked)
				}
				cl.Close()
				h.Expect(t, "close <nil>")

				p.to.Store(ws.Addr().String())
				cl = s.Master.NewClient("wss://a.test/")
				cl.TLS = a.ClientConfig("")
				cl.Proxy = proxy
				h.Watch(cl)
				cl.Send([]byte("secret"))
				connect(t, cl)
				h.Expect(t, "connect", "message secret")
				cl.Close()
				if got := testkit.Receive(t, h, "close"); !strings.HasPrefix(got, "close") {
					t.Error(got)
				}

				p.to.Store(refusing(t))
				cl = s.Master.NewClient("tcp://[::1]:4711")
				cl.Proxy = proxy
				var refused *workerman.ProxyError
				if _, err := failure(t, cl); !errors.As(err, &refused) || refused.Proxy != p.addr {
					t.Errorf("%v", err)
				}
				if asked := p.asked.Load(); asked != "[::1]:4711" {
					t.Errorf("%s was asked for %v", scheme, asked)
				}
				if login != "" {
					cl.Proxy = scheme + "://eve:guess@" + p.addr
					if _, err := failure(t, cl); !errors.As(err, &refused) || strings.Contains(err.Error(), "guess") {
						t.Errorf("%v", err)
					}
					cl.Proxy = scheme + "://" + p.addr
					if _, err := failure(t, cl); !errors.As(err, &refused) {
						t.Errorf("%v", err)
					}
				}
			}
		}
		cl := s.Master.NewClient("tcp://server.test:1")
		cl.Proxy = "socks5://" + refusing(t)
		if _, err := failure(t, cl); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%v", err)
		}
		cl.Proxy = "http://" + listenRaw(t, "127.0.0.1:0", func(c net.Conn) { c.Close() })
		if _, err := failure(t, cl); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%v", err)
		}
	})
}
