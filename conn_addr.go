package workerman

import "net/netip"

// peerAddr is a netip.AddrPort in 18 bytes instead of 32, for the many connections of a
// server. IPv4 is kept as IPv4-mapped IPv6; a zone, which link-local peers alone have,
// goes into the connection's rare state.
type peerAddr struct {
	ip   [16]byte
	port uint16
}

func (c *Conn) setRemote(a netip.AddrPort) {
	if !a.IsValid() {
		return
	}
	c.remote = peerAddr{ip: a.Addr().As16(), port: a.Port()}
	c.hasRemote = true
	if zone := a.Addr().Zone(); zone != "" {
		c.ensureRare().zone = zone
	}
}

// RemoteAddr is the peer's address, also after the close. It is the zero value on a Unix
// socket, and a proxy's address if there is a proxy between, unless that says the client's
// by the PROXY protocol: see Worker.ProxyProtocol and, for HTTP, ClientIP.
func (c *Conn) RemoteAddr() netip.AddrPort {
	if x := c.rare(); x != nil {
		if a := x.client.Load(); a != nil {
			return *a
		}
	}
	return c.socketAddr()
}

// socketAddr is the address of who is connected, be it a proxy.
func (c *Conn) socketAddr() netip.AddrPort {
	if !c.hasRemote {
		return netip.AddrPort{}
	}
	ip := netip.AddrFrom16(c.remote.ip).Unmap()
	if x := c.rare(); x != nil && x.zone != "" {
		ip = ip.WithZone(x.zone)
	}
	return netip.AddrPortFrom(ip, c.remote.port)
}

// RemoteIP is the address of RemoteAddr.
func (c *Conn) RemoteIP() netip.Addr { return c.RemoteAddr().Addr() }

// RemotePort is the port of RemoteAddr.
func (c *Conn) RemotePort() uint16 { return c.RemoteAddr().Port() }
