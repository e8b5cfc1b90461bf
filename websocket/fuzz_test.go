package websocket

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/workerman-go/workerman/web"
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
				ev.op == Close && ev.code != CloseNoStatus && !validCloseCode(ev.code):
				t.Fatal(ev)
			}
		}
		restored, err := RestoreCodec(o, parts.c.AppendState(nil))
		if err != nil || !bytes.Equal(restored.AppendState(nil), parts.c.AppendState(nil)) {
			t.Fatal("state differs after it moved", err)
		}
	})
}

// FuzzHandshake takes anything as a request. What is refused has to be answered with the
// reason, and what is accepted by an answer that a client with that key accepts.
func FuzzHandshake(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nCookie: a=b\r\n\r\n"))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		r := new(web.Request)
		_, step, err := new(web.Parser).Parse(r, input)
		if err != nil || step != web.GotRequest {
			return
		}
		var offered []string
		for name := range strings.SplitSeq(r.HeaderList("Sec-WebSocket-Protocol"), ",") {
			offered = append(offered, trim(name))
		}
		o := &Options{Origins: []string{"*"}, Subprotocols: offered, Compression: Compression{Enabled: true, ContextTakeover: true}}
		a, err := o.Negotiate(r)
		if err != nil {
			var refused *HandshakeError
			if !errors.As(err, &refused) || refused.Status < 400 {
				t.Fatal(err)
			}
			answer := refused.Response().Append(nil, r.Exchange(), nil)
			if !bytes.HasPrefix(answer, []byte("HTTP/1.1 4")) || refused.Response().Err() != nil {
				t.Fatalf("%q", answer)
			}
			return
		}
		answer, err := AppendAccept(nil, r, a)
		if err != nil {
			t.Fatal(err)
		}
		h := &ClientHandshake{Options: &Options{Subprotocols: offered}}
		nonce, err := base64.StdEncoding.DecodeString(r.Header("Sec-WebSocket-Key"))
		if err != nil || copy(h.Nonce[:], nonce) != len(nonce) {
			t.Fatal(nonce, err)
		}
		if h.key() != r.Header("Sec-WebSocket-Key") {
			// The last bits of a key in base64 mean nothing, and some clients set them.
			return
		}
		if a.Deflate.Enabled {
			// What this client offers is not what the other did.
			answer, err = AppendAccept(nil, r, Agreement{Subprotocol: a.Subprotocol})
			if err != nil {
				t.Fatal(err)
			}
		}
		got, n, err := h.ParseResponse(answer)
		if err != nil || n != len(answer) || got.Subprotocol != a.Subprotocol {
			t.Fatalf("%q: %d, %v", answer, n, err)
		}
	})
}

// FuzzResponse parses anything as the answer to a handshake.
func FuzzResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x00"))
	f.Add([]byte("HTTP/1.0 302\r\nLocation: /x\r\n\r\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		h := &ClientHandshake{Host: "x", Nonce: [16]byte([]byte("the sample nonce")), Options: &Options{Compression: Compression{Enabled: true}}}
		r, n, err := h.ParseResponse(input)
		if n > len(input) || err == nil && (r != nil) != (n > 0) || err == nil && n > 0 && r.Status != 101 {
			t.Fatal(r, n, err)
		}
		if err != nil || n == 0 {
			return
		}
		// The verdict does not depend on what follows, nor on where a read ended.
		for _, size := range []int{0, 1, n / 2, n - 1} {
			if r, n, err := h.ParseResponse(input[:size]); r != nil || n != 0 || err != nil {
				t.Fatalf("%d bytes of it: %v, %d, %v", size, r, n, err)
			}
		}
		if again, m, err := h.ParseResponse(input[:n]); err != nil || m != n || again.Agreement != r.Agreement {
			t.Fatal(again, m, err)
		}
	})
}

// FuzzRestore takes anything as the state of a codec. What is taken has to be written again
// as it was, and may do no harm with any input behind it.
func FuzzRestore(f *testing.F) {
	o := &Options{MaxMessageSize: 5000, Compression: Compression{Enabled: true, ContextTakeover: true, Threshold: 1}}
	in := frames{role: Client}
	in.add(true, rsv1, Text, "\xf2\x48\xcd\xc9\xc9\x07\x00")
	in.add(false, 0, Text, "gr\xc3")
	for _, d := range []Deflate{{}, takeover, {true, true, false, 9, 10}} {
		c := NewCodec(Server, o, d)
		f.Add(c.AppendState(nil), in.b)
		c.AppendMessage(nil, Text, bytes.Repeat([]byte("hello "), 10))
		c.Next(bytes.Clone(in.b))
		f.Add(c.AppendState(nil), []byte("\x80\x81\x00\x00\x00\x00\xbc"))
	}
	f.Fuzz(func(t *testing.T, state, input []byte) {
		c, err := RestoreCodec(o, state)
		if err != nil {
			if !errors.Is(err, ErrState) || c != nil {
				t.Fatal(c, err)
			}
			return
		}
		again, err := RestoreCodec(o, c.AppendState(nil))
		if err != nil || !bytes.Equal(again.AppendState(nil), c.AppendState(nil)) {
			t.Fatal("state differs after it was written", err)
		}
		one, two := &feeder{t: t, c: c}, &feeder{t: t, c: again}
		one.feed(input, 0)
		two.feed(input, 0)
		if !equalEvents(one.events, two.events) || one.code() != two.code() {
			t.Fatalf("%v, %v\n%v, %v", one.events, one.err, two.events, two.err)
		}
		message := bytes.Repeat([]byte("hello "), 5)
		a, errA := c.AppendMessage(nil, Binary, message)
		b, errB := again.AppendMessage(nil, Binary, message)
		if c.role == Server && !bytes.Equal(a, b) || errA != errB {
			t.Fatalf("%x, %v\n%x, %v", a, errA, b, errB)
		}
		c.Release()
		again.Release()
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
