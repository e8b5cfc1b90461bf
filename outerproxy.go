package workerman

import (
	"fmt"
	"net"
	"net/url"

	"github.com/workerman-go/workerman/internal/socket"
	"github.com/workerman-go/workerman/internal/tunnel"
)

// outerProxy is the proxy that a client goes through.
type outerProxy struct {
	addr  socket.Address
	login tunnel.Login
	kind  func(tunnel.Target, tunnel.Login) (tunnel.Negotiation, error)
}

// ProxyError is why a Client's proxy did not open the way.
type ProxyError struct {
	Proxy string // HOST:PORT
	Err   error
}

// Error names the proxy and the cause.
func (e *ProxyError) Error() string { return fmt.Sprintf("proxy %s: %v", e.Proxy, e.Err) }

// Unwrap returns the cause.
func (e *ProxyError) Unwrap() error { return e.Err }

// parseProxy reads Client.Proxy. Errors leave the password out.
func parseProxy(address string) (*outerProxy, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("Proxy is no SCHEME://[USER:PASSWORD@]HOST:PORT")
	}
	p := &outerProxy{}
	port := u.Port()
	switch u.Scheme {
	case "http":
		p.kind = tunnel.CONNECT
		setDefault(&port, "80")
	case "socks5", "socks5h":
		p.kind = tunnel.SOCKS5
		setDefault(&port, "1080")
	default:
		return nil, fmt.Errorf("Proxy has the scheme %q; known are http and socks5", u.Scheme)
	}
	if p.addr, err = socket.Parse("tcp", net.JoinHostPort(u.Hostname(), port)); err != nil {
		return nil, fmt.Errorf("Proxy: %w", err)
	}
	p.login.User = u.User.Username()
	p.login.Password, _ = u.User.Password()
	if _, err := p.kind(tunnel.Target{Host: "a.test", Port: 1}, p.login); err != nil {
		return nil, fmt.Errorf("Proxy: %w", err)
	}
	return p, nil
}

// negotiation begins the dialog with the proxy.
func (p *outerProxy) negotiation(to socket.Address) (tunnel.Negotiation, error) {
	return p.kind(tunnel.Target{Host: to.Host, Port: to.Port}, p.login)
}

func (p *outerProxy) fails(err error) error { return &ProxyError{Proxy: p.addr.String(), Err: err} }
