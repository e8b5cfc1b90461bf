package workerman

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/workerman-go/workerman/http"
	"github.com/workerman-go/workerman/websocket"
)

// route is how a client gets to its server: what is needed until a connection is
// established.
type route struct {
	endpoint endpoint
	target   string // path and query of a WebSocket
	header   []http.Field
	proxy    *outerProxy // nil: directly
	local    netip.AddrPort
	tls      *tls.Config // nil: in clear
	timeout  time.Duration
	backoff  Backoff
}

// prepare checks the client's settings and copies them.
func (cl *Client) prepare() (*service, *route, error) {
	m := cl.master
	r := &route{header: cl.Header, local: cl.LocalAddr, timeout: cl.ConnectTimeout, backoff: cl.Backoff}
	var err error
	if r.endpoint, r.target, err = parseTarget(cl.address); err != nil {
		return nil, nil, err
	}
	if r.timeout < 0 || r.backoff.Min < 0 || r.backoff.Max < 0 {
		return nil, nil, errors.New("ConnectTimeout or Backoff is negative")
	}
	setDefault(&r.timeout, DefaultConnectTimeout)
	if cl.Proxy != "" {
		if r.proxy, err = parseProxy(cl.Proxy); err != nil {
			return nil, nil, err
		}
		if r.endpoint.addr.Network != "tcp" {
			return nil, nil, errors.New("a proxy leads to an address over tcp only")
		}
	}
	if r.local.IsValid() && r.endpoint.addr.Network != "tcp" {
		return nil, nil, errors.New("LocalAddr is for addresses over tcp")
	}
	if r.endpoint.secure || cl.TLS != nil {
		if r.tls, err = cl.tlsConfig(&r.endpoint); err != nil {
			return nil, nil, err
		}
	}
	s := &service{client: cl, master: m, log: m.logger(), protocol: r.endpoint.protocol, poison: m.PoisonLent, callbacks: cl.Callbacks, proxies: noProxies}
	s.limits = Limits{MaxPackageSize: cl.MaxPackageSize, MaxSendBuffer: cl.MaxSendBuffer, FullPolicy: cl.FullPolicy, IdleTimeout: cl.IdleTimeout, LingerTimeout: cl.LingerTimeout}
	if err := s.limits.check(); err != nil {
		return nil, nil, err
	}
	if cl.Protocol != nil {
		s.protocol, r.endpoint.dialog = cl.Protocol, noDialog
	}
	if r.endpoint.dialog == webSocketDialog {
		s.prepareWebSocket(cl.WebSocket, cl.PingInterval)
		if _, err := r.handshake(s.webSocket).AppendRequest(nil); err != nil {
			return nil, nil, err
		}
	}
	return s, r, nil
}

// logger is where the service logs. A client's logger is made for each of its few lines: it
// would be among the largest parts of an idle client.
func (s *service) logger() *slog.Logger {
	if cl := s.client; cl != nil {
		name := cl.Name
		setDefault(&name, cl.address)
		return s.log.With("client", name)
	}
	return s.log
}

var noProxies = new(http.Proxies)

// parseTarget reads a client's address.
func parseTarget(address string) (e endpoint, target string, err error) {
	plain, _, secure := plainAddress(address, "")
	scheme, rest, _ := strings.Cut(plain, "://")
	if scheme == "websocket" {
		if i := strings.IndexAny(rest, "/?#"); i >= 0 {
			rest, target = rest[:i], rest[i:]
		}
		if target, _, _ = strings.Cut(target, "#"); !strings.HasPrefix(target, "/") {
			target = "/" + target
		}
		if _, _, err := net.SplitHostPort(rest); err != nil && rest != "" {
			rest += map[bool]string{false: ":80", true: ":443"}[secure]
		}
		address = scheme + "://" + rest
	}
	if e, err = parseAddress(address, ""); err != nil {
		return e, "", err
	}
	e.secure = secure
	switch {
	case e.dialog == httpDialog:
		return e, "", errors.New("a Client speaks no HTTP: use net/http, or ws:// for a WebSocket")
	case e.addr.Network == "udp":
		return e, "", errors.New("a Client connects streams, not udp")
	case e.addr.Network == "tcp" && e.addr.Port == 0:
		return e, "", fmt.Errorf("no port to connect to in %q", address)
	}
	return e, target, nil
}

// tlsConfig is the client's TLS with what the address says.
func (cl *Client) tlsConfig(e *endpoint) (*tls.Config, error) {
	config := new(tls.Config)
	if cl.TLS != nil {
		config = cl.TLS.Clone()
	}
	setDefault(&config.ServerName, e.addr.Host)
	if config.ServerName == "" && !config.InsecureSkipVerify {
		return nil, errors.New("TLS over a Unix socket needs TLS.ServerName, the name to verify")
	}
	if len(config.NextProtos) == 0 && e.dialog == webSocketDialog {
		config.NextProtos = []string{"http/1.1"}
	}
	return config, nil
}

// handshake makes the opening handshake of a WebSocket.
func (r *route) handshake(o *websocket.Options) *websocket.ClientHandshake {
	h := &websocket.ClientHandshake{Host: r.host(), Target: r.target, Options: o}
	for _, f := range r.header {
		switch {
		case strings.EqualFold(f.Name, "Host"):
			h.Host = f.Value
		case strings.EqualFold(f.Name, "Origin"):
			h.Origin = f.Value
		default:
			h.Fields = append(h.Fields, f)
		}
	}
	return h
}

// host is the server's name for its Host field, without the usual port.
func (r *route) host() string {
	a := r.endpoint.addr
	usual := uint16(80)
	if r.tls != nil {
		usual = 443
	}
	switch {
	case a.Network == "unix":
		return "localhost"
	case a.Port != usual:
		return a.String()
	case strings.Contains(a.Host, ":"):
		return "[" + a.Host + "]"
	}
	return a.Host
}
