package workerman

import (
	"fmt"
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
