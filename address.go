package workerman

import (
	"fmt"
	"strings"

	"github.com/workerman-go/workerman/internal/socket"
)

// endpoint is an address taken apart: which protocol over which transport, where.
type endpoint struct {
	protocol Protocol // nil: bytes as they come, whole datagrams, or a dialog
	dialog   dialogKind
	scheme   string
	secure   bool // over TLS
	addr     socket.Address
}

func isTransport(name string) bool { return name == "tcp" || name == "udp" || name == "unix" }

// validScheme accepts what users may register.
func validScheme(name string) bool {
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// parseAddress reads SCHEME://ADDRESS or SCHEME+TRANSPORT://ADDRESS. The scheme is a
// transport or a protocol, which runs over transport (tcp if empty).
func parseAddress(address, transport string) (endpoint, error) {
	var e endpoint
	address, transport, e.secure = plainAddress(address, transport)
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return endpoint{}, fmt.Errorf("address %q has no scheme, as in text://0.0.0.0:2345", address)
	}
	name, over, composed := strings.Cut(strings.ToLower(scheme), "+")
	if composed {
		if over == "" {
			return endpoint{}, fmt.Errorf("scheme %q lacks the transport behind the +", scheme)
		}
		if transport != "" && transport != over {
			return endpoint{}, fmt.Errorf("address %q says transport %q, Transport says %q", address, over, transport)
		}
		transport = over
	}
	if !validScheme(name) {
		return endpoint{}, fmt.Errorf("invalid scheme %q: a scheme is a letter and then letters or digits", scheme)
	}
	e.scheme = name
	if isTransport(name) {
		if composed {
			return endpoint{}, fmt.Errorf("scheme %q combines two transports", scheme)
		}
		if transport != "" && transport != "tcp" && transport != name {
			return endpoint{}, fmt.Errorf("address %q and Transport %q contradict each other", address, transport)
		}
		transport = name
	} else if e.protocol, ok = findProtocol(name); ok {
	} else if e.dialog = findDialog(name); e.dialog == noDialog {
		return endpoint{}, fmt.Errorf("unknown scheme %q; known are %s", name, knownSchemes())
	}
	if transport == "" {
		transport = "tcp"
	}
	if e.dialog != noDialog && transport == "udp" {
		return endpoint{}, fmt.Errorf("%s needs a stream, not udp", name)
	}
	var err error
	e.addr, err = socket.Parse(transport, rest)
	return e, err
}

// alias is what another name of a scheme stands for.
type alias struct {
	scheme string
	secure bool
}

// aliases are those of transports and, from init on, those of dialogs.
var aliases = map[string]alias{"ssl": {"tcp", true}, "tls": {"tcp", true}}

func isTLS(transport string) bool { return transport == "ssl" || transport == "tls" }

// plainAddress takes aliases and the encryption out of an address and its transport:
// https:// is http:// with TLS, and so are http+ssl:// and http:// over transport ssl.
func plainAddress(address, transport string) (plain, over string, secure bool) {
	over = transport
	if isTLS(over) {
		over, secure = "", true
	}
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return address, over, secure
	}
	name, with, composed := strings.Cut(strings.ToLower(scheme), "+")
	if a, ok := aliases[name]; ok {
		name, secure = a.scheme, secure || a.secure
	}
	if composed && isTLS(with) {
		composed, secure = false, true
	}
	if composed {
		name += "+" + with
	}
	return name + "://" + rest, over, secure
}
