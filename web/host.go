package web

import (
	"bytes"
	"net/netip"
)

// validHost reports whether b is a host with an optional port as Host and the request
// target may carry it: a name, an IPv4 address or an IPv6 address in brackets, and a port
// of digits. It is narrower than RFC 9110, section 7.2: an empty host, an empty port,
// escapes, user information and the delimiters ! $ & ' ( ) * + , ; = are refused, for no
// name in use has them and a comma is what a proxy joins two Host fields with.
func validHost(b []byte) bool {
	if len(b) > 0 && b[0] == '[' {
		i := bytes.IndexByte(b, ']')
		return i > 0 && validIPv6(b[1:i]) && validPort(b[i+1:])
	}
	i := 0
	for i < len(b) && (isAlnum(b[i]) || b[i] == '-' || b[i] == '.' || b[i] == '_' || b[i] == '~') {
		i++
	}
	return i > 0 && validPort(b[i:])
}

// validIPv6 leaves the many forms to netip; zones mean nothing to another machine.
func validIPv6(b []byte) bool {
	if len(b) > len("0000:0000:0000:0000:0000:ffff:255.255.255.255") {
		return false
	}
	a, err := netip.ParseAddr(string(b))
	return err == nil && a.Is6() && a.Zone() == ""
}

// validPort reports whether b is empty or a colon and a port number.
func validPort(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	if b[0] != ':' || len(b) < 2 || len(b) > 6 {
		return false
	}
	port := 0
	for _, c := range b[1:] {
		if !isDigit(c) {
			return false
		}
		port = port*10 + int(c-'0')
	}
	return port <= 65535
}
