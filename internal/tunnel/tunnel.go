// Package tunnel is the client's side of what opens a way through a proxy: CONNECT of
// HTTP and SOCKS5. It is bytes in, bytes out: sockets and time belong to the caller.
package tunnel

import "errors"

// Negotiation is the dialog with a proxy. It is used for one connection.
type Negotiation interface {
	// Begin returns what to send first.
	Begin() []byte
	// Next takes what the proxy has sent, all that was not used yet, and returns how much it
	// used and what to send. With done the way is open: what follows in b comes from the
	// server. An error is final.
	Next(b []byte) (used int, send []byte, done bool, err error)
}

// Login are the name and password for a proxy; none if User is empty.
type Login struct {
	User     string
	Password string
}

// Target is where the proxy is to connect to.
type Target struct {
	Host string // name or IP address without brackets
	Port uint16
}

// errTruncated says that the bytes are not complete.
var errTruncated = errors.New("incomplete")
