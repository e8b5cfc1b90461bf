package workerman

import "strings"

// alias is what another name of a scheme stands for.
type alias struct {
	scheme string
	secure bool
}

var aliases = map[string]alias{
	"ssl": {"tcp", true}, "tls": {"tcp", true},
	"https": {"http", true}, "wss": {"websocket", true}, "ws": {"websocket", false},
}

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
