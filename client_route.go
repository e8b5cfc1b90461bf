package workerman

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/workerman-go/workerman/websocket"
)

// route is how a client gets to its server. It is made for each attempt, from a configuration
// and an address that have been checked.
type route struct {
	endpoint endpoint
	target   string      // path and query of a WebSocket
	tls      *tls.Config // nil: in clear
}

// route checks that the configuration leads to an address.
func (config *clientConfig) route(address string) (r route, err error) {
	o := &config.options
	if r.endpoint, r.target, err = parseTarget(address); err != nil {
		return r, err
	}
	e := &r.endpoint
	if config.proxy != nil && e.addr.Network != "tcp" {
		return r, errors.New("a proxy leads to an address over tcp only")
	}
	if o.LocalAddr.IsValid() && e.addr.Network == "unix" {
		return r, errors.New("LocalAddr is for addresses over tcp and udp")
	}
	if o.Protocol != nil {
		e.dialog = noDialog
	}
	if e.secure || o.TLS != nil {
		if e.addr.Network == "udp" {
			return r, errors.New("TLS needs a stream, not udp")
		}
		if r.tls, err = o.tlsConfig(e); err != nil {
			return r, err
		}
	}
	if d := dialogTypes[e.dialog].client; d != nil {
		err = d.check(config, &r)
	}
	return r, err
}

// parseTarget reads a client's address.
func parseTarget(address string) (e endpoint, target string, err error) {
	plain, _, secure := plainAddress(address, "")
	scheme, rest, _ := strings.Cut(plain, "://")
	if kind := findDialog(scheme); dialogTypes[kind].client != nil {
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
	case e.dialog != noDialog && dialogTypes[e.dialog].client == nil:
		return e, "", errors.New(dialogTypes[e.dialog].noClient)
	case e.addr.Network != "unix" && e.addr.Port == 0:
		return e, "", fmt.Errorf("no port to connect to in %q", address)
	}
	return e, target, nil
}

// tlsConfig completes the options of TLS by what the address says.
func (o *ClientOptions) tlsConfig(e *endpoint) (*tls.Config, error) {
	config := new(tls.Config)
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	setDefault(&config.ServerName, e.addr.Host)
	if config.ServerName == "" && !config.InsecureSkipVerify {
		return nil, errors.New("TLS over a Unix socket needs TLS.ServerName, the name to verify")
	}
	if len(config.NextProtos) == 0 {
		config.NextProtos = dialogTypes[e.dialog].nextProtos()
	}
	return config, nil
}

// handshake makes the opening handshake of a WebSocket.
func (config *clientConfig) handshake(r *route) *websocket.ClientHandshake {
	h := &websocket.ClientHandshake{Host: r.host(), Target: r.target, Options: &config.settings.webSocket.options}
	for _, f := range config.options.Header {
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
