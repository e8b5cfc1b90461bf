package workerman

import (
	"net/netip"

	"github.com/workerman-go/workerman/internal/proxyproto"
	"github.com/workerman-go/workerman/web"
)

// introduce reads the PROXY header that a connection begins with. It returns how many bytes
// that is, 0 as long as it is not complete.
func (c *Conn) introduce(b []byte) (used int) {
	h, n, err := proxyproto.Parse(b)
	switch {
	case err != nil:
		c.complain(err)
		c.stream.Destroy(err) // the other side speaks something else
		return len(b)
	case n == 0:
		return 0
	}
	if !h.Local {
		if !c.svc.admitIP(h.Source.Addr()) {
			c.svc.refusedN.Add(1)
			c.svc.accepted.Add(^uint64(0))
			c.stream.Close()
			return len(b)
		}
		c.ensureRare().client.Store(&h.Source)
	}
	c.introduced()
	return n
}

// countedIP is the address that the connection counts for in MaxConnectionsPerIP. A proxy's
// connections count for its clients.
func (c *Conn) countedIP() netip.Addr {
	if !c.svc.proxyProtocol {
		return c.RemoteIP()
	}
	if x := c.rare(); x != nil && x.client.Load() != nil {
		return x.client.Load().Addr()
	}
	return netip.Addr{}
}

// ClientIP is the address of the client that sent r, as Worker.TrustedProxies tell it if the
// connection is one of theirs, otherwise RemoteIP.
func (c *Conn) ClientIP(r *web.Request) netip.Addr { return c.svc.proxies.ClientIP(r, c.RemoteIP()) }
