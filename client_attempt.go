package workerman

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"syscall"

	"github.com/workerman-go/workerman/internal/dialer"
	"github.com/workerman-go/workerman/internal/loop"
)

// attempt is one try of a client to connect: addresses, sockets, then a Conn that goes
// through its handshakes. Before that it may wait. It runs on the client's loop.
type attempt struct {
	client *Client
	timer  *loop.Timer // the pause before the attempt; once it has started, ConnectTimeout

	config *clientConfig
	route  *route
	loop   *loop.Loop
	abort  func() // gives up what is under way; nil if that is the business of conn
	conn   *Conn  // once there is a socket
	step   string // what is being done, for error messages
}

// start begins with the address.
func (a *attempt) start() {
	a.timer = a.loop.After(a.config.timeout, a.expire)
	r, err := a.config.route(a.client.address)
	if err != nil {
		a.fail(err)
		return
	}
	a.route = &r
	a.lookUp()
}

// lookUp finds out where to connect to.
func (a *attempt) lookUp() {
	to := a.route.endpoint.addr
	if to.Network == "unix" {
		a.dial([]loop.Target{{Path: to.Path}})
		return
	}
	if a.config.proxy != nil {
		to = a.config.proxy.Address()
	}
	if ip, err := netip.ParseAddr(to.Host); err == nil {
		a.dialAll([]netip.Addr{ip}, to.Port)
		return
	}
	a.step = "look-up of " + to.Host
	a.abort = a.client.owner().resolver.Find(a.loop, to.Host, func(ips []netip.Addr, err error) {
		if err != nil {
			a.fail(err)
			return
		}
		a.dialAll(ips, to.Port)
	})
}

// dialAll connects to the addresses that a name has.
func (a *attempt) dialAll(ips []netip.Addr, port uint16) {
	targets, err := dialer.Targets(ips, port, a.config.options.LocalAddr)
	switch {
	case err != nil:
		a.fail(err)
	case a.route.endpoint.addr.Network == "udp":
		a.openDatagrams(targets)
	default:
		a.dial(targets)
	}
}

// dial connects a socket to the first target that answers.
func (a *attempt) dial(targets []loop.Target) {
	a.step = "connect"
	a.abort = dialer.Race(a.loop, targets, func(in loop.Incoming, err error) {
		a.abort = nil
		if err != nil {
			a.fail(err)
			return
		}
		a.attach(in)
	})
}

// attach makes the Conn of a connected socket and begins with its handshakes.
func (a *attempt) attach(in loop.Incoming) {
	s := &a.config.settings
	c := a.newConn()
	c.setRemote(in.Remote)
	if err := a.loop.Attach(&c.stream, in, a.connOwner(c), s.limits.LingerTimeout); err != nil {
		a.fail(err)
		return
	}
	s.master.outgoing.Add(1)
	a.conn = c
	if a.config.proxy == nil {
		a.startTLS()
		return
	}
	t, err := a.config.proxy.Negotiate(a.route.endpoint.addr)
	if err != nil {
		c.fail(err)
		return
	}
	a.step = "negotiation with the proxy"
	c.speak(&opening{attempt: a, tunnel: t})
	c.SendRaw(t.Begin())
}

func (a *attempt) newConn() *Conn {
	s := &a.config.settings
	c := &Conn{settings: s, id: s.master.nextID.Add(1), opened: int32(a.loop.Now() / openedUnit)}
	c.enter(stageConnecting)
	return c
}

func (a *attempt) connOwner(c *Conn) *clientOwner {
	return &clientOwner{connOwner: (*connOwner)(c), client: a.client}
}

// startTLS goes on when the way to the server is open.
func (a *attempt) startTLS() {
	if a.route.tls == nil {
		a.startDialog()
		return
	}
	a.step = "TLS handshake"
	if err := a.conn.stream.StartTLS(a.route.tls, loop.Client); err != nil {
		a.conn.fail(err)
	}
}

// onTLS takes the result of the handshake of TLS.
func (a *attempt) onTLS(err error) {
	if err == nil {
		a.startDialog()
		return
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("the server closed the connection in the TLS handshake: %w", io.ErrUnexpectedEOF)
	}
	a.conn.stream.Close() // behind the alert that says why
	a.fail(err)
}

// startDialog goes on when the connection is encrypted, if it has to be.
func (a *attempt) startDialog() {
	if d := dialogTypes[a.route.endpoint.dialog].client; d != nil {
		d.open(a)
		return
	}
	a.becomeReady()
}

// becomeReady makes the connection the client's.
func (a *attempt) becomeReady() {
	c := a.conn
	a.finish()
	if _, ok := c.dialog().(*opening); ok {
		c.speak(nil)
	}
	c.enter(stageReady)
	a.client.opened(c)
}

// finish takes the attempt from its client and stops what it waits for.
func (a *attempt) finish() {
	a.client.attempt = nil
	a.timer.Stop()
	if a.abort != nil {
		a.abort()
		a.abort = nil
	}
}

// cancel gives the attempt up, without a callback.
func (a *attempt) cancel() {
	a.finish()
	if a.conn != nil {
		a.conn.stream.Destroy(loop.ErrDestroyed)
	}
}

// expire gives up after ConnectTimeout.
func (a *attempt) expire() {
	err := fmt.Errorf("%w: %s not done within %v", ErrConnectTimeout, a.step, a.config.timeout)
	if a.conn == nil {
		a.fail(err)
		return
	}
	a.conn.setErr(err)
	a.conn.stream.Destroy(err)
}

// connClosed fails an attempt whose connection has closed; err is nil if the server closed it
// in good order.
func (a *attempt) connClosed(err error) {
	var errno syscall.Errno
	switch {
	case err == nil:
		err = fmt.Errorf("the server closed the connection in the %s: %w", a.step, io.ErrUnexpectedEOF)
	case errors.As(err, &errno):
		err = fmt.Errorf("%s: %w", a.step, err)
	}
	a.fail(err)
}

// fail tells the client, once, that the attempt has failed.
func (a *attempt) fail(err error) {
	cl := a.client
	if cl.attempt != a {
		return
	}
	a.finish()
	c := a.conn
	if c == nil {
		c = a.newConn()
		c.ensureRare().closed = true
		a.loop.Abandon(&c.stream, a.connOwner(c))
	}
	c.setErr(err)
	cl.failed(c, err)
}
