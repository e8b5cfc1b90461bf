// Package socket opens listening sockets and reads addresses: everything about a
// socket that happens before or beside the event loop.
package socket

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Address is where to listen: a network ("tcp", "udp" or "unix") and a host with a
// port, or a path.
type Address struct {
	Network string
	Host    string // name or literal without brackets; "" for a Unix socket
	Port    uint16
	Path    string // where a Unix socket lies; a leading @ means Linux' abstract namespace
}

// maxUnixPath is what sockaddr_un holds on every system (104 on BSD, 108 on Linux).
const maxUnixPath = 104

// Parse reads the part of an address behind "scheme://".
func Parse(network, rest string) (Address, error) {
	a := Address{Network: network}
	switch network {
	case "unix":
		switch {
		case rest == "":
			return a, errors.New("missing path of the socket, as in unix:///run/app.sock")
		case len(rest) >= maxUnixPath:
			return a, fmt.Errorf("path of %d bytes: a Unix socket's path has at most %d", len(rest), maxUnixPath-1)
		case strings.ContainsRune(rest, 0):
			return a, errors.New("path holds a NUL byte")
		}
		a.Path = rest
		return a, nil
	case "tcp", "udp":
	default:
		return a, fmt.Errorf("unknown transport %q: tcp, udp and unix are known", network)
	}
	host, port, err := net.SplitHostPort(rest)
	if err != nil {
		return a, fmt.Errorf("%q is no HOST:PORT (an IPv6 address needs brackets, as in [::1]:80)", rest)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || port[0] == '+' {
		return a, fmt.Errorf("port %q is no number from 0 to 65535", port)
	}
	if host == "" {
		return a, fmt.Errorf("missing host in %q: 0.0.0.0 stands for all IPv4 addresses, [::] for all addresses", rest)
	}
	if strings.ContainsAny(host, "/?#@ \t\r\n\x00") {
		return a, fmt.Errorf("host %q has a character that no host name has", host)
	}
	a.Host, a.Port = host, uint16(n)
	return a, nil
}

// String is the address as it was written, without a scheme.
func (a Address) String() string {
	if a.Network == "unix" {
		return a.Path
	}
	return net.JoinHostPort(a.Host, strconv.Itoa(int(a.Port)))
}

// goNetwork picks the network name for package net. Its plain "tcp" makes 0.0.0.0
// listen on IPv6 too; an IPv4 literal means IPv4 here, and [::] means both.
func (a Address) goNetwork() string {
	if ip, err := netip.ParseAddr(a.Host); err == nil && ip.Is4() {
		return a.Network + "4"
	}
	return a.Network
}

// AddrPort is the IP address and port of addr, the zero value for other kinds.
func AddrPort(addr net.Addr) netip.AddrPort {
	switch a := addr.(type) {
	case *net.TCPAddr:
		return unmap(a.AddrPort())
	case *net.UDPAddr:
		return unmap(a.AddrPort())
	}
	return netip.AddrPort{}
}

// unmap shows an IPv4 peer of a dual-stack socket as what it is.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
