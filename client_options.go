package workerman

import (
	"crypto/tls"
	"math/rand/v2"
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

// Backoff makes a Client connect again by itself, after a connection has ended and after an
// attempt has failed. The pause doubles with each failure from Min up to Max and begins anew
// once a connection is established. The zero value means no automatic reconnect.
type Backoff struct {
	// Min is the first pause. Default 500 ms, if Max is set.
	Min time.Duration
	// Max is the longest pause. Default 30 s, or Min if that is longer.
	Max time.Duration
	// Jitter is the part of a pause, from 0 to 1, that is random, so that the clients of a
	// server that comes back do not come all at once. Default 0.5; below 0 none.
	Jitter float64
}

const (
	defaultBackoffMin    = 500 * time.Millisecond
	defaultBackoffMax    = 30 * time.Second
	defaultBackoffJitter = 0.5
)

// used reports whether Backoff connects again.
func (b *Backoff) used() bool { return b.Min > 0 || b.Max > 0 }

// pause is how long to wait after so many failures in a row. random is from 0 to 1.
func (b Backoff) pause(failures int, random float64) time.Duration {
	setDefault(&b.Min, defaultBackoffMin)
	setDefault(&b.Max, max(defaultBackoffMax, b.Min))
	setDefault(&b.Jitter, defaultBackoffJitter)
	d := min(b.Min, b.Max)
	for ; failures > 0 && d < b.Max; failures-- {
		d = min(2*d, b.Max)
	}
	return d - time.Duration(float64(d)*random*min(max(b.Jitter, 0), 1))
}

// next is pause with a random number.
func (b Backoff) next(failures int) time.Duration { return b.pause(failures, rand.Float64()) }
