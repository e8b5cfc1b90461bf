package web

import (
	"bytes"
	"iter"
	"net/netip"
)

// Proxies are the reverse proxies in front of a server, and what they say of the client.
//
// Every client can send the header fields of a proxy. So they are believed only from
// trusted peers, only one field is read, and that from its end: each proxy appends the
// address of its own peer, and the first address from the end that is no trusted proxy's is
// the client. What stands before it is the client's own invention.
//
// The zero Proxies trust nobody. Proxies may be used from several goroutines as long as
// nobody changes them.
type Proxies struct {
	// Trusted are the addresses of the proxies, those of inner proxies too.
	Trusted []netip.Prefix
	// Unix trusts every peer on a Unix socket, which has no address: the zero netip.Addr.
	Unix bool
	// Header is the one field that the proxies set for the address: X-Forwarded-For, the
	// default, or Forwarded (RFC 7239). Any other name, such as X-Real-IP, is a field with a
	// single address. Name only a field that the proxies really append to or replace: one
	// that they let pass is as the client wrote it.
	Header string
}

// ClientIP is the address of the client of r, IPv4 addresses in IPv6 as IPv4; peer is the
// address of the connection. It is peer itself if that is not trusted or says nothing. If an
// entry is malformed, unknown or obfuscated, or if all are trusted, it is the last trusted
// address.
func (p *Proxies) ClientIP(r *Request, peer netip.Addr) netip.Addr {
	client, _ := p.walk(r, peer)
	return client
}

// Scheme is the scheme of the client's request in lower case, "" if no trusted proxy says:
// the proto of Forwarded, as the proxy that the client spoke to has written it, with another
// Header the last value of X-Forwarded-Proto, as the nearest has. The latter has to be set
// by that proxy: if it lets the field pass, it is the client's word.
func (p *Proxies) Scheme(r *Request, peer netip.Addr) string {
	scheme := p.told(r, peer, "X-Forwarded-Proto", func(h hop) []byte { return h.scheme })
	if !validScheme(scheme) {
		return ""
	}
	return string(bytes.ToLower(scheme))
}

// Host is the host, and the port if it was given, that the client asked for: found as Scheme
// is, in Forwarded or X-Forwarded-Host. If no trusted proxy says, it is r.Host.
func (p *Proxies) Host(r *Request, peer netip.Addr) string {
	host := p.told(r, peer, "X-Forwarded-Host", func(h hop) []byte { return h.host })
	if !validHost(host) {
		return r.Host()
	}
	return string(host)
}

// told finds what is not about the address, in a field of its own unless the proxies set
// Forwarded.
func (p *Proxies) told(r *Request, peer netip.Addr, name string, in func(hop) []byte) []byte {
	if p.forwarded() {
		_, outermost := p.walk(r, peer)
		return in(outermost)
	}
	if p.trusts(peer) {
		for item := range r.backwards(name, lastItem) {
			return item
		}
	}
	return nil
}

// walk goes from proxy to proxy towards the client. It also returns what the last trusted
// one said.
func (p *Proxies) walk(r *Request, peer netip.Addr) (client netip.Addr, outermost hop) {
	client = peer.Unmap()
	if !p.trusts(client) {
		return client, outermost
	}
	header, cut := p.Header, lastItem
	switch {
	case p.forwarded():
		cut = lastQuotedItem
	case header == "":
		header = "X-Forwarded-For"
	case !equalFold(header, "X-Forwarded-For"):
		if only, ok := parseNode(r.onlyItem(header)); ok {
			client = only
		}
		return client, outermost
	}
	for item := range r.backwards(header, cut) {
		if p.forwarded() {
			h, ok := parseHop(item)
			if !ok {
				break
			}
			outermost, item = h, h.from
		}
		next, ok := parseNode(item)
		if !ok {
			break
		}
		if client = next; !p.trusts(next) {
			break
		}
	}
	return client, outermost
}

func (p *Proxies) forwarded() bool { return equalFold(p.Header, "Forwarded") }

func (p *Proxies) trusts(a netip.Addr) bool {
	if !a.IsValid() {
		return p.Unix
	}
	a = a.Unmap().WithZone("")
	for _, t := range p.Trusted {
		if t.Addr().Is4In6() && t.Bits() >= 96 {
			t = netip.PrefixFrom(t.Addr().Unmap(), t.Bits()-96)
		}
		if t.Contains(a) {
			return true
		}
	}
	return false
}

// backwards are the items of all header fields of that name, as one list, the last item
// first. Empty items are left out (RFC 9110, section 5.6.1).
func (r *Request) backwards(name string, cut func([]byte) (rest, item []byte)) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := len(r.fields) - 1; i >= 0; i-- {
			if !equalFold(r.view(r.fields[i].name), name) {
				continue
			}
			for list := r.view(r.fields[i].value); len(list) > 0; {
				var item []byte
				list, item = cut(list)
				if item = trim(item); len(item) > 0 && !yield(item) {
					return
				}
			}
		}
	}
}

// onlyItem is the item of a field that may have only one; nothing if there are more.
func (r *Request) onlyItem(name string) (only []byte) {
	for item := range r.backwards(name, lastItem) {
		if only != nil {
			return nil
		}
		only = item
	}
	return only
}

func lastItem(list []byte) (rest, item []byte) {
	i := bytes.LastIndexByte(list, ',')
	return list[:max(i, 0)], list[i+1:]
}

// lastQuotedItem knows that a comma between quotes separates nothing. It reads from the
// end, as the end is what a trusted proxy wrote: a quote that a client left open must not
// swallow it.
func lastQuotedItem(list []byte) (rest, item []byte) {
	quoted := false
	for i := len(list) - 1; i >= 0; i-- {
		switch c := list[i]; {
		case c == '"' && !quoted:
			quoted = true
		case c == '"':
			before := bytes.TrimRight(list[:i], `\`)
			quoted = (i-len(before))%2 == 1
		case c == ',' && !quoted:
			return list[:i], list[i+1:]
		}
	}
	return nil, list
}

// A hop is what a proxy says in an element of Forwarded: which peer it got the request from,
// by which scheme and for which host.
type hop struct{ from, scheme, host []byte }

// parseHop reads a forwarded-element (RFC 7239, section 4). Spaces around a semicolon and
// addresses without quotes, which some proxies write, mean what they say.
func parseHop(element []byte) (h hop, ok bool) {
	for {
		element = trim(element)
		if len(element) > 0 && element[0] != ';' {
			n := bytes.IndexByte(element, '=')
			if n < 0 || !isToken(element[:n]) {
				return h, false
			}
			name := element[:n]
			var value []byte
			if value, element, ok = cutValue(element[n+1:]); !ok || !h.put(name, value) {
				return h, false
			}
			element = trim(element)
		}
		if len(element) == 0 {
			return h, true
		}
		if element[0] != ';' {
			return h, false
		}
		element = element[1:]
	}
}

// put takes a parameter, and none twice. Others than these three are of no interest here.
func (h *hop) put(name, value []byte) bool {
	var place *[]byte
	switch {
	case equalFold(name, "for"):
		place = &h.from
	case equalFold(name, "proto"):
		place = &h.scheme
	case equalFold(name, "host"):
		place = &h.host
	default:
		return true
	}
	if *place != nil {
		return false
	}
	*place = value
	return true
}

// cutValue reads a token or a quoted string off the beginning of s. The value is never nil.
func cutValue(s []byte) (value, rest []byte, ok bool) {
	if len(s) == 0 || s[0] != '"' {
		n := 0
		for n < len(s) && (tokenBytes[s[n]] || s[n] == ':' || s[n] == '[' || s[n] == ']') {
			n++
		}
		return s[:n], s[n:], n > 0
	}
	value = make([]byte, 0, len(s))
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return value, s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return nil, nil, false
			}
		}
		value = append(value, s[i])
	}
	return nil, nil, false
}

// parseNode reads an address as proxies write it: bare or in brackets, with or without a
// port, which may be obfuscated (RFC 7239, section 6). It is not ok with "unknown", an
// obfuscated name or anything else.
func parseNode(node []byte) (a netip.Addr, ok bool) {
	address, port := node, []byte(nil)
	bracketed := len(node) > 0 && node[0] == '['
	switch {
	case bracketed:
		if address, port, ok = bytes.Cut(node[1:], []byte{']'}); !ok {
			return a, false
		}
	case bytes.Count(node, []byte{':'}) == 1:
		n := bytes.IndexByte(node, ':')
		address, port = node[:n], node[n:]
	}
	if !validNodePort(port) {
		return a, false
	}
	a, err := netip.ParseAddr(string(address))
	if err != nil || a.Zone() != "" || bracketed && a.Is4() {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// validNodePort is validPort and the obfuscated ports.
func validNodePort(port []byte) bool {
	if len(port) < 3 || port[0] != ':' || port[1] != '_' {
		return validPort(port)
	}
	for _, c := range port[2:] {
		if !isAlnum(c) && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// validScheme reports whether s is a scheme (RFC 3986, section 3.1).
func validScheme(s []byte) bool {
	for _, c := range s {
		if !isAlnum(c) && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	return len(s) > 0 && (s[0]|0x20)-'a' < 26
}
