package websocket

import (
	"errors"
	"strings"
	"testing"
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

func TestSampleRequest(t *testing.T) {
	if got := AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Error(got)
	}
	for n := range len(sample) {
		if r, size, err := ParseRequest([]byte(sample[:n])); r != nil || size != 0 || err != nil {
			t.Fatalf("%d bytes: %v, %d, %v", n, r, size, err)
		}
	}
	buf := []byte(sample + "\x81\x80")
	r, n, err := ParseRequest(buf)
	if err != nil || n != len(sample) {
		t.Fatal(n, err)
	}
	clear(buf)
	if r.Path != "/chat" || r.Host != "server.example.com" || r.Origin != "http://example.com" ||
		strings.Join(r.Subprotocols, "|") != "chat|superchat" || r.Header("sec-websocket-KEY") != r.Key || len(r.Fields()) != 7 {
		t.Errorf("%+v", r)
	}
	o := &Options{Origins: []string{"http://other.com", "HTTP://example.com"}, Subprotocols: []string{"superchat", "chat"}}
	a, err := o.Negotiate(r)
	if err != nil || a.Subprotocol != "chat" || a.Deflate.Enabled {
		t.Fatal(a, err)
	}
	got, err := AppendAccept(nil, r, a, Field{"Set-Cookie", "a=b"})
	const want = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\nSet-Cookie: a=b\r\n\r\n"
	if err != nil || string(got) != want {
		t.Errorf("%s%v", got, err)
	}
	for _, bad := range []Agreement{{Subprotocol: "other"}, {Deflate: noTakeover}, {Deflate: Deflate{Enabled: true}}} {
		if got, err := AppendAccept([]byte("x"), r, bad); err == nil || string(got) != "x" {
			t.Errorf("%+v: %q", bad, got)
		}
	}
	for _, bad := range []Field{{"", "x"}, {"A b", "x"}, {"A", "x\r\nB: y"}, {"A", "x\ny"}, {"A", "\x00"}, {"upgrade", "x"}, {"A:", ""}, {"Sec-WebSocket-Accept", "x"}} {
		if got, err := AppendAccept([]byte("x"), r, a, bad); err == nil || string(got) != "x" {
			t.Errorf("%q: %q", bad, got)
		}
		if got, err := AppendRefusal([]byte("x"), 403, "", bad); err == nil || string(got) != "x" {
			t.Errorf("%q: %q", bad, got)
		}
	}
}

func TestRequests(t *testing.T) {
	replace := func(old, with string) string {
		if !strings.Contains(sample, old) {
			t.Fatal(old)
		}
		return strings.Replace(sample, old, with, 1)
	}
	add := func(line string) string { return replace("\r\n\r\n", "\r\n"+line+"\r\n\r\n") }
	for _, x := range []struct {
		name, request string
		status        int // 0 if it is fine
	}{
		{"as it is", sample, 0},
		{"POST", replace("GET", "POST"), 405},
		{"part of another method", "HE", 405},
		{"lower case", replace("GET", "get"), 400},
		{"TLS", "\x16\x03\x01\x02", 400},
		{"empty line first", "\r\n" + sample, 400},
		{"HTTP/1.0", replace("HTTP/1.1", "HTTP/1.0"), 400},
		{"HTTP/2", replace("HTTP/1.1", "HTTP/2.0"), 400},
		{"no version", replace(" HTTP/1.1", ""), 400},
		{"space in target", replace("/chat", "/ch at"), 400},
		{"two spaces", replace("/chat ", "/chat  "), 400},
		{"relative target", replace("/chat", "chat"), 400},
		{"asterisk", replace("/chat", "*"), 400},
		{"empty target", replace("/chat", ""), 400},
		{"fragment", replace("/chat", "/chat#x"), 400},
		{"bad escape", replace("/chat", "/ch%zz"), 400},
		{"whole URL", replace("/chat", "ws://server.example.com/chat"), 0},
		{"other URL", replace("/chat", "ftp://server.example.com/chat"), 400},
		{"URL in the query", replace("/chat", "/chat?to=http://x/"), 0},
		{"no host", replace("Host: server.example.com\r\n", ""), 400},
		{"empty host", replace("server.example.com", ""), 400},
		{"two hosts", add("Host: server.example.com"), 400},
		{"bad host", replace("server.example.com", "a/b"), 400},
		{"host with port", replace("server.example.com", "[::1]:8080"), 0},
		{"no upgrade", replace("Upgrade: websocket\r\n", ""), 426},
		{"other upgrade", replace("websocket", "h2c"), 426},
		{"several upgrades", replace(": websocket", ": h2c, WebSocket"), 0},
		{"upgrade in two fields", add("Upgrade: h2c"), 0},
		{"no connection", replace("Connection: Upgrade\r\n", ""), 426},
		{"keep-alive", replace("Connection: Upgrade", "Connection: keep-alive, upgrade"), 0},
		{"token inside a word", replace("Connection: Upgrade", "Connection: Upgraded"), 426},
		{"no version", replace("Sec-WebSocket-Version: 13\r\n", ""), 426},
		{"version 8", replace(": 13", ": 8"), 426},
		{"version 13, 8", replace(": 13", ": 13, 8"), 426},
		{"two versions", add("Sec-WebSocket-Version: 13"), 426},
		{"no key", replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), 400},
		{"two keys", add("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400},
		{"short key", replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j"), 400},
		{"long key", replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQQQ"), 400},
		{"key no base64", replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub2!jZQ=="), 400},
		{"space before colon", replace("Host:", "Host :"), 400},
		{"no colon", add("nonsense"), 400},
		{"empty name", add(": x"), 400},
		{"folded line", add("X: a\r\n b"), 400},
		{"bare LF", add("X: a\nY: b"), 400},
		{"bare CR", add("X: a\rb"), 400},
		{"NUL", add("X: a\x00b"), 400},
		{"LF only", strings.ReplaceAll(sample, "\r\n", "\n") + "\r\n\r\n", 400},
		{"bytes above ASCII", add("X: gr\xfc\xdfe"), 0},
		{"empty value", add("X:"), 0},
		{"body", add("Content-Length: 5"), 400},
		{"no body", add("Content-Length: 0"), 0},
		{"chunked", add("Transfer-Encoding: chunked"), 400},
		{"hidden chunked", add("Transfer-Encoding:\r\nTransfer-Encoding: chunked"), 400},
		{"bad subprotocol", replace("superchat", "super chat"), 400},
		{"empty subprotocol", replace("superchat", ""), 400},
		{"subprotocol twice", replace("superchat", "chat"), 400},
		{"bad extension", add("Sec-WebSocket-Extensions: a b"), 400},
		{"extensions in two fields", add("Sec-WebSocket-Extensions: a\r\nSec-WebSocket-Extensions: b; c=1"), 0},
		{"two origins", add("Origin: http://example.com"), 400},
		{"16 KiB", add("X: " + strings.Repeat("x", MaxHeadSize-len(sample)-5)), 0},
		{"16 KiB and a byte", add("X: " + strings.Repeat("x", MaxHeadSize-len(sample)-4)), 431},
		{"endless", "GET /" + strings.Repeat("x", MaxHeadSize), 431},
	} {
		r, n, err := ParseRequest([]byte(x.request))
		if status(err) != x.status || err == nil && (r == nil || n != len(x.request)) || err != nil && r != nil {
			t.Errorf("%s: %v", x.name, err)
		}
	}
}

func TestRequestValues(t *testing.T) {
	r, _, err := ParseRequest([]byte(strings.Replace(strings.Replace(sample, "/chat", "/a%20b?token=x%26y&token=z&empty", 1),
		"\r\n\r\n", "\r\nCookie: a=1; session=\"abc\"; b\r\nCookie: late=yes\r\n\r\n", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if r.Path != "/a b" || r.Target != "/a%20b?token=x%26y&token=z&empty" || r.RawQuery != "token=x%26y&token=z&empty" || r.Query("token") != "x&y" || r.Query("no") != "" {
		t.Errorf("%+v", r)
	}
	for name, want := range map[string]string{"a": "1", "session": "abc", "b": "", "late": "yes"} {
		if got, ok := r.Cookie(name); got != want || !ok {
			t.Errorf("cookie %s is %q, %v", name, got, ok)
		}
	}
	if _, ok := r.Cookie("none"); ok {
		t.Error("a cookie that was not sent")
	}
	whole, _, err := ParseRequest([]byte(strings.Replace(sample, "/chat", "wss://x?a=b", 1)))
	if err != nil || whole.Target != "/?a=b" {
		t.Errorf("%+v, %v", whole, err)
	}
}

func TestNewRequest(t *testing.T) {
	r, _, _ := ParseRequest([]byte(sample))
	again, err := NewRequest("GET", "/chat", r.Fields())
	if err != nil || again.Key != r.Key || again.Path != "/chat" {
		t.Error(again, err)
	}
	if _, err := NewRequest("PUT", "/chat", r.Fields()); status(err) != 405 {
		t.Error(err)
	}
	if _, err := NewRequest("GET", "/chat", nil); status(err) != 400 {
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
		{"https://example.com", "example.com", Options{CheckOrigin: func(*Request) bool { return false }}, false},
		{"https://evil.com", "example.com", Options{CheckOrigin: func(r *Request) bool { return r.Origin == "https://evil.com" }}, true},
	} {
		fields := []Field{{"Host", x.host}, {"Upgrade", "websocket"}, {"Connection", "upgrade"},
			{"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}}
		if x.origin != "" {
			fields = append(fields, Field{"Origin", x.origin})
		}
		r, err := NewRequest("GET", "/", fields)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.o.Negotiate(r); (err == nil) != x.ok || err != nil && status(err) != 403 {
			t.Errorf("%s at %s with %v: %v", x.origin, x.host, x.o.Origins, err)
		}
	}
}

func TestRefusal(t *testing.T) {
	for code, want := range map[int]string{
		400: "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n",
		405: "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nConnection: close\r\n",
		426: "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade, close\r\n",
	} {
		want += "Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 4\r\nX-A: b\r\n\r\nwhy\n"
		if got, err := AppendRefusal(nil, code, "why", Field{"X-A", "b"}); err != nil || string(got) != want {
			t.Errorf("%s%v", got, err)
		}
	}
	for _, bad := range []int{0, 101, 200, 399, 600} {
		if _, err := AppendRefusal(nil, bad, ""); err == nil {
			t.Errorf("refusal with %d", bad)
		}
	}
}
