package web

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestMixedPieces puts requests together from good and evil pieces, which reaches further
// than single bytes do. However they are cut, the verdict is the same, and what is accepted
// net/http reads alike.
func TestMixedPieces(t *testing.T) {
	pick := rand.New(rand.NewPCG(1, 2))
	one := func(s ...string) string { return s[pick.IntN(len(s))] }
	// Mostly the first, so that most requests have one flaw or none.
	mostly := func(s ...string) string {
		if pick.IntN(12) > 0 {
			return s[0]
		}
		return one(s...)
	}
	n := 6000
	if testing.Short() {
		n = 500
	}
	accepted, refused := 0, 0
	for range n {
		var b strings.Builder
		b.WriteString(mostly("", "\r\n", "\n", " ", "\r\n\r\n"))
		b.WriteString(mostly(one("GET", "POST", "OPTIONS", "PUT"), "HEAD", "CONNECT", "", "get", "G\x00T", "TRACE"))
		b.WriteString(mostly(" ", "  ", "\t", ""))
		b.WriteString(mostly(one("/", "/a/b?c=d&e=%20f+g", "*", "http://h:1/p?q", "/%41%2f..", "//h/x", "/ä?ö"), "a:80", "http://h", "https://u@h/", "/%", "/#", "", "*?", "/a?b?c#"))
		b.WriteString(mostly(" ", "  ", "\t", ""))
		b.WriteString(mostly(one("HTTP/1.1", "HTTP/1.1", "HTTP/1.0"), "HTTP/1.2", "HTTP/2.0", "HTTP/1.1 ", "http/1.1", "HTTP/1.01"))
		eol := func() string { return mostly("\r\n", "\n", "\r", "\r\r\n", "\n\r\n") }
		b.WriteString(eol())
		b.WriteString(mostly("Host: h", "", "Host: ", "Host: a,b", "host : h", "Host: h\r\nHost: h", "Host:h\t", "Host: [::1]:8"))
		b.WriteString(eol())
		for range pick.IntN(4) {
			b.WriteString(one("X: y", "x:\tä", "Connection: close", "connection: keep-alive, x", "Pragma: no-cache", "Expect: 100-continue",
				"Trailer: T", "Cookie: a=b; c=%41", mostly("Y: z", ": z", " z", "Y Z: z", "Y: \x00", "Y", "Y: a\x0b", "Content-Encoding: gzip")))
			b.WriteString(eol())
		}
		body := ""
		switch pick.IntN(3) {
		case 1:
			b.WriteString(mostly("Content-Length: 3", "Content-Length: 03", "content-length: 3\r\nContent-Length: 3", "Content-Length: 3,3", "Content-Length:3 ", "Content-Length: +3", "Content-Length : 3", "Content-Length: 4", "Content-Length: 2"))
			b.WriteString(eol())
			body = "abc"
		case 2:
			b.WriteString(mostly("Transfer-Encoding: chunked", "transfer-encoding:CHUNKED\t", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked\r\nContent-Length: 3", "Transfer-Encoding: chunked, identity", "Transfer-Encoding : chunked", "Transfer-Encoding: \x0cchunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"))
			b.WriteString(eol())
			for range pick.IntN(3) {
				body += mostly(one("3", "03", "3;a=b", "3;\"x\""), "", "g", "2", "4", "-3", "0x3", "3 ", "00000000000000003", "3;a\nb", "ffffffffffffffff") + eol() + "abc" + mostly("\r\n", "\n", "", "\r", "d\r\n")
			}
			body += mostly("0", "", "00", "0;x") + eol() + mostly("", "T: u\r\n", "t:\r\nU: v\r\n", "Content-Length: 3\r\n", " x\r\n", "T: u\n") + eol()
		}
		b.WriteString(mostly("\r\n", "\n", "\r"))
		b.WriteString(body)
		in := b.String() + "GET /next HTTP/1.1\r\nHost: n\r\n\r\n"

		agree(t, nil, in, 2, 9)
		p := Parser{}
		var r Request
		for buf := []byte(in); ; {
			used, step, err := p.Parse(&r, buf)
			if err != nil {
				refused++
			}
			if err != nil || step != GotRequest {
				break
			}
			accepted++
			oracle(t, buf[:used], &r)
			buf = buf[used:]
		}
	}
	if accepted < n/3 || refused < n/3 {
		t.Errorf("%d accepted and %d refused of %d: the pieces are not mixed well", accepted, refused, n)
	}
}
