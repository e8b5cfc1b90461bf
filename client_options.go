package workerman

import (
	"crypto/tls"
	"net/netip"
	"time"

	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// ClientOptions are the settings and callbacks of one Client or of many: see Client. Connect
// and Reconnect copy them, so that a change counts from the next call on. The zero value is
// useful.
type ClientOptions struct {
	// Name appears in logs. Default: the address.
	Name string
	// Protocol replaces the protocol of the address's scheme.
	Protocol Protocol
	// TLS are the settings of encryption: RootCAs for an own authority, Certificates for what
	// the server asks the client for, ServerName for another name than the host of the
	// address. It is copied. The schemes ssl (or tls) and wss encrypt without it; with any
	// other it is enough to set it. The server's certificate is verified unless
	// InsecureSkipVerify says otherwise.
	TLS *tls.Config
	// ConnectTimeout bounds an attempt: the look-up of the name, TCP and all handshakes.
	// Default 10 s.
	ConnectTimeout time.Duration
	// Backoff connects again by itself, unless the program ended the connection. Default:
	// never.
	Backoff Backoff
	// LocalAddr is the address of this side; with port 0 the system chooses the port.
	LocalAddr netip.AddrPort
	// Proxy leads through a proxy: http://HOST:PORT by CONNECT (RFC 9110 section 9.3.6), or
	// socks5://HOST:PORT (RFC 1928), both with USER:PASSWORD@ in front of the host if need
	// be. The proxy looks the host of the address up. Default: none.
	Proxy string

	// Header are further fields of a WebSocket's handshake, as Authorization, Cookie, Origin,
	// or a Host other than the address's.
	Header []web.Field
	// WebSocket are the settings of a ws:// or wss:// client: compression and subprotocols to
	// offer. Where MaxMessageSize is 0 it is MaxPackageSize.
	WebSocket websocket.Options
	// PingInterval is as in Worker: default 50 s, below 0 never.
	PingInterval time.Duration

	// MaxPackageSize is as in Limits.
	MaxPackageSize int
	// MaxSendBuffer is as in Limits. It also bounds what waits for the connection.
	MaxSendBuffer int
	// FullPolicy is as in Limits.
	FullPolicy FullPolicy
	// IdleTimeout is as in Limits.
	IdleTimeout time.Duration
	// LingerTimeout is as in Limits.
	LingerTimeout time.Duration

	Callbacks

	last *clientConfig // what the last Connect made of these options; guarded by Master.mu
}
