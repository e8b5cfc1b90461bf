package examples

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

// client is a connection to a process under test.
type client struct {
	*testkit.Conn
	t  *testing.T
	in *bufio.Reader
}

// dial connects; the end of the test closes the connection.
func dial(t *testing.T, network, address string) *client {
	t.Helper()
	c := testkit.Dial(t, network, address)
	return &client{t: t, Conn: c, in: bufio.NewReaderSize(c, 64<<10)}
}

// send writes bytes.
func (c *client) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

// line reads one line.
func (c *client) line() string {
	c.t.Helper()
	line, err := c.in.ReadString('\n')
	if err != nil {
		c.t.Fatalf("no line, but %q and %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// gets expects the next lines.
func (c *client) gets(lines ...string) {
	c.t.Helper()
	for _, want := range lines {
		if got := c.line(); got != want {
			c.t.Fatalf("got %q, want %q", got, want)
		}
	}
}

// reads expects the next bytes.
func (c *client) reads(want []byte) {
	c.t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(c.in, got)
	if err != nil {
		c.t.Fatalf("got %d of %d bytes, then %v", n, len(want), err)
	}
	if !bytes.Equal(got, want) {
		c.t.Fatalf("%d bytes came back changed", len(want))
	}
}

// ends expects that the server closes the connection and that nothing comes before.
func (c *client) ends() {
	c.t.Helper()
	rest, err := io.ReadAll(c.in)
	if err != nil {
		c.t.Fatalf("the connection did not end well: %v", err)
	}
	if len(rest) > 0 {
		c.t.Fatalf("the connection ended behind %q", rest)
	}
}

// stays expects that the connection is open and silent for a while.
func (c *client) stays(d time.Duration) {
	c.t.Helper()
	silent(c.t, c.Conn, c.in, d)
}

// silent expects that in, which reads from c, has nothing for a while.
func silent(t *testing.T, c net.Conn, in *bufio.Reader, d time.Duration) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(d))
	if b, err := in.Peek(1); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the connection gave %q and %v, want silence", b, err)
	}
	c.SetReadDeadline(time.Time{})
}
