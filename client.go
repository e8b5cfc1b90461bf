package workerman

import (
	"crypto/tls"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/workerman-go/workerman/http"
	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/websocket"
)

// Client is the connecting side: one connection at a time to one address, again and again
// if need be. Set its fields before Connect, which copies them. Its methods may be called
// from every goroutine.
//
// Each connection that comes up is a Conn like those of a Worker, with the same callbacks
// in the same order: OnConnect when it is ready, after the handshakes of a proxy, TLS and
// WebSocket, then OnMessage, then OnClose once. They belong to the Client and stay from one
// connection to the next. An attempt that fails is told by OnError instead, with a Conn that
// never was open: it has no OnConnect and no OnClose. The error answers errors.Is and
// errors.As: ErrConnectTimeout, *net.OpError with the errno of the system, *net.DNSError,
// *ProxyError, the errors of crypto/tls and crypto/x509, *websocket.HandshakeError with
// Conn.UpgradeResponse.
//
// All callbacks run on one event loop: the first of the Master, or that of the connection
// that the Client was made by.
type Client struct {
	// Name appears in logs. Default: the address.
	Name string
	// Protocol replaces the protocol of the address's scheme.
	Protocol Protocol
	// TLS are the settings of encryption: RootCAs for an own authority, Certificates for what
	// the server asks the client for, ServerName for another name than the host of the
	// address. It is copied. The schemes ssl (or tls) and wss encrypt without it; with any
	// other it is enough to set it. The server's certificate is verified unless
	// InsecureSkipVerify says otherwise.
	TLS *tls.Config
	// ConnectTimeout bounds an attempt: the look-up of the name, TCP and all handshakes.
	// Default 10 s.
	ConnectTimeout time.Duration
	// Backoff connects again by itself. Default: never.
	Backoff Backoff
	// LocalAddr is the address of this side; with port 0 the system chooses the port.
	LocalAddr netip.AddrPort
	// Proxy leads through a proxy: http://HOST:PORT by CONNECT (RFC 9110 section 9.3.6), or
	// socks5://HOST:PORT (RFC 1928), both with USER:PASSWORD@ in front of the host if need
	// be. The proxy looks the host of the address up. Default: none.
	Proxy string

	// Header are further fields of a WebSocket's handshake, as Authorization, Cookie, Origin,
	// or a Host other than the address's.
	Header []http.Field
	// WebSocket are the settings of a ws:// or wss:// client: compression and subprotocols to
	// offer. Where MaxMessageSize is 0 it is MaxPackageSize.
	WebSocket websocket.Options
	// PingInterval is as in Worker: default 50 s, below 0 never.
	PingInterval time.Duration

	// The following limits are those of Limits, with the same defaults. MaxSendBuffer bounds
	// also what waits for the connection to come up.

	MaxPackageSize int
	MaxSendBuffer  int
	FullPolicy     FullPolicy
	IdleTimeout    time.Duration
	LingerTimeout  time.Duration

	Callbacks

	address string
	master  *Master
	home    *loop.Loop // nil: the first of the master

	mu     sync.Mutex // guards what follows
	phase  phase
	plan   uint64 // counts the decisions of the program: Connect, Reconnect, Close
	svc    *service
	route  *route
	conn   *Conn    // that is established; in phaseUp there is one
	queue  [][]byte // messages that wait for it
	queued int      // their bytes

	// The rest belongs to the loop.
	loop     *loop.Loop
	attempt  *attempt    // nil if nothing is being connected
	timer    *loop.Timer // of the next attempt, nil if there is none
	current  *Conn       // from its OnConnect to its OnClose
	failures int         // in a row
	settled  uint64      // plan when the connection or attempt ended
	after    *time.Duration
}

// phase is what a client does.
type phase uint8

const (
	phaseIdle phase = iota
	phaseTrying
	phaseUp
	phaseEnded
)

// DefaultConnectTimeout is the default of Client.ConnectTimeout.
const DefaultConnectTimeout = 10 * time.Second

// ErrConnectTimeout is the reason of an attempt that took longer than ConnectTimeout.
var ErrConnectTimeout = errors.New("connect timeout")

// NewClient makes a client of the default Master. The address is SCHEME://HOST:PORT or
// SCHEME:///PATH: tcp, unix and ssl (or tls) for bytes as they come; text, frame or a
// registered protocol, also as in text+unix:///run/x.sock; ws and wss with path and query,
// whose port is 80 and 443 by default. Mistakes in it are reported by Connect.
func NewClient(address string) *Client { return defaultMaster.NewClient(address) }

// NewClient makes a client of this master.
func (m *Master) NewClient(address string) *Client { return &Client{address: address, master: m} }

// NewClient makes a client on the loop of this connection: the callbacks of both run one at
// a time, so that they may share variables without locks. It outlives the connection.
func (c *Conn) NewClient(address string) *Client {
	cl := c.svc.master.NewClient(address)
	if c.datagram {
		cl.home = c.extra.Load().packets.loop
	} else {
		cl.home = c.stream.Loop()
	}
	return cl
}

// Client is the client that the connection is one of, nil for those of a worker.
func (c *Conn) Client() *Client { return c.svc.client }

// Address is what NewClient was given.
func (cl *Client) Address() string { return cl.address }

// Conn is the connection, from its OnConnect on; nil while none is established, and in
// OnClose.
func (cl *Client) Conn() *Conn {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return cl.conn
}

// Connect begins to connect, or does so when Run has started, or when a connection that is
// closing has closed; it does nothing if there is an open one or an attempt. The outcome comes by OnConnect or OnError, never before Connect
// has returned. The error is of mistakes in the address and the settings, and
// ErrNotRunning if the master stops.
func (cl *Client) Connect() error {
	return cl.decide(func(l *loop.Loop) {
		switch {
		case cl.attempt != nil:
		case cl.current == nil:
			cl.begin(l)
		case !cl.current.Connected():
			cl.again(0)
		}
	})
}

// Reconnect ends the connection or attempt, if there is one, and connects anew after a
// pause; in OnClose and OnError it decides instead of Backoff. A connection is closed in
// good order, with its OnClose, before the pause begins. Errors are those of Connect.
func (cl *Client) Reconnect(after time.Duration) error {
	return cl.decide(func(l *loop.Loop) {
		cl.cancel()
		if cl.current != nil {
			cl.again(after)
		} else {
			cl.schedule(l, after)
		}
	})
}

// Close ends the client: a connection in good order, with its OnClose, an attempt and the
// wait for one without a word. What waits for a connection to come up is dropped. Connect
// begins again.
func (cl *Client) Close() {
	cl.mu.Lock()
	cl.plan++
	plan, idle := cl.plan, cl.phase == phaseIdle
	cl.end()
	cl.mu.Unlock()
	if idle {
		return
	}
	cl.post(func(*loop.Loop) { cl.finish(plan, nil) })
}

// Send sends data as one message of the connection. While there is none yet, or none again,
// it waits for it: ErrBufferFull if MaxSendBuffer bytes wait already, ErrClosed if nothing
// connects. What OnConnect sends on its Conn, as a login, leaves before what waits here.
// What a connection has accepted and not delivered when it breaks is lost.
func (cl *Client) Send(data []byte) error {
	cl.mu.Lock()
	switch cl.phase {
	case phaseUp:
		c := cl.conn
		cl.mu.Unlock()
		return c.Send(data)
	case phaseEnded:
		cl.mu.Unlock()
		return ErrClosed
	}
	defer cl.mu.Unlock()
	if cl.queued >= cl.sendLimit() {
		return ErrBufferFull
	}
	cl.queue = append(cl.queue, append(make([]byte, 0, len(data)), data...))
	cl.queued += len(data)
	return nil
}

// sendLimit is MaxSendBuffer or its default.
func (cl *Client) sendLimit() int {
	switch {
	case cl.svc != nil:
		return cl.svc.limits.MaxSendBuffer
	case cl.MaxSendBuffer > 0:
		return cl.MaxSendBuffer
	}
	return DefaultMaxSendBuffer
}
