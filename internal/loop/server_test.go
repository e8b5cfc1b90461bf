package loop

import (
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/socket"
)

// conn is a stream with an owner whose methods a test may replace; by itself it echoes
// and closes at the end of the input.
type conn struct {
	Stream
	receive  func(c *conn, b []byte) (used, want int)
	end      func(c *conn)
	notice   func(c *conn, bits uint32)
	drained  func(c *conn)
	deadline func(c *conn, now int64) int64
	secured  func(c *conn, err error)
	attached func(c *conn) // on the loop, before anything else

	ends   atomic.Int32
	closes atomic.Int32
	closed chan error // the argument of the first Closed
}

type owner conn

func (o *owner) Receive(b []byte) (used, want int) {
	c := (*conn)(o)
	if c.receive != nil {
		return c.receive(c, b)
	}
	c.send(b)
	return len(b), 0
}

func (o *owner) EndOfInput() bool {
	c := (*conn)(o)
	c.ends.Add(1)
	if c.end != nil {
		c.end(c)
	} else {
		c.Close()
	}
	return true
}

func (o *owner) Attention(bits uint32) {
	if o.notice != nil {
		o.notice((*conn)(o), bits)
	}
}

func (o *owner) Drained() {
	if o.drained != nil {
		o.drained((*conn)(o))
	}
}

func (o *owner) Deadline(now int64) int64 {
	if o.deadline != nil {
		return o.deadline((*conn)(o), now)
	}
	return 0
}

func (o *owner) Secured(err error) {
	if o.secured != nil {
		o.secured((*conn)(o), err)
	}
}

func (o *owner) Closed(err error) {
	if o.closes.Add(1) == 1 {
		o.closed <- err
	}
}

// send sends a copy of b as one message.
func (c *conn) send(b []byte) bool {
	tx, ok := c.Begin()
	if !ok {
		return false
	}
	tx.Append(b)
	tx.Commit(noLimit)
	return true
}

// sendLarge sends b as one message without collecting it first.
func (c *conn) sendLarge(b []byte) bool {
	tx, ok := c.Begin()
	if !ok {
		return false
	}
	tx.Write(nil, b, nil)
	tx.Commit(noLimit)
	return true
}

const noLimit = 1 << 40

// server accepts conns on a loop of its own.
type server struct {
	t        testing.TB
	loop     *Loop
	network  string
	address  string
	listener *Listener
	accepted chan *conn
	setup    func(*conn)
	linger   time.Duration
	failures atomic.Int32
	onFail   func(error)
	onAccept func(Incoming) // instead of a conn
	stopped  bool

	mu    sync.Mutex
	conns []*conn
}

// serve starts a server on tcp or unix; setup runs on the loop for each new conn.
func serve(t testing.TB, e Engine, network string, setup func(*conn)) *server {
	t.Helper()
	s := &server{t: t, network: network, accepted: make(chan *conn, 4096), setup: setup, linger: patience}
	a := socket.Address{Network: network, Host: "127.0.0.1"}
	if network == "unix" {
		dir, err := os.MkdirTemp("", "loop")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		a = socket.Address{Network: "unix", Path: filepath.Join(dir, "s")}
	}
	ln, err := socket.Listen(a, socket.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.address = ln.Addr().String()
	bound, err := Bind(ln, e)
	if err != nil {
		t.Fatal(err)
	}
	s.loop = startLoop(t, e)
	on(t, s.loop, func() {
		s.listener = s.loop.Listen(bound, s)
		if err := s.listener.Resume(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { s.shut(bound) })
	return s
}

// shut closes everything and checks that each conn was told once.
func (s *server) shut(bound *Bound) {
	on(s.t, s.loop, func() {
		s.listener.Close()
		s.stopped = true
	})
	bound.Close()
	until(s.t, "all streams are closed", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, c := range s.conns {
			c.Destroy(ErrDestroyed)
		}
		return s.loop.Streams() == 0
	})
	on(s.t, s.loop, func() {}) // the last Closed has returned
	for _, c := range s.conns {
		if n := c.closes.Load(); n != 1 {
			s.t.Errorf("Closed was called %d times", n)
		}
		if n := c.ends.Load(); n > 1 {
			s.t.Errorf("EndOfInput was called %d times", n)
		}
	}
}

func (s *server) Accepted(in Incoming) {
	if s.stopped {
		in.Discard() // it was on its way when the listener closed
		return
	}
	if s.onAccept != nil {
		s.onAccept(in)
		return
	}
	c := &conn{closed: make(chan error, 1)}
	if s.setup != nil {
		s.setup(c)
	}
	if err := s.loop.Attach(&c.Stream, in, (*owner)(c), s.linger); err != nil {
		s.t.Errorf("Attach: %v", err)
		return
	}
	if c.attached != nil {
		c.attached(c)
	}
	s.mu.Lock()
	s.conns = append(s.conns, c)
	s.mu.Unlock()
	s.accepted <- c
}

func (s *server) AcceptFailed(err error) {
	s.failures.Add(1)
	if s.onFail != nil {
		s.onFail(err)
	} else {
		s.t.Errorf("accept: %v", err)
	}
}

// client is the peer's end, which gives up after patience.
type client struct {
	net.Conn
	t testing.TB
}

func (s *server) dial() *client {
	s.t.Helper()
	c, err := net.Dial(s.network, s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	s.t.Cleanup(func() { c.Close() })
	return &client{c, s.t}
}

// connect dials and returns both ends.
func (s *server) connect() (*client, *conn) {
	s.t.Helper()
	c := s.dial()
	return c, await(s.t, s.accepted)
}

func (c *client) write(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) closeWrite() {
	c.t.Helper()
	if err := c.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		c.t.Fatal(err)
	}
}

// reset makes the connection end with a reset.
func (c *client) reset() {
	c.Conn.(*net.TCPConn).SetLinger(0)
	c.Close()
}
