package websocket

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/workerman-go/workerman/web"
)

func TestClientRequest(t *testing.T) {
	h := &ClientHandshake{
		Host: "server.example.com", Target: "/chat?a=b", Origin: "http://example.com",
		Fields:  []web.Field{{Name: "Authorization", Value: "Bearer x"}},
		Options: &Options{Subprotocols: []string{"chat", "superchat"}, Compression: Compression{Enabled: true, ContextTakeover: true}},
		Nonce:   [16]byte([]byte("the sample nonce")),
	}
	got, err := h.AppendRequest([]byte("before"))
	const want = "beforeGET /chat?a=b HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Origin: http://example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" +
		"Authorization: Bearer x\r\n\r\n"
	if err != nil || string(got) != want {
		t.Errorf("%s%v", got, err)
	}
	fresh := func() []byte {
		b, err := (&ClientHandshake{Host: "x"}).AppendRequest(nil)
		if r := request(t, string(b)); err != nil || r.Target() != "/" {
			t.Fatal(err)
		}
		return b
	}
	if bytes.Equal(fresh(), fresh()) {
		t.Error("two requests with one key")
	}
	for _, bad := range []ClientHandshake{
		{}, {Host: "a b"}, {Host: "a\r\nX: y"}, {Host: "x", Target: "chat"}, {Host: "x", Target: "/a b"}, {Host: "x", Target: "/\r\n"},
		{Host: "x", Target: "http://x/"}, {Host: "x", Target: "*"},
		{Host: "x", Target: "/ HTTP/1.1\r\nX: y"}, {Host: "x\r\nX: y"}, {Host: "x\r\n\r\n"}, {Host: "a/b"}, {Host: "a,b"}, {Host: "x", Target: "/%zz"},
		{Host: "x", Fields: []web.Field{{Name: "Expect", Value: "something"}}}, {Host: "x", Fields: []web.Field{{Name: "Transfer-Encoding", Value: "chunked"}}},
		{Host: "x", Target: "/#a"}, {Host: "x", Origin: "a\nb"},
		{Host: "x", Fields: []web.Field{{Name: "Host", Value: "y"}}}, {Host: "x", Fields: []web.Field{{Name: "A", Value: "b\r\nC: d"}}}, {Host: "x", Fields: []web.Field{{Name: "A\r\nB", Value: "c"}}},
		{Host: "x", Options: &Options{Subprotocols: []string{"a b"}}}, {Host: "x", Options: &Options{Subprotocols: []string{"a", "a"}}},
		{Host: "x", Options: &Options{Subprotocols: []string{"a, b"}}}, {Host: "x", Options: &Options{Subprotocols: []string{""}}},
	} {
		if got, err := bad.AppendRequest([]byte("x")); err == nil || string(got) != "x" {
			t.Errorf("%+v: %q", bad, got)
		}
	}
}

func TestClientResponse(t *testing.T) {
	h := &ClientHandshake{
		Host: "x", Nonce: [16]byte([]byte("the sample nonce")),
		Options: &Options{Subprotocols: []string{"chat", "superchat"}, Compression: Compression{Enabled: true}},
	}
	const good = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
	replace := func(old, with string) string { return strings.Replace(good, old, with, 1) }
	add := func(line string) string { return replace("\r\n\r\n", "\r\n"+line+"\r\n\r\n") }
	for _, x := range []struct {
		name, response string
		ok             bool
		status         int
		agreed         Agreement
	}{
		{"as it is", good, true, 101, Agreement{}},
		{"no phrase", replace(" Switching Protocols", ""), true, 101, Agreement{}},
		{"other case", strings.ReplaceAll(strings.ReplaceAll(good, "Upgrade: websocket", "UPGRADE: WebSocket"), ": Upgrade", ": upgrade"), true, 101, Agreement{}},
		{"subprotocol", add("Sec-WebSocket-Protocol: superchat"), true, 101, Agreement{Subprotocol: "superchat"}},
		{"compression", add("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover"), true, 101, Agreement{Deflate: noTakeover}},
		{"other subprotocol", add("Sec-WebSocket-Protocol: other"), false, 101, Agreement{}},
		{"empty subprotocol", add("Sec-WebSocket-Protocol:"), false, 101, Agreement{}},
		{"two subprotocols", add("Sec-WebSocket-Protocol: chat, superchat"), false, 101, Agreement{}},
		{"other extension", add("Sec-WebSocket-Extensions: foo"), false, 101, Agreement{}},
		{"malformed extension", add("Sec-WebSocket-Extensions: permessage-deflate;"), false, 101, Agreement{}},
		{"other compression", add("Sec-WebSocket-Extensions: permessage-deflate"), false, 101, Agreement{}},
		{"no accept", replace("-Accept", "-Except"), false, 101, Agreement{}},
		{"other accept", replace("s3p", "S3p"), false, 101, Agreement{}},
		{"two accepts", add("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), false, 101, Agreement{}},
		{"no upgrade", replace("Upgrade: websocket\r\n", ""), false, 101, Agreement{}},
		{"no connection", replace("Connection: Upgrade\r\n", ""), false, 101, Agreement{}},
		{"HTTP/1.0", replace("HTTP/1.1", "HTTP/1.0"), false, 101, Agreement{}},
		{"refused", "HTTP/1.1 403 Forbidden\r\nRetry-After: 7\r\n\r\nbody", false, 403, Agreement{}},
		{"moved", "HTTP/1.0 302\r\nLocation: /x\r\n\r\n", false, 302, Agreement{}},
		{"HTTP/2", replace("HTTP/1.1", "HTTP/2.0"), false, 0, Agreement{}},
		{"HTTP/1.2", replace("HTTP/1.1", "HTTP/1.2"), false, 0, Agreement{}},
		{"no status", "HTTP/1.1 \r\n\r\n", false, 0, Agreement{}},
		{"bad status", replace("101", "1x1"), false, 0, Agreement{}},
		{"long status", replace("101", "1010"), false, 0, Agreement{}},
		{"no HTTP", "SSH-2.0-OpenSSH\r\n", false, 0, Agreement{}},
		{"folded line", add("X: a\r\n b"), false, 0, Agreement{}},
		{"too large", add("X: " + strings.Repeat("x", maxHeadSize)), false, 0, Agreement{}},
	} {
		r, n, err := h.ParseResponse([]byte(x.response + "\x81\x00"))
		var e *HandshakeError
		if (err == nil) != x.ok || err != nil && !errors.As(err, &e) {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		if got := 0; r != nil {
			got = r.Status
			if got != x.status || x.ok && (n != len(x.response) || r.Agreement != x.agreed) {
				t.Errorf("%s: %+v, %d of %d", x.name, r, n, len(x.response))
			}
		} else if x.status != 0 {
			t.Errorf("%s: no response", x.name)
		}
		if e != nil && e.Status != x.status && x.status != 101 {
			t.Errorf("%s: status %d", x.name, e.Status)
		}
	}
	for n := range len(good) {
		if r, size, err := h.ParseResponse([]byte(good[:n])); r != nil || size != 0 || err != nil {
			t.Fatalf("%d bytes: %v, %d, %v", n, r, size, err)
		}
	}
	r, _, _ := h.ParseResponse([]byte("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n\r\n"))
	if r.Header("retry-after") != "7" || len(r.Fields()) != 1 {
		t.Errorf("%+v", r)
	}
}
