package workerman

import (
	"bytes"
	"fmt"
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

// stackOf is where the process of a master stands.
func stackOf(t *testing.T, m *Master) string {
	t.Helper()
	var out bytes.Buffer
	if err := m.writeStack(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
