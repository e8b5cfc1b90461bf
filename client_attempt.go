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
// through its handshakes. It runs on the client's loop.
type attempt struct {
	client *Client
	terms  *terms
	route  route
	loop   *loop.Loop
	timer  *loop.Timer // of ConnectTimeout
	abort  func()      // gives up what is under way; nil if that is the business of conn
	conn   *Conn       // once there is a socket
	step   string      // what is being done, for people
}

// begin starts an attempt, unless the master stops.
func (cl *Client) begin(l *loop.Loop) {
	cl.endPause()
	cl.mu.Lock()
	a := &attempt{client: cl, terms: cl.terms, loop: l}
	if cl.phase != phaseEnded && !cl.master.register(cl) {
		cl.end()
	}
	ended := cl.phase == phaseEnded
	cl.mu.Unlock()
	if ended {
		return
	}
	cl.attempt = a
	a.timer = l.After(a.terms.timeout, a.expire)
	var err error
	if a.route, err = a.terms.route(cl.address); err != nil {
		a.fail(err)
		return
	}
	a.find()
}

// find looks up where to connect to.
func (a *attempt) find() {
	to := a.route.endpoint.addr
	if to.Network == "unix" {
		a.dial([]loop.Target{{Path: to.Path}})
		return
	}
	if a.terms.proxy != nil {
		to = a.terms.proxy.Address()
	}
	if ip, err := netip.ParseAddr(to.Host); err == nil {
		a.dialAll([]netip.Addr{ip}, to.Port)
		return
	}
	a.step = "look-up of " + to.Host
	a.abort = a.client.master.resolver.Find(a.loop, to.Host, func(ips []netip.Addr, err error) {
		if err != nil {
			a.fail(err)
			return
		}
		a.dialAll(ips, to.Port)
	})
}

func (a *attempt) dialAll(ips []netip.Addr, port uint16) {
	targets, err := dialer.Targets(ips, port, a.terms.options.LocalAddr)
	if err != nil {
		a.fail(err)
		return
	}
	if a.route.endpoint.addr.Network == "udp" {
		a.link(targets)
		return
	}
	a.dial(targets)
}

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
	s := &a.terms.service
	c := a.newConn()
	c.setRemote(in.Remote)
	if err := a.loop.Attach(&c.stream, in, a.owner(c), s.limits.LingerTimeout); err != nil {
		a.fail(err)
		return
	}
	s.master.outgoing.Add(1)
	a.conn = c
	if a.terms.proxy == nil {
		a.secure()
		return
	}
	t, err := a.terms.proxy.Negotiate(a.route.endpoint.addr)
	if err != nil {
		c.fault(err)
		return
	}
	a.step = "negotiation with the proxy"
	c.ensureRare().opening.Store(&opening{attempt: a, tunnel: t})
	c.SendRaw(t.Begin())
}

func (a *attempt) newConn() *Conn {
	s := &a.terms.service
	c := &Conn{svc: s, id: s.master.nextID.Add(1), born: int32(a.loop.Now() / bornUnit)}
	c.stage.Store(uint32(stageOpening))
	return c
}

func (a *attempt) owner(c *Conn) *clientOwner {
	return &clientOwner{connOwner: (*connOwner)(c), client: a.client}
}

// secure goes on when the way to the server is open.
func (a *attempt) secure() {
	if a.route.tls == nil {
		a.upgrade()
		return
	}
	a.step = "TLS handshake"
	if err := a.conn.stream.StartTLS(a.route.tls, loop.Client); err != nil {
		a.conn.fault(err)
	}
}

// secured takes the result of the handshake of TLS.
func (a *attempt) secured(err error) {
	if err == nil {
		a.upgrade()
		return
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("the server closed the connection in the TLS handshake: %w", io.ErrUnexpectedEOF)
	}
	a.conn.stream.Close() // behind the alert that says why
	a.fail(err)
}

// upgrade goes on when the connection is encrypted, if it has to be.
func (a *attempt) upgrade() {
	if a.route.endpoint.dialog != webSocketDialog {
		a.established()
		return
	}
	a.step = "WebSocket handshake"
	c := a.conn
	o := &opening{attempt: a, handshake: a.terms.handshake(&a.route)}
	request, err := o.handshake.AppendRequest(nil)
	if err != nil {
		c.fault(err)
		return
	}
	if old := c.ensureRare().opening.Load(); old != nil {
		*old = *o // the dialog that is being served
	} else {
		c.rare().opening.Store(o)
	}
	c.SendRaw(request)
}

// established makes the connection the client's.
func (a *attempt) established() {
	cl, c := a.client, a.conn
	a.over()
	if x := c.rare(); x != nil {
		if o := x.opening.Load(); o != nil && o.response == nil {
			x.opening.Store(nil)
		} else if o != nil {
			o.attempt = nil
		}
	}
	c.stage.Store(uint32(stageReady))
	cl.established(c)
}

// over ends the attempt's part.
func (a *attempt) over() {
	a.client.attempt = nil
	a.timer.Stop()
	if a.abort != nil {
		a.abort()
		a.abort = nil
	}
}

// expire gives up after ConnectTimeout.
func (a *attempt) expire() {
	err := fmt.Errorf("%w: %s not done within %v", ErrConnectTimeout, a.step, a.terms.timeout)
	if a.conn == nil {
		a.fail(err)
		return
	}
	a.conn.end(err)
	a.conn.stream.Destroy(err)
}

// broken ends an attempt whose connection has closed.
func (a *attempt) broken(err error) {
	var errno syscall.Errno
	switch {
	case err == nil:
		err = fmt.Errorf("the server closed the connection in the %s: %w", a.step, io.ErrUnexpectedEOF)
	case errors.As(err, &errno):
		err = fmt.Errorf("%s: %w", a.step, err)
	}
	a.fail(err)
}

// fail tells that nothing has become of the attempt.
func (a *attempt) fail(err error) {
	cl := a.client
	if cl.attempt != a {
		return
	}
	a.over()
	c := a.conn
	if c == nil {
		c = a.newConn()
		c.ensureRare().gone = true
		a.loop.Abandon(&c.stream, a.owner(c))
	}
	c.end(err)
	cl.failed(c, err)
}
