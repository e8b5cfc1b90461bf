package control

import (
	"bufio"
	"io"
	"iter"
	"strconv"
	"strings"
)

// Connection is a row of the command connections. Between processes it travels as a
// line of fields with tabs between them.
type Connection struct {
	PID       int    `json:"pid"`
	Worker    string `json:"worker"`
	ID        uint64 `json:"id"`
	Transport string `json:"transport"` // "tcp", "unix", "ssl"
	Protocol  string `json:"protocol"`  // "text", "http", "websocket"; the transport if none
	State     string `json:"state"`     // "established", "handshake", "closing", "paused"
	Received  int    `json:"recv_q"`    // bytes received and not consumed
	Queued    int    `json:"send_q"`    // bytes that wait for the peer
	BytesIn   uint64 `json:"bytes_read"`
	BytesOut  uint64 `json:"bytes_written"`
	Age       int64  `json:"age_ms"`
	Idle      int64  `json:"idle_ms"`
	Outgoing  bool   `json:"outgoing"` // whether it is a client's
	Local     string `json:"local"`
	Remote    string `json:"remote"`
	User      string `json:"uid,omitempty"`
}

// Append appends the line of c, with its line feed.
func (c *Connection) Append(dst []byte) []byte {
	number := func(n int64) { dst = append(strconv.AppendInt(dst, n, 10), '\t') }
	word := func(s string) { dst = append(appendClean(dst, s), '\t') }
	number(int64(c.PID))
	word(c.Worker)
	number(int64(c.ID))
	word(c.Transport)
	word(c.Protocol)
	word(c.State)
	number(int64(c.Received))
	number(int64(c.Queued))
	number(int64(c.BytesIn))
	number(int64(c.BytesOut))
	number(c.Age)
	number(c.Idle)
	dst = append(strconv.AppendBool(dst, c.Outgoing), '\t')
	word(c.Local)
	word(c.Remote)
	return append(appendClean(dst, c.User), '\n')
}

// ReadConnections reads lines of Append. It ends after an error of r.
func ReadConnections(r io.Reader) iter.Seq2[*Connection, error] {
	return func(yield func(*Connection, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(make([]byte, 64<<10), 1<<20)
		for lines.Scan() {
			if c, ok := ParseConnection(lines.Text()); ok && !yield(&c, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// appendClean appends s without what would break the line.
func appendClean(dst []byte, s string) []byte {
	for i := range len(s) {
		if b := s[i]; b >= ' ' && b != 0x7f {
			dst = append(dst, b)
		} else {
			dst = append(dst, '?')
		}
	}
	return dst
}

// ParseConnection reads a line of Append, without its line feed.
func ParseConnection(line string) (c Connection, ok bool) {
	ok = true
	field := func() string {
		f, rest, found := strings.Cut(line, "\t")
		ok = ok && found
		line = rest
		return f
	}
	number := func() int64 {
		n, err := strconv.ParseInt(field(), 10, 64)
		ok = ok && err == nil
		return n
	}
	c.PID = int(number())
	c.Worker = field()
	c.ID = uint64(number())
	c.Transport, c.Protocol, c.State = field(), field(), field()
	c.Received, c.Queued = int(number()), int(number())
	c.BytesIn, c.BytesOut = uint64(number()), uint64(number())
	c.Age, c.Idle = number(), number()
	c.Outgoing = field() == "true"
	c.Local, c.Remote = field(), field()
	c.User = line
	return c, ok && !strings.Contains(line, "\t")
}

// Filter chooses connections. Zero fields choose all.
type Filter struct {
	Worker string // name
	PID    int
	Peer   string // beginning of the remote address
	State  string
	Idle   int64 // at least, in milliseconds
	Queued int   // at least, in bytes
	Limit  int   // how many rows each process gives at most
}

// Match reports whether f chooses c.
func (f *Filter) Match(c *Connection) bool {
	return (f.Worker == "" || f.Worker == c.Worker) && (f.PID == 0 || f.PID == c.PID) &&
		strings.HasPrefix(c.Remote, f.Peer) && (f.State == "" || f.State == c.State) &&
		c.Idle >= f.Idle && c.Queued >= f.Queued
}
