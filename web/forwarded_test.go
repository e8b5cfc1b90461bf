package web

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

var (
	proxyA   = netip.MustParseAddr("10.0.0.1")
	proxyB   = netip.MustParseAddr("10.0.0.2")
	stranger = netip.MustParseAddr("192.0.2.9")
	local    = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
)

// withFields is a request with these header lines.
func withFields(t testing.TB, fields ...string) *Request {
	head := "GET / HTTP/1.1\r\nHost: inner\r\n"
	for _, f := range fields {
		head += f + "\r\n"
	}
	return parsed(t, nil, head+"\r\n")
}

func TestClientIP(t *testing.T) {
	const xff, fwd, real = "X-Forwarded-For: ", "Forwarded: ", "X-Real-IP: "
	for _, c := range []struct {
		header string
		fields []string
		want   string
	}{
		// X-Forwarded-For, read from the right.
		{"", nil, "10.0.0.1"},
		{"", []string{xff}, "10.0.0.1"},
		{"", []string{xff + "192.0.2.1"}, "192.0.2.1"},
		{"x-forwarded-for", []string{"x-FORWARDED-for: 192.0.2.1"}, "192.0.2.1"},
		{"", []string{xff + "1.1.1.1, 192.0.2.1"}, "192.0.2.1"},
		{"", []string{xff + "1.1.1.1, 192.0.2.1, 10.0.0.2"}, "192.0.2.1"},
		{"", []string{xff + "1.1.1.1", xff + "192.0.2.1", xff + "10.9.0.2 ,\t10.0.0.3"}, "192.0.2.1"},
		{"", []string{xff + "192.0.2.1,,10.0.0.2, ,"}, "192.0.2.1"},
		{"", []string{xff + "10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"", []string{xff + "192.0.2.1:8080"}, "192.0.2.1"},
		{"", []string{xff + "2001:db8::1"}, "2001:db8::1"},
		{"", []string{xff + "[2001:db8::1]"}, "2001:db8::1"},
		{"", []string{xff + "[2001:db8::1]:443"}, "2001:db8::1"},
		{"", []string{xff + "::ffff:192.0.2.1"}, "192.0.2.1"},
		{"", []string{xff + "[::ffff:192.0.2.1]:1, fd00::1"}, "192.0.2.1"},
		{"", []string{xff + "192.0.2.1, ::ffff:10.1.2.3"}, "192.0.2.1"},
		// What is no address ends the walk.
		{"", []string{xff + "192.0.2.1, unknown"}, "10.0.0.1"},
		{"", []string{xff + "192.0.2.1, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"", []string{xff + "evil"}, "10.0.0.1"},
		{"", []string{xff + "192.0.2.1:"}, "10.0.0.1"},
		{"", []string{xff + "192.0.2.1:65536"}, "10.0.0.1"},
		{"", []string{xff + "192.0.2.1:8o"}, "10.0.0.1"},
		{"", []string{xff + "192.0.2.01"}, "10.0.0.1"},
		{"", []string{xff + "192.0.2.1 192.0.2.2"}, "10.0.0.1"},
		{"", []string{xff + "[192.0.2.1]"}, "10.0.0.1"},
		{"", []string{xff + "[2001:db8::1"}, "10.0.0.1"},
		{"", []string{xff + "2001:db8::1]"}, "10.0.0.1"},
		{"", []string{xff + "[2001:db8::1]x"}, "10.0.0.1"},
		{"", []string{xff + "fe80::1%eth0"}, "10.0.0.1"},
		{"", []string{xff + "\"192.0.2.1\""}, "10.0.0.1"},
		// Other fields are the client's own words.
		{"", []string{fwd + "for=1.1.1.1", real + "1.1.1.1"}, "10.0.0.1"},
		{"Forwarded", []string{xff + "1.1.1.1", real + "1.1.1.1"}, "10.0.0.1"},
		{"X-Real-IP", []string{xff + "1.1.1.1", fwd + "for=1.1.1.1"}, "10.0.0.1"},
		// Forwarded, with the examples of RFC 7239.
		{"Forwarded", []string{fwd + `for=192.0.2.43`}, "192.0.2.43"},
		{"forwarded", []string{fwd + `For="[2001:db8:cafe::17]:4711"`}, "2001:db8:cafe::17"},
		{"Forwarded", []string{fwd + `for=192.0.2.60;proto=http;by=203.0.113.43`}, "192.0.2.60"},
		{"Forwarded", []string{fwd + `for=192.0.2.43, for=198.51.100.17`}, "198.51.100.17"},
		{"Forwarded", []string{fwd + `for=192.0.2.43, for="[fd00::17]"`}, "192.0.2.43"},
		{"Forwarded", []string{fwd + `for=192.0.2.43,for=10.0.0.4`, fwd + `for=10.0.0.3`}, "192.0.2.43"},
		{"Forwarded", []string{fwd + `for="192.0.2.43:47011",for="10.0.0.2:_x"`}, "192.0.2.43"},
		{"Forwarded", []string{fwd + `for="_gazonk"`}, "10.0.0.1"},
		{"Forwarded", []string{fwd + `for=192.0.2.43, for=unknown, for=10.0.0.3`}, "10.0.0.3"},
		{"Forwarded", []string{fwd + `for=_hidden, for=_SEVKISEK`}, "10.0.0.1"},
		{"Forwarded", []string{fwd + `;; For = 192.0.2.43`}, "10.0.0.1"},
		{"Forwarded", []string{fwd + `;;for=192.0.2.43 ; by=_a;`}, "192.0.2.43"},
		{"Forwarded", []string{fwd + `for=192.0.2.43:80;by=[::1]:80`}, "192.0.2.43"},
		{"Forwarded", []string{fwd + `for="192.0.2.\43"`}, "192.0.2.43"},
		{"Forwarded", []string{fwd + `x="a,b;for=1.1.1.1\\";for=192.0.2.43`}, "192.0.2.43"},
		{"Forwarded", []string{fwd + `x="\",for=1.1.1.1",for=10.0.0.2`}, "10.0.0.2"},
		{"Forwarded", []string{fwd + `for=1.1.1.1;for=192.0.2.43`}, "10.0.0.1"},
		{"Forwarded", []string{fwd + `for="192.0.2.43`}, "10.0.0.1"},
		{"Forwarded", []string{fwd + `for="192.0.2.43\`}, "10.0.0.1"},
		{"Forwarded", []string{fwd + `for="192.0.2.43"x`}, "10.0.0.1"},
		{"Forwarded", []string{fwd + `for=`}, "10.0.0.1"},
		{"Forwarded", []string{fwd + `for=""`}, "10.0.0.1"},
		{"Forwarded", []string{fwd + `for`}, "10.0.0.1"},
		{"Forwarded", []string{fwd + `=192.0.2.43`}, "10.0.0.1"},
		{"Forwarded", []string{fwd + `192.0.2.43`}, "10.0.0.1"},
		{"Forwarded", []string{fwd + `proto=https`}, "10.0.0.1"},
		// A quote that the client left open does not swallow what the proxy appended.
		{"Forwarded", []string{fwd + `for=", for=192.0.2.43`}, "192.0.2.43"},
		{"Forwarded", []string{fwd + `for="\, for="192.0.2.43"`}, "192.0.2.43"},
		{"Forwarded", []string{fwd + `"`, fwd + `for=192.0.2.43`}, "192.0.2.43"},
		// A field with one address.
		{"X-Real-IP", []string{real + "192.0.2.1"}, "192.0.2.1"},
		{"x-real-ip", []string{real + " [2001:db8::1]:80 "}, "2001:db8::1"},
		{"CF-Connecting-IP", []string{"cf-connecting-ip: 192.0.2.1"}, "192.0.2.1"},
		{"X-Real-IP", []string{real + "192.0.2.1", real + "192.0.2.1"}, "10.0.0.1"},
		{"X-Real-IP", []string{real + "192.0.2.1, 10.0.0.2"}, "10.0.0.1"},
		{"X-Real-IP", []string{real + "x"}, "10.0.0.1"},
	} {
		r := withFields(t, c.fields...)
		p := Proxies{Trusted: local, Header: c.header}
		if got := p.ClientIP(r, proxyA); got.String() != c.want {
			t.Errorf("%q %q: %v, want %v", c.header, c.fields, got, c.want)
		}
		if got := p.ClientIP(r, stranger); got != stranger {
			t.Errorf("%q %q: a stranger passes for %v", c.header, c.fields, got)
		}
		if got := (&Proxies{Header: c.header}).ClientIP(r, proxyA); got != proxyA {
			t.Errorf("%q %q: the zero Proxies believe in %v", c.header, c.fields, got)
		}
	}
}

func TestWhoIsTrusted(t *testing.T) {
	r := withFields(t, "X-Forwarded-For: 192.0.2.1")
	for _, c := range []struct {
		proxies Proxies
		peer    string
		want    string
	}{
		{Proxies{Trusted: local}, "::ffff:10.0.0.1", "192.0.2.1"},
		{Proxies{Trusted: local}, "::ffff:11.0.0.1", "11.0.0.1"},
		{Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.0/104")}}, "10.0.0.1", "192.0.2.1"},
		{Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("::/0")}}, "10.0.0.1", "10.0.0.1"},
		{Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("fe80::/10")}}, "fe80::1%eth0", "192.0.2.1"},
		{Proxies{Trusted: []netip.Prefix{{}}}, "10.0.0.1", "10.0.0.1"},
		{Proxies{Trusted: local, Unix: true}, "", "192.0.2.1"},
		{Proxies{Trusted: local}, "", "invalid IP"},
	} {
		var peer netip.Addr
		if c.peer != "" {
			peer = netip.MustParseAddr(c.peer)
		}
		if got := c.proxies.ClientIP(r, peer); got.String() != c.want {
			t.Errorf("%+v, %q: %v, want %v", c.proxies, c.peer, got, c.want)
		}
	}
}

func TestSchemeAndHost(t *testing.T) {
	const proto, host, fwd = "X-Forwarded-Proto: ", "X-Forwarded-Host: ", "Forwarded: "
	for _, c := range []struct {
		header       string
		fields       []string
		scheme, host string
	}{
		{"", nil, "", "inner"},
		{"", []string{proto + "HTTPS", host + "a.example:8443"}, "https", "a.example:8443"},
		{"", []string{proto + "http, wss", host + "evil, a.example"}, "wss", "a.example"},
		{"", []string{proto + "http", proto + "https"}, "https", "inner"},
		{"", []string{proto + "ht tp", host + "a/b"}, "", "inner"},
		{"", []string{proto + "1a", host + ""}, "", "inner"},
		{"X-Real-IP", []string{proto + "https", fwd + "proto=ftp;host=evil"}, "https", "inner"},
		{"Forwarded", []string{proto + "ftp", host + "evil", fwd + `for=192.0.2.1;proto=https;host="a.example:80"`}, "https", "a.example:80"},
		{"Forwarded", []string{fwd + `for=1.1.1.1;proto=ftp;host=evil, for=192.0.2.1;proto=https;host=a, for=10.0.0.2;proto=http;host=b`}, "https", "a"},
		{"Forwarded", []string{fwd + `for=192.0.2.1, for=10.0.0.2;proto=http;host=b`}, "", "inner"},
		{"Forwarded", []string{fwd + `for=unknown;proto=https;host="[::1]:80"`}, "https", "[::1]:80"},
		{"Forwarded", []string{fwd + `proto=ftp;host=evil, nonsense`}, "", "inner"},
		{"Forwarded", []string{fwd + `for=1.1.1.1;proto=https;proto=http`}, "", "inner"},
		{"Forwarded", []string{fwd + `for=1.1.1.1;proto="";host="a b"`}, "", "inner"},
	} {
		r := withFields(t, c.fields...)
		p := Proxies{Trusted: local, Header: c.header}
		if s, h := p.Scheme(r, proxyA), p.Host(r, proxyA); s != c.scheme || h != c.host {
			t.Errorf("%q %q: %q %q, want %q %q", c.header, c.fields, s, h, c.scheme, c.host)
		}
		if s, h := p.Scheme(r, stranger), p.Host(r, stranger); s != "" || h != "inner" {
			t.Errorf("%q %q: a stranger is believed: %q %q", c.header, c.fields, s, h)
		}
	}
}

// FuzzClientIP writes whatever a client might send and lets two proxies append to it, on
// its line or on their own: the client stays who it is. Then the client plays the proxy
// itself: the answer is then its address or one that it wrote.
func FuzzClientIP(f *testing.F) {
	for _, s := range []string{"", "1.1.1.1", `for="`, `for=1.1.1.1, for="\`, `for="[::1]:_a";proto=x, "`, "10.0.0.3,", ",;\\\"", "unknown", "[::1", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, said string) {
		if !validBytes(said) || len(said) > 1000 {
			return
		}
		p := Proxies{Trusted: local}
		for _, format := range []string{"X-Forwarded-For: %s", "Forwarded: for=%s", `Forwarded: by=_x;for="%s"`} {
			name, element, _ := strings.Cut(format, " ")
			p.Header = strings.TrimSuffix(name, ":")
			first, second := fmt.Sprintf(element, stranger), fmt.Sprintf(element, proxyB)
			for _, fields := range [][]string{
				{name + said + ", " + first + "," + second},
				{name + said, name + first, name + second},
				{name + said + "," + first, name + second},
			} {
				if got := p.ClientIP(withFields(t, fields...), proxyA); got != stranger {
					t.Fatalf("%q: %v, want %v", fields, got, stranger)
				}
			}
		}
		for _, p.Header = range []string{"X-Forwarded-For", "Forwarded", "X-Real-IP"} {
			r := withFields(t, p.Header+": "+said)
			if got := p.ClientIP(r, proxyA); got != proxyA && !mentions(said, got) {
				t.Fatalf("%s: %q: %v", p.Header, said, got)
			}
			if got := p.ClientIP(r, stranger); got != stranger {
				t.Fatalf("%s: %q: %v", p.Header, said, got)
			}
			if s := p.Scheme(r, proxyA); s != "" && !strings.Contains(strings.ToLower(strings.ReplaceAll(said, `\`, "")), s) {
				t.Fatalf("%s: %q: scheme %q", p.Header, said, s)
			}
			if h := p.Host(r, proxyA); h != "inner" && !strings.Contains(strings.ReplaceAll(said, `\`, ""), h) {
				t.Fatalf("%s: %q: host %q", p.Header, said, h)
			}
		}
	})
}

// mentions reports whether an address stands in s, with a port or without.
func mentions(s string, want netip.Addr) bool {
	s = strings.ReplaceAll(s, `\`, "")
	for _, word := range strings.FieldsFunc(s, func(c rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF:.", c) }) {
		for end := len(word); end > 0; end = strings.LastIndexByte(word[:end], ':') {
			if a, err := netip.ParseAddr(word[:end]); err == nil && a.Unmap() == want {
				return true
			}
		}
	}
	return false
}
