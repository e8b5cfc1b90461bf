package workerman

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
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

func throughProxy(cl *Client, proxy string) *Client {
	cl.Proxy = proxy
	return cl
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
