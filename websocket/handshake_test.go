package websocket

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/workerman-go/workerman/web"
)

// The request of RFC 6455 section 1.3.
const sample = "GET /chat HTTP/1.1\r\n" +
	"Host: server.example.com\r\n" +
	"Upgrade: websocket\r\n" +
	"Connection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
	"Origin: http://example.com\r\n" +
	"Sec-WebSocket-Protocol: chat, superchat\r\n" +
	"Sec-WebSocket-Version: 13\r\n\r\n"

func status(err error) int {
	var e *HandshakeError
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// request is what the parser of package web makes of a whole request.
func request(t testing.TB, text string) *web.Request {
	t.Helper()
	r := new(web.Request)
	used, step, err := new(web.Parser).Parse(r, []byte(text))
	if err != nil || step != web.GotRequest || used != len(text) {
		t.Fatalf("%q: step %v after %d of %d bytes: %v", text, step, used, len(text), err)
	}
	return r
}

func TestSampleRequest(t *testing.T) {
	if got := acceptKey("dGhlIHNhbXBsZSBub25jZQ=="); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Error(got)
	}
	r := request(t, sample)
	o := &Options{Origins: []string{"http://other.com", "HTTP://example.com"}, Subprotocols: []string{"superchat", "chat"}}
	a, err := o.Negotiate(r)
	if err != nil || a.Subprotocol != "chat" || a.Deflate.Enabled {
		t.Fatal(a, err)
	}
	got, err := AppendAccept([]byte("x"), r, a, web.Field{Name: "Set-Cookie", Value: "a=b"})
	const want = "xHTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\nSet-Cookie: a=b\r\n\r\n"
	if err != nil || string(got) != want {
		t.Errorf("%s%v", got, err)
	}
	for _, bad := range []Agreement{{Subprotocol: "other"}, {Deflate: noTakeover}, {Deflate: Deflate{Enabled: true}}} {
		if got, err := AppendAccept([]byte("x"), r, bad); err == nil || string(got) != "x" {
			t.Errorf("%+v: %q", bad, got)
		}
	}
	for _, bad := range [][2]string{{"", "x"}, {"A b", "x"}, {"A", "x\r\nB: y"}, {"A", "x\ny"}, {"A", "\x00"}, {"upgrade", "x"}, {"A:", ""}, {"Sec-WebSocket-Accept", "x"}} {
		if got, err := AppendAccept([]byte("x"), r, a, web.Field{Name: bad[0], Value: bad[1]}); err == nil || string(got) != "x" {
			t.Errorf("%q: %q", bad, got)
		}
	}
	// A program that did not ask Negotiate.
	plain := request(t, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if got, err := AppendAccept([]byte("x"), plain, Agreement{}); status(err) != 426 || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNegotiateJudges(t *testing.T) {
	replace := func(old, with string) string {
		if !strings.Contains(sample, old) {
			t.Fatal(old)
		}
		return strings.Replace(sample, old, with, 1)
	}
	add := func(line string) string { return replace("\r\n\r\n", "\r\n"+line+"\r\n\r\n") }
	o := &Options{Origins: []string{"*"}}
	for _, x := range []struct {
		name, text string
		status     int // 0 if it is fine
	}{
		{"as it is", sample, 0},
		{"POST", replace("GET", "POST"), 405},
		{"HEAD", replace("GET", "HEAD"), 405},
		{"HTTP/1.0", replace("HTTP/1.1", "HTTP/1.0"), 400},
		{"HTTP/1.2", replace("HTTP/1.1", "HTTP/1.2"), 0},
		{"whole URL", replace("/chat", "http://server.example.com/chat"), 0},
		{"host with port", replace("server.example.com", "[::1]:8080"), 0},
		{"no upgrade", replace("Upgrade: websocket\r\n", ""), 426},
		{"other upgrade", replace("websocket", "h2c"), 426},
		{"upgrade with version", replace("websocket", "websocket/13"), 426},
		{"several upgrades", replace(": websocket", ": h2c, WebSocket"), 0},
		{"upgrade in two fields", add("Upgrade: h2c"), 0},
		{"no connection", replace("Connection: Upgrade\r\n", ""), 426},
		{"keep-alive", replace("Connection: Upgrade", "Connection: keep-alive,upgrade"), 0},
		{"connection in two fields", add("Connection: keep-alive"), 0},
		{"token inside a word", replace("Connection: Upgrade", "Connection: Upgraded"), 426},
		{"no version", replace("Sec-WebSocket-Version: 13\r\n", ""), 426},
		{"version 8", replace(": 13", ": 8"), 426},
		{"version 13, 8", replace(": 13", ": 13, 8"), 426},
		{"two versions", add("Sec-WebSocket-Version: 13"), 426},
		{"version and an empty one", add("Sec-WebSocket-Version:"), 426},
		{"no key", replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), 400},
		{"two keys", add("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400},
		{"short key", replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j"), 400},
		{"long key", replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQQQ"), 400},
		{"key no base64", replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub2!jZQ=="), 400},
		{"body", add("Content-Length: 5") + "\x81\x83\x01\x02\x03", 400},
		{"no body", add("Content-Length: 0"), 0},
		{"chunked", add("Transfer-Encoding: chunked") + "1\r\nx\r\n0\r\n\r\n", 400},
		{"bad subprotocol", replace("superchat", "super chat"), 400},
		{"empty subprotocol", replace("superchat", ""), 400},
		{"subprotocol twice", replace("superchat", "chat"), 400},
		{"subprotocol twice in two fields", add("Sec-WebSocket-Protocol: chat"), 400},
		{"many subprotocols", replace("superchat", numbered(99)), 0},
		{"too many subprotocols", replace("superchat", numbered(100)), 400},
		{"bad extension", add("Sec-WebSocket-Extensions: a b"), 400},
		{"extensions in two fields", add("Sec-WebSocket-Extensions: a\r\nSec-WebSocket-Extensions: b; c=1"), 0},
		{"two origins", add("Origin: http://example.com"), 400},
	} {
		r := request(t, x.text)
		_, err := o.Negotiate(r)
		if status(err) != x.status || (err == nil) != (x.status == 0) {
			t.Errorf("%s: %v", x.name, err)
		}
		if got, err := AppendAccept(nil, r, Agreement{}); err == nil && (x.status == 426 || x.status == 405) {
			t.Errorf("%s: accepted: %q", x.name, got)
		}
	}
}

// numbered is a list of n different tokens.
func numbered(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprint("p", i))
	}
	return strings.Join(list, ",")
}

// A chunked body that is streamed has not arrived when the head is judged.
func TestNegotiateWithoutBody(t *testing.T) {
	r := new(web.Request)
	parser := web.Parser{Options: &web.Options{Body: web.Stream}}
	head := strings.Replace(sample, "\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n", 1)
	if _, step, err := parser.Parse(r, []byte(head)); step != web.GotHead || err != nil {
		t.Fatal(step, err)
	}
	if _, err := (&Options{Origins: []string{"*"}}).Negotiate(r); status(err) != 400 {
		t.Error(err)
	}
}

func TestOrigin(t *testing.T) {
	for _, x := range []struct {
		origin, host string
		o            Options
		ok           bool
	}{
		{"https://example.com", "example.com", Options{}, true},
		{"http://EXAMPLE.com", "example.com:80", Options{}, true},
		{"https://example.com", "example.com:443", Options{}, true},
		{"https://example.com:8443", "example.com:8443", Options{}, true},
		{"http://[::1]:8080", "[::1]:8080", Options{}, true},
		{"http://example.com", "example.com:8080", Options{}, false},
		{"http://example.com", "example.com:443", Options{}, false},
		{"https://evil.com", "example.com", Options{}, false},
		{"https://example.com.evil.com", "example.com", Options{}, false},
		{"null", "example.com", Options{}, false},
		{"example.com", "example.com", Options{}, false},
		{"", "example.com", Options{}, true},
		{"https://a.com", "example.com", Options{Origins: []string{"https://a.com"}}, true},
		{"https://example.com", "example.com", Options{Origins: []string{"https://a.com"}}, false},
		{"https://example.com", "example.com", Options{Origins: []string{}}, false},
		{"", "example.com", Options{Origins: []string{}}, true},
		{"null", "example.com", Options{Origins: []string{"*"}}, true},
		{"https://example.com", "example.com", Options{CheckOrigin: func(*web.Request) bool { return false }}, false},
		{"https://evil.com", "example.com", Options{CheckOrigin: func(r *web.Request) bool { return r.Header("Origin") == "https://evil.com" }}, true},
	} {
		head := strings.Replace(sample, "server.example.com", x.host, 1)
		head = strings.Replace(head, "Origin: http://example.com\r\n", "", 1)
		if x.origin != "" {
			head = strings.Replace(head, "\r\n\r\n", "\r\nOrigin: "+x.origin+"\r\n\r\n", 1)
		}
		r := request(t, head)
		if _, err := x.o.Negotiate(r); (err == nil) != x.ok || err != nil && status(err) != 403 {
			t.Errorf("%s at %s with %v: %v", x.origin, x.host, x.o.Origins, err)
		}
	}
}

func TestRefusal(t *testing.T) {
	for code, want := range map[int]string{
		0:   "HTTP/1.1 400 Bad Request\r\n",
		400: "HTTP/1.1 400 Bad Request\r\n",
		403: "HTTP/1.1 403 Forbidden\r\n",
		405: "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\n",
		426: "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-Websocket-Version: 13\r\n",
	} {
		got := string((&HandshakeError{code, "why"}).Response().Append(nil, web.Exchange{}, nil))
		want += "Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 4\r\n"
		line, fields, _ := strings.Cut(got, "\r\n")
		for field := range strings.SplitSeq(want, "\r\n") {
			if field != line && !strings.Contains("\r\n"+fields, "\r\n"+field+"\r\n") && field != "" {
				t.Errorf("%d: no %q in %q", code, field, got)
			}
		}
		if !strings.HasSuffix(got, "\r\n\r\nwhy\n") || strings.Count(got, "\r\n") != strings.Count(want, "\r\n")+1 {
			t.Errorf("%d: %q", code, got)
		}
	}
	e := &HandshakeError{403, "origin \"a\r\nb\" is not allowed"}
	if !strings.Contains(e.Error(), "403 Forbidden") || e.Response().Err() != nil {
		t.Error(e, e.Response().Err())
	}
}

// A handshake costs little more than the values that it cannot do without.
func TestHandshakeAllocates(t *testing.T) {
	const chrome = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nConnection: Upgrade\r\nPragma: no-cache\r\nUpgrade: websocket\r\n" +
		"Origin: http://server.example.com\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
	for _, x := range []struct {
		name, head string
		o          Options
		most       float64
	}{
		{"sample", sample, Options{Origins: []string{"*"}, Subprotocols: []string{"chat"}}, 4},
		{"compression", chrome, Options{Compression: Compression{Enabled: true}}, 6},
		{"no compression", chrome, Options{}, 3},
	} {
		r := request(t, x.head)
		out := make([]byte, 0, 512)
		if n := testing.AllocsPerRun(100, func() {
			a, err := x.o.Negotiate(r)
			if err != nil {
				t.Fatal(err)
			}
			if out, err = AppendAccept(out[:0], r, a); err != nil {
				t.Fatal(err)
			}
		}); n > x.most {
			t.Errorf("%s: %v allocations", x.name, n)
		}
	}
}
