package workerman

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/websocket"
)

// Conn is one connection of a worker or a client, or one peer of a worker over UDP. Its methods
// may be called from every goroutine unless they say otherwise.
//
// An idle connection owns no buffers and costs about 360 bytes in all.
type Conn struct {
	// Data is for the user. The callbacks of the connection may use it without locks.
	Data any

	stream    loop.Stream // closed from the beginning with UDP
	settings  *connSettings
	rareState atomic.Pointer[rareState]
	id        uint64
	received  uint64 // messages; atomic
	opened    int32  // the loop's time of the accept in tenths of a second; before it began, if adopted
	scanned   int32  // bytes of an incomplete message known to hold no end mark

	remote    peerAddr
	hasRemote bool
	at        atomic.Uint32 // the stage
}

// rareState is what few connections need. It is made on first use and stays.
type rareState struct {
	protocol atomic.Pointer[Protocol]
	dialog   atomic.Pointer[dialog]             // nil: messages
	response atomic.Pointer[websocket.Response] // answer to a client's handshake
	pipe     atomic.Pointer[Conn]               // where messages go instead of OnMessage
	source   atomic.Pointer[Conn]               // whose pipe ends here
	limits   limits
	detached *detachedConn // while the connection moves to another process; the loop's alone

	closedByProgram atomic.Bool // a client's, so that Backoff makes no other
	bulk            uint8       // large reads in a row that went into the pipe
	callbacks       atomic.Pointer[Callbacks]
	client          atomic.Pointer[netip.AddrPort] // behind a proxy that speaks the PROXY protocol
	room            atomic.Pointer[chan struct{}]  // closed when the send buffer has room again

	mu     sync.Mutex // guards what follows
	state  any
	timers map[*Timer]struct{}
	life   *lifetime // nil until somebody asks for the context
	err    error
	closed bool // no timer may be added

	pending atomic.Int32 // functions that were posted, or will be when their work is done

	queue  *callbackQueue      // runs the callbacks of a Blocking worker
	zone   string              // scope of the peer's address, if it is link-local
	groups map[string]struct{} // guarded by the hub
	uid    string              // guarded by the hub
}

// limits of one connection; 0 means the worker's.
type limits struct {
	maxPackage atomic.Int64
	maxSend    atomic.Int64
}

// rare returns the connection's rare state, nil if it has none.
func (c *Conn) rare() *rareState { return c.rareState.Load() }

// ensureRare returns the connection's rare state, made if need be.
func (c *Conn) ensureRare() *rareState {
	if x := c.rare(); x != nil {
		return x
	}
	x := new(rareState)
	if c.rareState.CompareAndSwap(nil, x) {
		return x
	}
	return c.rare()
}

// ID is a number that no other connection of the master has or had, in all its processes
// since it started. It goes along when the connection moves to another process. That of a
// worker's peer over UDP is 0.
func (c *Conn) ID() uint64 { return c.id }

// Worker is the worker that accepted the connection, nil for those of a Client.
func (c *Conn) Worker() *Worker {
	if s := c.settings.server; s != nil {
		return s.worker
	}
	return nil
}

// LocalAddr is the address on this side; the zero value on a Unix socket and after the
// close.
func (c *Conn) LocalAddr() netip.AddrPort {
	if p := c.packets(); p != nil {
		return p.packets.LocalAddr()
	}
	return unmapped(c.stream.LocalAddr())
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// openedUnit is the unit of Conn.opened in milliseconds.
const openedUnit = 100

// Transport is "tcp", "unix" or "udp", with TLS as without.
func (c *Conn) Transport() string {
	switch {
	case c.packets() != nil:
		return "udp"
	case !c.hasRemote:
		return "unix"
	}
	return "tcp"
}

// Opened is when the connection was accepted, or the socket of a Client connected, to a tenth of a
// second; the zero time with UDP.
func (c *Conn) Opened() time.Time {
	if c.packets() != nil {
		return time.Time{}
	}
	return c.stream.Loop().Time(int64(c.opened) * openedUnit)
}

// Connected reports whether the connection is neither closing nor closed. A worker's peer
// over UDP always is.
func (c *Conn) Connected() bool {
	if c.stream.Open() {
		return true
	}
	p := c.packets()
	return p != nil && !p.closed.Load()
}

// Err is why the connection ended: nil while it is open and after an orderly close by
// either side, else the reason, as ErrIdle, ErrTooLarge, an error of the system, or for what
// the peer may not send a *web.Error or a *websocket.CloseError.
func (c *Conn) Err() error {
	x := c.rare()
	if x == nil {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.err
}

// ConnStats are the counters of a connection.
type ConnStats struct {
	BytesRead        uint64
	BytesWritten     uint64 // taken by the system
	MessagesReceived uint64
	MessagesSent     uint64 // accepted by Send
	SendQueue        int    // bytes that wait for the peer
}

// Stats returns the connection's counters; all 0 with UDP.
func (c *Conn) Stats() ConnStats {
	in, out, sends := c.stream.Counts()
	return ConnStats{
		BytesRead: in, BytesWritten: out, MessagesSent: sends, SendQueue: c.stream.Queued(),
		MessagesReceived: atomic.LoadUint64(&c.received),
	}
}

// Callbacks returns the connection's own callbacks, made as a copy of the worker's by
// the first call. Change them in a callback of this connection: the change holds from
// its next event on.
func (c *Conn) Callbacks() *Callbacks {
	x := c.ensureRare()
	if x.callbacks.Load() == nil {
		own := c.settings.callbacks
		x.callbacks.CompareAndSwap(nil, &own)
	}
	return x.callbacks.Load()
}

func (c *Conn) callbacks() *Callbacks {
	if x := c.rare(); x != nil {
		if own := x.callbacks.Load(); own != nil {
			return own
		}
	}
	return &c.settings.callbacks
}

// SetProtocol replaces the protocol of this connection alone, for what is received and
// sent from now on; nil means bytes as they come. Call it in a callback of the
// connection. Bytes that arrived behind the current message are cut by the new protocol. In
// OnRequest, behind an answer with status 101, it turns HTTP into another protocol.
func (c *Conn) SetProtocol(p Protocol) {
	c.scanned = 0
	x := c.ensureRare()
	x.protocol.Store(&p)
	switch c.dialog().(type) {
	case messages, *packetDialog, *proxyHeader, *opening: // which ask for the protocol
	default:
		c.speak(nil)
	}
}

// Protocol is the protocol in force, nil for bytes as they come and for HTTP and WebSocket,
// which are no Protocols.
func (c *Conn) Protocol() Protocol {
	if x := c.rare(); x != nil {
		if p := x.protocol.Load(); p != nil {
			return *p
		}
	}
	return c.settings.protocol
}

// ProtocolState returns what SetProtocolState stored, nil at first.
func (c *Conn) ProtocolState() any {
	x := c.rare()
	if x == nil {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.state
}

// SetProtocolState stores what a Protocol wants to remember about the connection. A connection
// with such a state moves to a new process only if its Protocol is a StateMover.
func (c *Conn) SetProtocolState(state any) {
	x := c.ensureRare()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.state = state
}

// SetMaxPackageSize replaces Worker.MaxPackageSize for this connection; for a WebSocket
// before its handshake, as in OnUpgrade. Requests of HTTP keep the worker's limit.
func (c *Conn) SetMaxPackageSize(bytes int) { c.ensureRare().limits.maxPackage.Store(int64(bytes)) }

// SetMaxSendBuffer replaces Worker.MaxSendBuffer for this connection.
func (c *Conn) SetMaxSendBuffer(bytes int) { c.ensureRare().limits.maxSend.Store(int64(bytes)) }

func (c *Conn) maxPackage() int {
	if x := c.rare(); x != nil {
		if n := x.limits.maxPackage.Load(); n > 0 {
			return int(n)
		}
	}
	return c.settings.limits.MaxPackageSize
}

func (c *Conn) maxSend() int {
	if x := c.rare(); x != nil {
		if n := x.limits.maxSend.Load(); n > 0 {
			return int(n)
		}
	}
	return c.settings.limits.MaxSendBuffer
}

// Post runs fn on the connection's loop (with Blocking: on its goroutine), one at a
// time with its callbacks. It is dropped if the connection is closed by then; it reports
// false if it is closed now.
func (c *Conn) Post(fn func()) bool {
	x := c.ensureRare()
	x.pending.Add(1)
	return c.stream.Loop().Post(func() {
		x.pending.Add(-1)
		if c.Connected() || x.detached != nil {
			c.run(fn)
		}
	}) && c.Connected()
}

// detachedConn is what a connection needs while it is off its loop: after it was detached, until
// the process that it is offered to has answered.
type detachedConn struct {
	held []func() // these would have run meanwhile, and do if the connection is reattached
}

func (d *detachedConn) hold(fn func()) { d.held = append(d.held, fn) }

// ownProtocol reports whether SetProtocol was called.
func (c *Conn) ownProtocol() bool {
	x := c.rare()
	return x != nil && x.protocol.Load() != nil
}
