// Package proxyproto reads the header of the PROXY protocol, versions 1 and 2, in which a
// TCP proxy says whose connection it passes on. It is sans-I/O: bytes in, addresses out.
//
// A header is never optional: whoever may connect without one could also write one. So
// listen for it only where nobody but the proxy can connect.
package proxyproto

import (
	"bytes"
	"fmt"
	"net/netip"
)

// MaxSize is the most bytes that a header may have. Version 1 allows 107; version 2 would
// allow 64 KiB, and the longest in use, with a client's certificate, have a few.
const MaxSize = 16 << 10

// A Header is what the proxy says of the client.
type Header struct {
	// Local says that there are no addresses: the proxy speaks for itself, to see whether
	// the server lives, or does not know. The addresses of the connection itself count.
	Local bool
	// Source is the client's address and Destination the one that it connected to, IPv4 in
	// IPv6 as IPv4. Both are zero if the client came over a Unix socket.
	Source, Destination netip.AddrPort
}

// Parse reads a header at the beginning of buf, as far as it has arrived, and returns its
// length: 0 if more bytes are needed. What cannot become a header is an error at once, even
// if it is short. After an error the connection has to be closed without an answer, as the
// other side speaks something else.
func Parse(buf []byte) (h Header, n int, err error) {
	switch {
	case begins(buf, prefix1):
		return parse1(buf)
	case begins(buf, signature2):
		return parse2(buf)
	}
	return h, 0, fmt.Errorf("proxyproto: the connection begins with %q and not with a PROXY header: "+
		"is it one of the proxy, and is the proxy set to send the header?", buf[:min(len(buf), 16)])
}

// begins reports whether buf and prefix agree as far as both go.
func begins(buf []byte, prefix string) bool {
	n := min(len(buf), len(prefix))
	return string(buf[:n]) == prefix[:n]
}

// malformed is an error about a part of a header.
func malformed(part string, value any) error {
	if b, ok := value.([]byte); ok {
		return fmt.Errorf("proxyproto: malformed header: %s %q", part, b[:min(len(b), maxSize1)])
	}
	return fmt.Errorf("proxyproto: malformed header: %s %v", part, value)
}

// unmapped joins an address and a port.
func unmapped(a netip.Addr, port uint16) netip.AddrPort { return netip.AddrPortFrom(a.Unmap(), port) }

// cutSpace cuts s at its first space.
func cutSpace(s []byte) (before, after []byte, found bool) { return bytes.Cut(s, []byte{' '}) }
