package testkit

import (
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// Conn is a connection on which each Read and each Write may take Patience: a conversation may
// take as long as it likes, while it goes on. A test that sets a deadline has that one, until it
// sets the zero time.
type Conn struct {
	net.Conn
	ownRead, ownWrite atomic.Bool // whether the test has set the deadline
}

var _ net.Conn = (*Conn)(nil)

// Dial connects, and closes the connection at the end of the test.
func Dial(t testing.TB, network, address string) *Conn {
	t.Helper()
	c, err := net.DialTimeout(network, address, Patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &Conn{Conn: c}
}

// Read reads.
func (c *Conn) Read(b []byte) (int, error) {
	if !c.ownRead.Load() {
		c.Conn.SetReadDeadline(time.Now().Add(Patience))
	}
	return c.Conn.Read(b)
}

// Write writes.
func (c *Conn) Write(b []byte) (int, error) {
	if !c.ownWrite.Load() {
		c.Conn.SetWriteDeadline(time.Now().Add(Patience))
	}
	return c.Conn.Write(b)
}

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *Conn) SetDeadline(at time.Time) error {
	c.ownRead.Store(!at.IsZero())
	c.ownWrite.Store(!at.IsZero())
	return c.Conn.SetDeadline(at)
}

// SetReadDeadline ends reads at a time, and with the zero time after Patience again.
func (c *Conn) SetReadDeadline(at time.Time) error {
	c.ownRead.Store(!at.IsZero())
	return c.Conn.SetReadDeadline(at)
}

// SetWriteDeadline ends writes at a time, and with the zero time after Patience again.
func (c *Conn) SetWriteDeadline(at time.Time) error {
	c.ownWrite.Store(!at.IsZero())
	return c.Conn.SetWriteDeadline(at)
}
