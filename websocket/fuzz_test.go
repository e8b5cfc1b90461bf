package websocket

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// FuzzServerInput feeds any input in one piece and in pieces: both have to see the same
// events and the same end, and no message may break the limits.
func FuzzServerInput(f *testing.F) {
	in := frames{role: Client}
	in.add(true, 0, Text, "hello")
	in.add(false, 0, Text, "gr\xc3")
	in.add(true, 0, Ping, "ping")
	in.add(true, 0, Continuation, "\xbc\xc3\x9fe")
	in.add(true, rsv1, Text, "\xf2\x48\xcd\xc9\xc9\x07\x00")
	in.add(true, 0, Close, "\x03\xe8bye")
	f.Add(in.b, uint8(1), true)
	f.Add(in.b, uint8(5), false)
	f.Add([]byte("\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00mask"), uint8(3), false)
	f.Add([]byte("\x81\x05hello"), uint8(2), false)
	f.Fuzz(func(t *testing.T, input []byte, size uint8, compressed bool) {
		d := Deflate{}
		if compressed {
			d = Deflate{true, false, false, 10, 10}
		}
		o := &Options{MaxMessageSize: 5000, MaxFragments: 10}
		// Not all input is from a client: the bits that make it one are set for half of it.
		role := Server
		if size&1 == 1 {
			role = Client
		}
		whole, parts := newFeeder(t, role, o, d), newFeeder(t, role, o, d)
		whole.feed(input, 0)
		parts.feed(input, int(size/2)+1)
		if !equalEvents(whole.events, parts.events) || whole.code() != parts.code() {
			t.Fatalf("at once %v, %v\nin parts %v, %v", whole.events, whole.err, parts.events, parts.err)
		}
		if !bytes.Equal(whole.kept, parts.kept) || whole.c.InMessage() != parts.c.InMessage() {
			t.Fatalf("% x is left, or % x", whole.kept, parts.kept)
		}
		for _, ev := range whole.events {
			switch {
			case len(ev.data) > o.MaxMessageSize,
				ev.op >= Close && len(ev.data) > MaxControlSize,
				(ev.op == Text || ev.op == Close) && !utf8.ValidString(ev.data),
				ev.op == Close && ev.code != CloseNoStatus && !ValidCloseCode(ev.code):
				t.Fatal(ev)
			}
		}
		restored, err := RestoreCodec(o, parts.c.AppendState(nil))
		if err != nil || !bytes.Equal(restored.AppendState(nil), parts.c.AppendState(nil)) {
			t.Fatal("state differs after it moved", err)
		}
	})
}

// FuzzHandshake parses anything as a request and as a response. What is taken has to be
// answered, and the answer has to be one that a client takes.
func FuzzHandshake(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nCookie: a=b\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		h := &ClientHandshake{Host: "x", Nonce: [16]byte([]byte("the sample nonce")), Options: &Options{Compression: Compression{Enabled: true}}}
		if r, n, err := h.ParseResponse(input); n > len(input) || err == nil && n > 0 && r.Status != 101 {
			t.Fatal(r, n, err)
		}
		r, n, err := ParseRequest(input)
		if n > len(input) || (r != nil) != (n > 0) || err != nil && (status(err) < 400 || n != 0) {
			t.Fatal(r, n, err)
		}
		if err != nil {
			answer, err := AppendRefusal(nil, status(err), err.Error())
			if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 4")) {
				t.Fatal(err)
			}
			return
		}
		if r == nil {
			return
		}
		r.Cookie("a")
		r.Query("a")
		o := &Options{Origins: []string{"*"}, Subprotocols: r.Subprotocols, Compression: Compression{Enabled: true, ContextTakeover: true}}
		a, err := o.Negotiate(r)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := AppendAccept(nil, r, a)
		if err != nil {
			t.Fatal(err)
		}
		if end, ok := endOfHead(answer); !ok || end != len(answer) {
			t.Fatalf("the answer is split: %q", answer)
		}
		again, err := NewRequest("GET", r.Target, r.Fields())
		if err != nil || again.Path != r.Path {
			t.Fatal(again, err)
		}
	})
}

// FuzzExtensions parses any list as an offer and as an answer. What a server makes of an
// offer has to be an answer to it.
func FuzzExtensions(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits; server_max_window_bits=10", uint8(0))
	f.Add("permessage-deflate; server_no_context_takeover, permessage-deflate", uint8(12))
	f.Add(`foo; bar="baz", permessage-deflate; client_max_window_bits="9"`, uint8(3))
	f.Fuzz(func(t *testing.T, list string, setting uint8) {
		c := Compression{Enabled: true, ContextTakeover: setting&1 != 0, WindowBits: int(setting >> 1 & 15), Stateless: setting&32 != 0}
		parsed, ok := parseExtensions(list)
		if !ok {
			return
		}
		for _, e := range parsed {
			if !isToken(e.name) {
				t.Fatalf("%q", e.name)
			}
		}
		if d, ok := c.agree(parsed); ok && d.Enabled && !d.valid() {
			t.Fatalf("%+v", d)
		}
		d := c.accept(parsed)
		if !d.Enabled {
			return
		}
		p, ok := d.answers(parsed)
		if !ok || !d.valid() {
			t.Fatalf("%q is answered %+v", list, d)
		}
		reply, ok := parseExtensions(string(d.appendAnswer(nil, p)))
		if !ok || len(reply) != 1 {
			t.Fatal(reply)
		}
		if _, ok := reply[0].deflateParameters(false); !ok {
			t.Fatal(reply)
		}
	})
}

// FuzzDeflateRoundTrip sends two messages through both sides with any parameters.
func FuzzDeflateRoundTrip(f *testing.F) {
	f.Add([]byte("hello hello hello hello"), []byte("hello hello"), uint16(0), uint8(15))
	f.Add(bytes.Repeat([]byte("0123456789abcdef"), 100), []byte("0123456789abcdef0123456789abcdef"), uint16(0x1ff), uint8(9))
	f.Fuzz(func(t *testing.T, first, second []byte, setting uint16, bits uint8) {
		d := Deflate{true, setting&1 != 0, setting&2 != 0, 8 + bits&7, 8 + bits>>3&7}
		o := &Options{Compression: Compression{Threshold: 1, Level: int(setting >> 4 & 15), Stateless: setting&4 != 0}}
		role := Role(setting >> 3 & 1)
		sender, receiver := NewCodec(role, o, d), newFeeder(t, other(role), o, d)
		messages := [][]byte{first, second, first, bytes.Repeat(second, 3)}
		for i, m := range messages {
			b, err := sender.AppendMessage([]byte("x"), Binary, m)
			if err != nil || len(b) > 1+maxHeaderSize+len(m) {
				t.Fatalf("%d bytes became %d: %v", len(m), len(b), err)
			}
			receiver.feed(b[1:], 0)
			if receiver.err != nil || len(receiver.events) != i+1 || receiver.events[i].data != string(m) {
				t.Fatalf("message %d of %d bytes: %v", i, len(m), receiver.err)
			}
		}
	})
}
