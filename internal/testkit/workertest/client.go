package workertest

import (
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

// ClientOf makes a client of the service for the address of a worker, by a scheme such as tcp,
// text or ws.
func ClientOf(s *Service, w *workerman.Worker, scheme string) *workerman.Client {
	a := w.Addr()
	if a.Network() == "unix" && scheme == "tcp" {
		scheme = "unix"
	} else if a.Network() == "unix" {
		scheme += "+unix"
	}
	return s.Master.NewClient(scheme + "://" + a.String())
}

// Recorder tells what the callbacks of clients are called for, in their order: "connect",
// "message TEXT", "close ERROR" and "error". Others may send to it as well. Make it with enough
// room that no callback has to wait.
type Recorder chan string

// Watch sets the callbacks of a client.
func (r Recorder) Watch(cl *workerman.Client) {
	cl.OnConnect = func(c *workerman.Conn) { r <- "connect" }
	cl.OnMessage = func(c *workerman.Conn, data []byte) { r <- "message " + string(data) }
	cl.OnClose = func(c *workerman.Conn) { r <- fmt.Sprint("close ", c.Err()) }
	cl.OnError = func(c *workerman.Conn, err error) { r <- "error" }
}

// Expect waits for what is told next, and ends the test if that is something else.
func (r Recorder) Expect(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		if got := testkit.Receive(t, r, w); got != w {
			t.Fatalf("got %q, want %q", got, w)
		}
	}
}

// Connect calls a client's Connect, which must not fail.
func Connect(t *testing.T, cl *workerman.Client) {
	t.Helper()
	if err := cl.Connect(); err != nil {
		t.Fatal(err)
	}
}

// Refusing is an address of TCP where nobody listens.
func Refusing(t *testing.T) string {
	t.Helper()
	return testkit.FreeAddress(t)
}

// Failure connects, which must fail, and returns what OnError gets.
func Failure(t *testing.T, cl *workerman.Client) (*workerman.Conn, error) {
	t.Helper()
	type outcome struct {
		c   *workerman.Conn
		err error
	}
	got := make(chan outcome, 10)
	cl.OnConnect = func(c *workerman.Conn) { t.Error("OnConnect") }
	cl.OnClose = func(c *workerman.Conn) { t.Error("OnClose without OnConnect") }
	cl.OnError = func(c *workerman.Conn, err error) { got <- outcome{c, err} }
	Connect(t, cl)
	o := testkit.Receive(t, got, "OnError")
	return o.c, o.err
}

// ListenRaw accepts TCP connections until the end of the test, serves each on a goroutine of its
// own, and returns the address.
func ListenRaw(t *testing.T, address string, serve func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", address)
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

// Silent serves a connection by reading and never answering.
func Silent(c net.Conn) {
	defer c.Close()
	io.Copy(io.Discard, c)
}

// ThroughProxy sets the proxy of a client, and returns the client.
func ThroughProxy(cl *workerman.Client, proxy string) *workerman.Client {
	cl.Proxy = proxy
	return cl
}
