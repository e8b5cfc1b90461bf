package websocket

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// suiteSizes are the sizes of messages in each group of 12 and 13, and of the fragments
// that they come in, 0 for one.
var suiteSizes = []struct{ size, fragment int }{
	{16, 0}, {64, 0}, {256, 0}, {1 << 10, 0}, {4 << 10, 0}, {8 << 10, 0}, {16 << 10, 0}, {32 << 10, 0}, {64 << 10, 0}, {128 << 10, 0},
	{8 << 10, 256}, {16 << 10, 256}, {32 << 10, 256}, {64 << 10, 256}, {128 << 10, 256},
	{128 << 10, 1 << 10}, {128 << 10, 4 << 10}, {128 << 10, 32 << 10},
}

// suiteData are data of the kinds that the groups of 12 send.
func suiteData() []struct {
	op   Opcode
	data []byte
} {
	const size = 200 << 10
	rnd := rand.New(rand.NewPCG(5, 6))
	picture, pdf := make([]byte, size), make([]byte, size)
	for i := range picture {
		picture[i] = byte(100 + i/700 + rnd.IntN(5))
		if pdf[i] = byte(rnd.Uint32()); i%4000 < 500 {
			pdf[i] = "endstream endobj "[i%17]
		}
	}
	words := strings.Fields("Habe nun ach Philosophie Juristerei und Medizin und leider auch Theologie durchaus studiert mit heißem Bemühn")
	var text, html bytes.Buffer
	for text.Len() < size {
		text.WriteString(words[rnd.IntN(len(words))] + " ")
		fmt.Fprintf(&html, "<li class=\"c%d\"><a href=\"/%d\">%s</a></li>\n", rnd.IntN(9), rnd.IntN(1000), words[rnd.IntN(5)])
	}
	return []struct {
		op   Opcode
		data []byte
	}{{Text, json(size)}, {Binary, picture}, {Binary, text.Bytes()}, {Text, html.Bytes()}, {Binary, pdf}}
}

// split sends a frame in fragments of at most size bytes, 0 for one.
func split(t *testing.T, frame []byte, role Role, size int) []byte {
	h, n, err := parseHeader(frame)
	if err != nil || n+int(h.Size) != len(frame) {
		t.Fatal(h, n, err)
	}
	if size == 0 || int(h.Size) <= size {
		return frame
	}
	payload := frame[n:]
	if h.Masked {
		Mask(payload, h.Key, 0)
	}
	out := frames{role: role}
	for i, f := range fragments(h.Op, string(payload), size) {
		if i == 0 {
			f.rsv = h.RSV
		}
		out.add(!f.more, f.rsv, f.op, f.data)
	}
	return out.b
}

// echoCompressed lets a peer send messages to a codec of role, each fragmented, and gets
// them back.
func echoCompressed(t *testing.T, id string, role Role, d Deflate, op Opcode, data []byte) {
	t.Helper()
	o := &Options{Compression: Compression{Enabled: true, ContextTakeover: true, Threshold: 1}}
	for i, x := range suiteSizes {
		if raceEnabled && x.size > 16<<10 {
			continue // nothing that a smaller one would not show, and slow
		}
		f, peer := newFeeder(t, role, o, d), newFeeder(t, other(role), o, d)
		for n := range 2 {
			message := data[n*x.size/2:][:x.size]
			b, err := peer.c.AppendMessage(nil, op, message)
			if err != nil {
				t.Fatal(err)
			}
			b = split(t, b, other(role), x.fragment)
			f.feed(b, len(b)/2+1)
			if f.err != nil || len(f.events) != n+1 || f.events[n] != (seen{op, string(message), 0}) {
				t.Fatalf("%s.%d, role %d, message %d: %v, %d events", id, i+1, role, n, f.err, len(f.events))
			}
			if b, err = f.c.AppendMessage(nil, op, message); err != nil {
				t.Fatal(err)
			}
			peer.feed(b, 0)
			if peer.err != nil || len(peer.events) != n+1 || peer.events[n] != f.events[n] {
				t.Fatalf("%s.%d, role %d, message %d came back as %v", id, i+1, role, n, peer.err)
			}
		}
	}
}

// Cases 12: data of several kinds with the default parameters.
func TestSuite12Compression(t *testing.T) {
	for group, x := range suiteData() {
		for _, role := range []Role{Server, Client} {
			echoCompressed(t, fmt.Sprintf("12.%d", group+1), role, takeover, x.op, x.data)
		}
	}
}

// Cases 13: JSON with the parameters that the suite offers as a client and answers with as
// a server.
func TestSuite13Parameters(t *testing.T) {
	const all = "; client_no_context_takeover; client_max_window_bits"
	data := json(200 << 10)
	on := Compression{Enabled: true, ContextTakeover: true}
	for group, x := range []struct{ offer, answer string }{
		{"permessage-deflate" + all, "permessage-deflate"},
		{"permessage-deflate; server_no_context_takeover" + all, "permessage-deflate; client_no_context_takeover"},
		{"permessage-deflate; server_max_window_bits=9" + all, "permessage-deflate; client_max_window_bits=9"},
		{"permessage-deflate; server_max_window_bits=15" + all, "permessage-deflate; client_max_window_bits=15"},
		{"permessage-deflate; server_no_context_takeover; server_max_window_bits=9" + all, "permessage-deflate; client_no_context_takeover; client_max_window_bits=9"},
		{"permessage-deflate; server_no_context_takeover; server_max_window_bits=15" + all, "permessage-deflate; client_no_context_takeover; client_max_window_bits=15"},
		{"permessage-deflate; server_no_context_takeover; server_max_window_bits=9" + all + ", permessage-deflate; server_no_context_takeover" + all + ", permessage-deflate" + all,
			"permessage-deflate; client_no_context_takeover; client_max_window_bits=8"},
	} {
		id := fmt.Sprintf("13.%d", group+1)
		offers, ok := parseExtensions(x.offer)
		d := on.accept(offers)
		if !ok || !d.Enabled {
			t.Fatalf("%s: %q is declined", id, x.offer)
		}
		echoCompressed(t, id, Server, d, Text, data)
		answer, _ := parseExtensions(x.answer)
		if d, ok = on.agree(answer); !ok || !d.Enabled {
			t.Fatalf("%s: %q is refused", id, x.answer)
		}
		echoCompressed(t, id, Client, d, Text, data)
	}
}
