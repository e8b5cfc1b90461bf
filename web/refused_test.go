package web

import (
	"strings"
	"testing"
)

// TestRefused has each form by which requests are smuggled, and each limit, with the status
// of its refusal.
func TestRefused(t *testing.T) {
	const (
		get   = "GET / HTTP/1.1\r\nHost: a\r\n"
		post  = "POST / HTTP/1.1\r\nHost: a\r\n"
		chunk = post + "Transfer-Encoding: chunked\r\n\r\n"
	)
	long := func(n int) string { return strings.Repeat("x", n) }
	small := &Options{MaxRequestLine: 64, MaxHeader: 128, MaxFields: 3, MaxBody: 10, MaxChunkExtensions: 8, MaxTrailer: 32}
	for _, c := range []struct {
		name   string
		o      *Options
		in     string
		status int
	}{
		{"two different lengths", nil, post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\na", 400},
		{"two equal lengths", nil, post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400},
		{"list of lengths", nil, post + "Content-Length: 1, 1\r\n\r\na", 400},
		{"empty length", nil, post + "Content-Length: \r\n\r\na", 400},
		{"plus sign", nil, post + "Content-Length: +1\r\n\r\na", 400},
		{"negative length", nil, post + "Content-Length: -1\r\n\r\na", 400},
		{"hexadecimal length", nil, post + "Content-Length: 0x1\r\n\r\na", 400},
		{"underscore in length", nil, post + "Content-Length: 1_0\r\n\r\na", 400},
		{"space in length", nil, post + "Content-Length: 1 0\r\n\r\na", 400},
		{"fraction", nil, post + "Content-Length: 1.0\r\n\r\na", 400},
		{"full-width digit", nil, post + "Content-Length: １\r\n\r\na", 400},
		{"length beyond 64 bits", nil, post + "Content-Length: 18446744073709551617\r\n\r\na", 413},
		{"length beyond 63 bits", &Options{MaxBody: -1}, post + "Content-Length: 9223372036854775808\r\n\r\na", 413},
		{"length over limit", small, post + "Content-Length: 11\r\n\r\n", 413},
		{"length and coding", nil, post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na", 400},
		{"coding and length", nil, post + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\na", 400},
		{"coding and length zero", nil, post + "tRANSFER-eNCODING: chunked\r\ncONTENT-lENGTH: 0\r\n\r\n", 400},

		{"coding in HTTP/1.0", nil, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"two codings fields", nil, post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		{"two different fields", nil, post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 400},
		{"chunked twice", nil, post + "Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
		{"chunked not last", nil, post + "Transfer-Encoding: chunked, gzip\r\n\r\n", 400},
		{"no chunked", nil, post + "Transfer-Encoding: gzip\r\n\r\n", 400},
		{"identity", nil, post + "Transfer-Encoding: identity\r\n\r\n", 400},
		{"empty coding", nil, post + "Transfer-Encoding:\r\n\r\n", 400},
		{"almost chunked", nil, post + "Transfer-Encoding: xchunked\r\n\r\n", 400},
		{"chunked with parameter", nil, post + "Transfer-Encoding: chunked;x=1\r\n\r\n", 400},
		{"quoted chunked", nil, post + "Transfer-Encoding: \"chunked\"\r\n\r\n", 400},
		{"vertical tab", nil, post + "Transfer-Encoding: \x0bchunked\r\n\r\n", 400},
		{"no-break space", nil, post + "Transfer-Encoding: \xa0chunked\r\n\r\n", 400},
		{"leading comma", nil, post + "Transfer-Encoding: ,chunked\r\n\r\n", 400},
		{"trailing comma", nil, post + "Transfer-Encoding: chunked,\r\n\r\n", 400},
		{"unknown coding", nil, post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
		{"unknown coding with parameter", nil, post + "Transfer-Encoding: x ;y=z , Chunked\r\n\r\n", 501},

		{"bare LF after request line", nil, "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
		{"bare LF after field", nil, "GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
		{"bare LF as empty line", nil, get + "\n", 400},
		{"bare LF in value", nil, get + "X: a\nY: b\r\n\r\n", 400},
		{"bare LF first", nil, "\n" + get + "\r\n", 400},
		{"bare CR in value", nil, get + "X: a\rY: b\r\n\r\n", 400},
		{"bare CR before CRLF", nil, get + "X: a\r\r\n\r\n", 400},
		{"bare CR as line", nil, get + "\r\r\n", 400},
		{"bare CR in name", nil, get + "X\r: a\r\n\r\n", 400},
		{"bare CR in target", nil, "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"bare CR first", nil, "\r" + get + "\r\n", 400},
		{"five empty lines", nil, "\r\n\r\n\r\n\r\n\r\n" + get + "\r\n", 400},
		{"fold by space", nil, get + "X: a\r\n b\r\n\r\n", 400},
		{"fold by tab", nil, get + "X: a\r\n\tb\r\n\r\n", 400},
		{"fold at once", nil, "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
		{"space before colon", nil, get + "Content-Length : 1\r\n\r\n", 400},
		{"tab before colon", nil, get + "Transfer-Encoding\t: chunked\r\n\r\n", 400},
		{"empty name", nil, get + ": a\r\n\r\n", 400},
		{"no colon", nil, get + "abc\r\n\r\n", 400},
		{"space in name", nil, get + "a b: c\r\n\r\n", 400},
		{"bracket in name", nil, get + "a[: c\r\n\r\n", 400},
		{"byte beyond ASCII in name", nil, get + "\xe4: c\r\n\r\n", 400},
		{"NUL in name", nil, get + "a\x00: c\r\n\r\n", 400},
		{"NUL in value", nil, get + "X: a\x00b\r\n\r\n", 400},
		{"NUL in long value", nil, get + "X: 0123456789\x00abcdefgh\r\n\r\n", 400},
		{"escape in value", nil, get + "X: \x1b[2J\r\n\r\n", 400},
		{"DEL in value", nil, get + "X: 0123456\x7f\r\n\r\n", 400},

		{"no Host", nil, "GET / HTTP/1.1\r\n\r\n", 400},
		{"no Host in 1.2", nil, "GET / HTTP/1.2\r\n\r\n", 400},
		{"no Host with absolute target", nil, "GET http://a/ HTTP/1.1\r\n\r\n", 400},
		{"two Hosts", nil, get + "Host: a\r\n\r\n", 400},
		{"two Hosts in 1.0", nil, "GET / HTTP/1.0\r\nhost: a\r\nHOST: b\r\n\r\n", 400},
		{"two Hosts with absolute target", nil, "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
		{"bad Host with absolute target", nil, "GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
		{"empty Host", nil, "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
		{"bad Host in 1.0", nil, "GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", 400},

		{"empty line with spaces", nil, " \r\n", 400},
		{"no version", nil, "GET /\r\n\r\n", 400},
		{"no target", nil, "GET HTTP/1.1\r\n\r\n", 400},
		{"empty target", nil, "GET  HTTP/1.1\r\n\r\n", 400},
		{"two spaces", nil, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"two spaces before version", nil, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"tab", nil, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"leading space", nil, " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"trailing space", nil, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
		{"space in target", nil, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"control in target", nil, "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"control in long target", nil, "GET /01234567\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"fragment", nil, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"fragment in long target", nil, "GET /0123456789#bcdefgh HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"bad escape", nil, "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"short escape", nil, "GET /%2 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"relative target", nil, "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"other scheme", nil, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"scheme without slashes", nil, "GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"user in target", nil, "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"empty authority", nil, "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"asterisk for GET", nil, "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"asterisk and more", nil, "OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"authority for GET", nil, "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"CONNECT without port", nil, "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"CONNECT without port to IPv6", nil, "CONNECT [::1] HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"CONNECT with path", nil, "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"method not a token", nil, "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"unknown method", nil, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
		{"lower case method", nil, "get / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
		{"lower case version", nil, "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
		{"letter in version", nil, "GET / HTTP/1.x\r\nHost: a\r\n\r\n", 400},
		{"comma in version", nil, "GET / HTTP/1,1\r\nHost: a\r\n\r\n", 400},
		{"long version", nil, "GET / HTTP/1.11\r\nHost: a\r\n\r\n", 400},
		{"version 0.9", nil, "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
		{"version 2", nil, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
		{"TLS", nil, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 400},

		{"chunk size empty", nil, chunk + "\r\n", 400},
		{"chunk size only extension", nil, chunk + ";a\r\n", 400},
		{"chunk size not hexadecimal", nil, chunk + "g\r\n", 400},
		{"chunk size with 0x", nil, chunk + "0x1\r\na\r\n", 400},
		{"chunk size with plus", nil, chunk + "+1\r\na\r\n", 400},
		{"chunk size negative", nil, chunk + "-1\r\na\r\n", 400},
		{"chunk size with underscore", nil, chunk + "1_0\r\na\r\n", 400},
		{"chunk size after space", nil, chunk + " 1\r\na\r\n", 400},
		{"chunk size before space and extension", nil, chunk + "1 ;a\r\na\r\n", 400},
		{"chunk size before space", nil, chunk + "1 \r\na\r\n", 400},
		{"chunk size of 17 digits", nil, chunk + "00000000000000001\r\na\r\n", 400},
		{"chunk size of 17 digits overflowing", nil, chunk + "10000000000000001\r\na\r\n", 400},
		{"chunk size beyond 63 bits", &Options{MaxBody: -1}, chunk + "ffffffffffffffff\r\na\r\n", 413},
		{"chunk size over limit", small, chunk + "b\r\n", 413},
		{"chunk sizes over limit", small, chunk + "5\r\nabcde\r\n6\r\n", 413},
		{"chunk line with bare LF", nil, chunk + "1\na\r\n", 400},
		{"chunk line with bare CR", nil, chunk + "1\ra\r\n", 400},
		{"extension with bare LF", nil, chunk + "1;a\nb\r\n", 400},
		{"extension with bare CR", nil, chunk + "1;a\rb\r\n", 400},
		{"extension with NUL", nil, chunk + "1;a\x00\r\n", 400},
		{"extension too long", small, chunk + "1;abcdefgh\r\n", 400},
		{"extension without end", nil, chunk + "1;" + long(4200), 400},
		{"extensions too long together", small, chunk + "1;abcd\r\na\r\n1;abcd\r\n", 400},
		{"size without end", nil, chunk + long(5000), 400},
		{"chunk longer than its size", nil, chunk + "1\r\nab\r\n", 400},
		{"chunk end with bare LF", nil, chunk + "1\r\na\n1\r\n", 400},
		{"chunk end with bare CR", nil, chunk + "1\r\na\r1\r\n", 400},
		{"trailer with length", nil, chunk + "0\r\nContent-Length: 1\r\n\r\n", 400},
		{"trailer with coding", nil, chunk + "0\r\ntransfer-encoding: chunked\r\n\r\n", 400},
		{"trailer with host", nil, chunk + "0\r\nA: b\r\nHost: a\r\n\r\n", 400},
		{"trailer with cookie", nil, chunk + "0\r\nCookie: a\r\n\r\n", 400},
		{"trailer folded", nil, chunk + "0\r\nA: b\r\n c\r\n\r\n", 400},
		{"trailer with bare LF", nil, chunk + "0\r\nA: b\n\r\n", 400},
		{"trailer end with bare LF", nil, chunk + "0\r\n\n", 400},
		{"trailer too long", small, chunk + "0\r\nA: " + long(40) + "\r\n\r\n", 431},
		{"trailer without end", small, chunk + "0\r\nA: " + long(40), 431},
		{"too many trailers", small, chunk + "0\r\nA:b\r\nA:b\r\nA:b\r\nA:b\r\n\r\n", 431},

		{"request line too long", nil, "GET /" + long(8200) + " HTTP/1.1\r\n", 414},
		{"request line without end", nil, "GET /" + long(8200), 414},
		{"request line too long for the head", &Options{MaxHeader: 50}, "GET /" + long(60) + " HTTP/1.1\r\n\r\n", 414},
		{"head too long", nil, get + "X: " + long(16<<10) + "\r\n\r\n", 431},
		{"head without end", nil, get + strings.Repeat("X: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n", 99) + "X: " + long(9000), 431},
		{"too many fields", small, get + "A:b\r\nA:b\r\nA:b\r\n\r\n", 431},
		{"unknown expectation", nil, post + "Expect: 200-ok\r\n\r\n", 417},
		{"no expectation", nil, post + "Expect:\r\n\r\n", 417},
	} {
		// The request before must be untouched, what follows must not be seen.
		in := get + "\r\n" + c.in + get + "\r\n"
		got := agree(t, c.o, in, 3)
		if got.refused != c.status || len(got.requests) != 1 {
			t.Errorf("%s: %v, want %d", c.name, got, c.status)
		}
	}
}

func TestLimitsAreExact(t *testing.T) {
	line, field := "GET / HTTP/1.1\r\n", "Host: a\r\n"
	in := line + field + "\r\n"
	for n, status := range map[int]int{len(in): 0, len(in) - 1: 431, len(in) - 2: 431, len(line): 431, len(line) - 1: 414} {
		if got := agree(t, &Options{MaxHeader: n}, in); got.refused != status {
			t.Errorf("MaxHeader %d of %d: %v, want %d", n, len(in), got, status)
		}
	}
	if got := agree(t, &Options{MaxRequestLine: len(line)}, in); got.refused != 0 {
		t.Errorf("MaxRequestLine: %v", got)
	}
	chunked := line + field + "Transfer-Encoding: chunked\r\n\r\n"
	o := &Options{MaxBody: 4, MaxChunkExtensions: 4, MaxTrailer: 8, MaxFields: 2}
	if got := agree(t, o, chunked+"3;a\r\nabc\r\n1;b\r\nd\r\n0\r\nA: b\r\n\r\n"); got.refused != 0 || len(got.requests) != 1 {
		t.Errorf("chunked: %v", got)
	}
	if got := agree(t, &Options{MaxBody: 4}, line+field+"Content-Length: 4\r\n\r\nabcd"); got.refused != 0 {
		t.Errorf("body: %v", got)
	}
	if got := agree(t, &Options{AnyMethod: true}, "Brew /pot HTTP/1.1\r\nHost: a\r\n\r\n"); got.refused != 0 || !strings.HasPrefix(got.requests[0], "Brew /pot ") {
		t.Errorf("any method: %v", got)
	}
	long := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n"
	if got := feed(&Options{MaxBody: -1}, long+strings.Repeat("x", 20_000_000), 1<<20); got.refused != 0 || len(got.requests) != 1 {
		t.Error("a body without limit was refused")
	}
}

func TestHosts(t *testing.T) {
	for _, s := range []string{"a", "a.b-c_d~", "127.0.0.1", "127.0.0.1:0", "a:65535", "[::1]", "[::ffff:1.2.3.4]:80", "EXAMPLE.com.", "xn--4ca"} {
		if !validHost([]byte(s)) {
			t.Errorf("%q refused", s)
		}
	}
	for _, s := range []string{"", ":", ":80", "a:", "a:b", "a:-1", "a:65536", "a:000080", "a:80:80", "a b", "a,b", "a/b", "a?b", "a#b",
		"a\\b", "a@b", "u:p@b", "[", "[]", "[::1", "::1", "[::1]x", "[::1]:", "[1.2.3.4]", "[fe80::1%eth0]", "[v1.a]", "%61", "ä", "a\x00", "<a>", "a\""} {
		if validHost([]byte(s)) {
			t.Errorf("%q accepted", s)
		}
	}
}
