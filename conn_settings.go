package workerman

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// connSettings is what a connection needs of the worker that has accepted it, or of the client
// that has opened it. Nothing but the counters and the groups changes while connections use it.
type connSettings struct {
	server    *server // the running worker; nil for a client's connections
	name      string  // a client's name in logs; "" for its address
	master    *Master
	log       *slog.Logger
	protocol  Protocol
	kind      dialogKind // what a worker's connections begin with
	callbacks Callbacks
	limits    Limits
	blocking  bool
	poison    bool // overwrite what was lent

	http      *httpSettings      // nil for clients
	webSocket *webSocketSettings // nil for clients that speak something else

	hub hub

	requests atomic.Uint64
	sendFail atomic.Uint64
	panics   atomic.Uint64
}

// guard runs a user's function that belongs to no connection.
func (s *connSettings) guard(fn func()) {
	defer func() {
		if v := recover(); v != nil {
			s.reportPanic(nil, newPanicError(v))
		}
	}()
	fn()
}

// guardErr runs a user's function and returns its error. A panic is reported, and returned as a
// *PanicError. c is the connection that fn belongs to, nil for none.
func (s *connSettings) guardErr(c *Conn, fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			panicked := newPanicError(v)
			s.reportPanic(c, panicked)
			err = panicked
		}
	}()
	return fn()
}

// reportPanic logs and counts a panic; c is nil outside connections.
func (s *connSettings) reportPanic(c *Conn, err *PanicError) {
	s.panics.Add(1)
	peer, log := "", s.log
	if c != nil {
		peer, log = c.peer(), c.logger()
	}
	s.master.reportPanic(log, peer, err)
}

// Client is the client that the connection is one of, nil for those of a worker.
func (c *Conn) Client() *Client {
	if o, ok := c.stream.Owner().(*clientOwner); ok {
		return o.client
	}
	return nil
}

// noteClosedByProgram notes that the program ends the connection, so that Backoff makes no other.
func (c *Conn) noteClosedByProgram() {
	if c.Client() != nil && c.Connected() {
		c.ensureRare().closedByProgram.Store(true)
	}
}

func (c *Conn) closedByProgram() bool {
	x := c.rare()
	return x != nil && x.closedByProgram.Load()
}

// logger is where the connection's worker or client logs. A client's logger is made for each of its
// few lines: it would be among the largest parts of an idle client.
func (c *Conn) logger() *slog.Logger {
	cl := c.Client()
	if cl == nil {
		return c.settings.log
	}
	name := c.settings.name
	setDefault(&name, cl.address)
	return c.settings.log.With("client", name)
}

// Limits bound what peers can make a worker do. Zero values mean the defaults.
type Limits struct {
	// MaxConnections is how many connections the worker serves at a time; more are closed
	// as soon as they are accepted. Default 0: as many as the system allows.
	MaxConnections int
	// MaxConnectionsPerIP is the same for one client address. Default 0: no limit.
	MaxConnectionsPerIP int
	// MaxPackageSize is the largest message accepted, in bytes with its framing; a larger
	// one closes the connection. Default 10 MiB. It is also the default of HTTP.MaxBody and
	// WebSocket.MaxMessageSize; for bytes as they come it has no meaning.
	MaxPackageSize int
	// MaxSendBuffer is how many bytes may wait for a slow peer: below it a message of any
	// size is accepted, from there on Send refuses. Default 1 MiB.
	MaxSendBuffer int
	// FullPolicy is what happens to a message that finds the send buffer full. Default
	// RefuseWhenFull.
	FullPolicy FullPolicy
	// IdleTimeout closes a connection from which nothing was received for that long.
	// Time in which reading is paused does not count, nor does that in which a request of
	// HTTP is handled. Of a WebSocket the answer to a ping is received, too. Default 0:
	// never; 75 s between the requests of HTTP.
	IdleTimeout time.Duration
	// HandshakeTimeout closes a connection that has not completed its handshakes by then, those
	// of the PROXY protocol, of TLS and of a websocket:// worker together. Default 10 s, and
	// for a first message: never. If it is set, the first message of a protocol has to be
	// there by then, too; HTTP has HTTP.HeaderTimeout.
	HandshakeTimeout time.Duration
	// LingerTimeout is how long a closing connection waits for a peer that takes nothing of
	// what was sent. Default 30 s. A peer that takes some keeps the close waiting.
	LingerTimeout time.Duration
}

// FullPolicy says what to do with a message for a peer whose send buffer is full.
type FullPolicy int

const (
	// RefuseWhenFull refuses the message: Send returns ErrBufferFull and OnError is called.
	RefuseWhenFull FullPolicy = iota
	// CloseWhenFull destroys the connection: a client that reads too slowly is dropped.
	CloseWhenFull
)

// Defaults of Limits.
const (
	DefaultMaxPackageSize = 10 << 20
	DefaultMaxSendBuffer  = 1 << 20
	DefaultLingerTimeout  = 30 * time.Second
	DefaultKeepAlive      = 75 * time.Second // IdleTimeout between requests of HTTP
	// DefaultHandshakeTimeout is HandshakeTimeout where there is a handshake.
	DefaultHandshakeTimeout = 10 * time.Second
)

// check fills in the defaults and refuses what makes no sense.
func (l *Limits) check() error {
	for _, v := range []struct {
		name  string
		value int64
	}{
		{"MaxConnections", int64(l.MaxConnections)}, {"MaxConnectionsPerIP", int64(l.MaxConnectionsPerIP)},
		{"MaxPackageSize", int64(l.MaxPackageSize)}, {"MaxSendBuffer", int64(l.MaxSendBuffer)},
		{"IdleTimeout", int64(l.IdleTimeout)}, {"HandshakeTimeout", int64(l.HandshakeTimeout)},
		{"LingerTimeout", int64(l.LingerTimeout)},
	} {
		if v.value < 0 {
			return fmt.Errorf("%s is negative", v.name)
		}
	}
	if l.FullPolicy != RefuseWhenFull && l.FullPolicy != CloseWhenFull {
		return fmt.Errorf("FullPolicy %d is none of RefuseWhenFull, CloseWhenFull", l.FullPolicy)
	}
	setDefault(&l.MaxPackageSize, DefaultMaxPackageSize)
	setDefault(&l.MaxSendBuffer, DefaultMaxSendBuffer)
	setDefault(&l.LingerTimeout, DefaultLingerTimeout)
	// The loop's clock counts milliseconds; a shorter limit would mean none.
	for _, d := range []*time.Duration{&l.IdleTimeout, &l.HandshakeTimeout} {
		if *d > 0 && *d < time.Millisecond {
			*d = time.Millisecond
		}
	}
	return nil
}

// setDefault gives a setting that is zero its default.
func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
