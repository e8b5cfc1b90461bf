package dialer

import (
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/workerman-go/workerman/internal/socket"
	"github.com/workerman-go/workerman/internal/tunnel"
)

// Proxy describes a proxy that connections lead through. It does not change.
type Proxy struct {
	addr      socket.Address
	login     tunnel.Login
	negotiate func(tunnel.Target, tunnel.Login) (tunnel.Negotiation, error)
}

// ParseProxy reads http://HOST:PORT or socks5://HOST:PORT, both with USER:PASSWORD@ in front
// of the host if need be; the ports are 80 and 1080 by default. Errors leave the password out.
func ParseProxy(address string) (*Proxy, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("Proxy is no SCHEME://[USER:PASSWORD@]HOST:PORT")
	}
	p := &Proxy{}
	port := u.Port()
	usual := ""
	switch u.Scheme {
	case "http":
		p.negotiate, usual = tunnel.CONNECT, "80"
	case "socks5", "socks5h":
		p.negotiate, usual = tunnel.SOCKS5, "1080"
	default:
		return nil, fmt.Errorf("Proxy has the scheme %q; known are http and socks5", u.Scheme)
	}
	if port == "" {
		port = usual
	}
	if p.addr, err = socket.Parse("tcp", net.JoinHostPort(u.Hostname(), port)); err != nil {
		return nil, fmt.Errorf("Proxy: %w", err)
	}
	p.login.User = u.User.Username()
	p.login.Password, _ = u.User.Password()
	// A negotiation with any server shows whether the login can be told to the proxy.
	if _, err := p.negotiate(tunnel.Target{Host: "a.test", Port: 1}, p.login); err != nil {
		return nil, fmt.Errorf("Proxy: %w", err)
	}
	return p, nil
}

// Address returns where the proxy is.
func (p *Proxy) Address() socket.Address { return p.addr }

// Negotiate begins a dialog with the proxy about a way to a server. The error is of an
// address that the proxy cannot be told.
func (p *Proxy) Negotiate(to socket.Address) (tunnel.Negotiation, error) {
	return p.negotiate(tunnel.Target{Host: to.Host, Port: to.Port}, p.login)
}
