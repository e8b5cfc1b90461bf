package workerman

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
)

// Client is the connecting side: one connection at a time to one address, again and again
// if need be. Set its options before Connect, which copies them. Its methods may be called
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
	// ClientOptions are the client's own, made by NewClient. Many clients may instead share
	// those of one, which saves most of the memory of each: other.ClientOptions =
	// cl.ClientOptions. Their callbacks tell by Conn.Client whose connection it is. Nil is as
	// good as the zero value.
	*ClientOptions

	address string
	master  *Master    // nil: the default one
	home    *loop.Loop // nil: the first of the master

	mu      sync.Mutex // guards what follows, up to queue
	state   clientState
	config  *clientConfig // nil before the first decision to connect
	current *Conn         // while state.connected; the loop may read it without mu
	queue   *backlog

	attempt *attempt // what runs or waits to begin, or nil; belongs to the loop
}

var _ Poster = (*Client)(nil)

// DefaultConnectTimeout is the default of Client.ConnectTimeout.
const DefaultConnectTimeout = 10 * time.Second

// ErrConnectTimeout is the reason of an attempt that took longer than ConnectTimeout.
var ErrConnectTimeout = errors.New("connect timeout")

// NewClient makes a client of the default Master. One whose Connect is called in main, before
// RunAll, connects in every process of every worker; one of OnWorkerStart in those of the
// worker. A program that has clients and no worker has one process.
//
// The address is SCHEME://HOST:PORT or SCHEME:///PATH: tcp, unix and ssl (or tls) for bytes as
// they come; text, frame or a registered protocol, also as in text+unix:///run/x.sock; ws and
// wss with path and query, whose port is 80 and 443 by default; udp, or text+udp, for
// datagrams. Mistakes in it are reported by Connect.
//
// Over UDP OnConnect says that the name is known and the socket open, not that anybody
// listens: that a datagram came back refused is an OnError of the open Conn. IdleTimeout,
// the counters of Stats and a Pipe that begins there are for streams.
func NewClient(address string) *Client { return defaultMaster.NewClient(address) }

// NewClient makes a client of this master.
func (m *Master) NewClient(address string) *Client {
	return &Client{ClientOptions: new(ClientOptions), address: address, master: m}
}

// NewClient makes a client on the loop of this connection: the callbacks of both run one at
// a time, so that they may share variables without locks. It outlives the connection.
func (c *Conn) NewClient(address string) *Client {
	cl := c.settings.master.NewClient(address)
	cl.home = c.stream.Loop()
	return cl
}

// owner is the master that the client belongs to.
func (cl *Client) owner() *Master {
	if cl.master == nil {
		return defaultMaster
	}
	return cl.master
}

// Address is what NewClient was given.
func (cl *Client) Address() string { return cl.address }

// Conn is the connection, from its OnConnect on; nil while none is established, in OnClose,
// and after Close.
func (cl *Client) Conn() *Conn {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.state.sends == sendsRefused {
		return nil
	}
	return cl.current
}

// Connect begins to connect: when the process has started, or when a connection that is
// closing has closed. It does nothing if there is an open one or an attempt, and ends a pause
// before the next attempt. The outcome comes by OnConnect or OnError, never before Connect has
// returned. Errors are of mistakes in the address and the settings, and ErrNotRunning if the
// master stops.
func (cl *Client) Connect() error { return cl.decide(clientEvent{kind: eventConnect}) }

// Reconnect ends the connection or attempt, if there is one, and connects anew after a
// pause; in OnClose and OnError it decides instead of Backoff. A connection is closed in
// good order, with its OnClose, before the pause begins. Errors are those of Connect.
func (cl *Client) Reconnect(after time.Duration) error {
	return cl.decide(clientEvent{kind: eventReconnect, after: after})
}

// Close ends the client: a connection in good order, with its OnClose, an attempt and the
// pause before one without a callback. Messages that wait for a connection are dropped. Connect
// begins again.
func (cl *Client) Close() { cl.end(nil) }

// Post runs fn on the client's loop, one at a time with the callbacks of the client, and not
// before the master runs. It reports false if the loop has ended. A panic of fn is logged.
func (cl *Client) Post(fn func()) bool {
	m := cl.owner()
	return cl.post(func(*loop.Loop) { m.guard(fn) })
}

// Context ends when the client's loop stops, with ErrNotRunning as its cause. Before the
// master runs it has ended.
func (cl *Client) Context() context.Context {
	m := cl.owner()
	if cl.home != nil {
		return m.eventLoop(cl.home).Context()
	}
	if first := m.firstLoops(1); len(first) > 0 {
		return m.eventLoop(first[0]).Context()
	}
	return notServing.context(context.Background())
}

// Send sends data as one message of the connection. While there is none yet, or none again,
// it waits for it: ErrBufferFull if MaxSendBuffer bytes wait already, ErrClosed if nothing
// connects. What OnConnect sends on its Conn, as a login, leaves before what waits here.
// What a connection has accepted and not delivered when it breaks is lost.
func (cl *Client) Send(data []byte) error {
	cl.mu.Lock()
	switch cl.state.sends {
	case sendsDirect:
		c := cl.current
		cl.mu.Unlock()
		return c.Send(data)
	case sendsRefused:
		cl.mu.Unlock()
		return ErrClosed
	}
	defer cl.mu.Unlock()
	if cl.queue == nil {
		cl.queue = new(backlog)
	}
	if cl.queue.bytes >= cl.sendLimit() {
		return ErrBufferFull
	}
	cl.queue.add(data)
	return nil
}

// backlog are messages that wait for a connection.
type backlog struct {
	messages [][]byte
	bytes    int
}

func (b *backlog) add(data []byte) {
	b.messages = append(b.messages, append(make([]byte, 0, len(data)), data...))
	b.bytes += len(data)
}

// sendLimit is MaxSendBuffer or its default. With cl.mu held.
func (cl *Client) sendLimit() int {
	switch {
	case cl.config != nil:
		return cl.config.settings.limits.MaxSendBuffer
	case cl.ClientOptions != nil && cl.MaxSendBuffer > 0:
		return cl.MaxSendBuffer
	}
	return DefaultMaxSendBuffer
}

// clientOwner is the owner of a client's stream. It knows the client, for which a Conn has no
// room.
type clientOwner struct {
	*connOwner
	client *Client
}

var _ loop.Owner = (*clientOwner)(nil)
