package workerman

import (
	"net/netip"

	"github.com/workerman-go/workerman/internal/proxyproto"
	"github.com/workerman-go/workerman/web"
)

// proxyHeader is the dialog of a connection that begins with the header of the PROXY protocol.
type proxyHeader struct {
	next dialog // what the connection speaks behind it, nil for messages
}

var _ dialog = (*proxyHeader)(nil)

// receive reads the header when it is complete.
func (p *proxyHeader) receive(c *Conn, b []byte) (used, want int) {
	h, n, err := proxyproto.Parse(b)
	switch {
	case err != nil:
		c.logReason(err)
		c.stream.Destroy(err) // the other side speaks something else
		return len(b), 0
	case n == 0:
		return 0, 0
	}
	if !h.Local {
		if !c.settings.server.countIPIn(h.Source.Addr()) {
			c.settings.server.refused.Add(1)
			c.settings.server.accepted.Add(^uint64(0))
			c.stream.Close()
			return len(b), 0
		}
		c.ensureRare().client.Store(&h.Source)
	}
	c.speak(p.next)
	c.startTLS()
	return n, 0
}

func (p *proxyHeader) endOfInput(c *Conn) (done bool) { return messages{}.endOfInput(c) }

// deadline is none but that of the handshakes together.
func (p *proxyHeader) deadline(*Conn, int64) (next int64, err error) { return 0, nil }

// send refuses: the program does not know the connection yet.
func (p *proxyHeader) send(*Conn, []byte) error { return ErrClosed }

func (p *proxyHeader) shutDown(c *Conn, _ []byte, err error) error {
	return messages{}.shutDown(c, nil, err)
}

func (p *proxyHeader) scheme(c *Conn) string {
	if p.next == nil {
		return messages{}.scheme(c)
	}
	return p.next.scheme(c)
}

// countedIP is the address that the connection counts for in MaxConnectionsPerIP. A proxy's
// connections count for its clients.
func (c *Conn) countedIP() netip.Addr {
	if !c.settings.server.proxyProtocol {
		return c.RemoteIP()
	}
	if x := c.rare(); x != nil && x.client.Load() != nil {
		return x.client.Load().Addr()
	}
	return netip.Addr{}
}

// ClientIP is the address of the client that sent r, as Worker.TrustedProxies tell it if the
// connection is one of theirs, otherwise RemoteIP.
func (c *Conn) ClientIP(r *web.Request) netip.Addr {
	if h := c.settings.http; h != nil {
		return h.proxies.ClientIP(r, c.RemoteIP())
	}
	return c.RemoteIP()
}
