package websocket

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// sent is a frame of a case: one of the Autobahn testsuite's, whose numbers the cases
// bear, at sizes that keep the test short.
type sent struct {
	op   Opcode
	data string
	more bool // FIN is not set
	rsv  uint8
}

type suiteCase struct {
	id     string
	frames []sent
	want   []seen
	code   int // that the peer is refused with, 0 if it is not
}

// check runs a case that is made in a loop.
func check(t *testing.T, id string, frames []sent, want []seen, code int) {
	t.Helper()
	suiteCase{id, frames, want, code}.run(t)
}

func text(s string) sent        { return sent{op: Text, data: s} }
func octetString(s string) sent { return sent{op: Binary, data: s} }
func ping(s string) sent        { return sent{op: Ping, data: s} }
func cont(s string) sent        { return sent{op: Continuation, data: s} }
func (s sent) unfinished() sent {
	s.more = true
	return s
}

func (s sent) reserved(rsv uint8) sent {
	s.rsv = rsv
	return s
}

func closing(code int, reason string) sent {
	return sent{op: Close, data: string(appendClosePayload(nil, code, reason))}
}

func sawText(s string) seen   { return seen{Text, s, 0} }
func sawBinary(s string) seen { return seen{Binary, s, 0} }

const testLimit = 256 << 10

// run feeds a case to both roles in pieces of several sizes: all must see the same, and
// their answers must be what the suite expects of an echo.
func (x suiteCase) run(t *testing.T) {
	t.Helper()
	for _, role := range []Role{Server, Client} {
		input := frames{role: other(role)}
		for _, f := range x.frames {
			input.add(!f.more, f.rsv, f.op, f.data)
		}
		sizes := []int{0, 1, 7}
		if len(input.b) > 10_000 {
			sizes = []int{0, max(997, len(input.b)/50+1)}
		}
		for _, size := range sizes {
			f := newFeeder(t, role, &Options{MaxMessageSize: testLimit}, Deflate{})
			f.feed(input.b, size)
			if !equalEvents(f.events, x.want) || f.code() != x.code {
				t.Errorf("%s, role %d, pieces of %d: %v, %v\nwant %v, %d", x.id, role, size, f.events, f.err, x.want, x.code)
			}
			if f.code() == 0 && len(f.kept) != 0 {
				t.Errorf("%s: %d bytes are left", x.id, len(f.kept))
			}
			x.answer(t, f)
		}
	}
}

// answer echoes what f has seen to the other side: messages as they came, a pong for a
// ping, a close for a close or an error.
func (x suiteCase) answer(t *testing.T, f *feeder) {
	t.Helper()
	peer := newFeeder(t, other(f.c.role), &Options{MaxMessageSize: testLimit}, Deflate{})
	var out []byte
	var want []seen
	var err error
	for _, ev := range f.events {
		switch ev.op {
		case Text, Binary:
			out, err = f.c.AppendMessage(out, ev.op, []byte(ev.data))
		case Ping:
			ev.op = Pong
			out, err = f.c.AppendControl(out, Pong, []byte(ev.data))
		case Close:
			out, err = f.c.AppendClose(out, ev.code, ev.data)
		case Pong:
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", x.id, err)
		}
		want = append(want, ev)
	}
	if code := f.code(); code != 0 {
		if out, err = f.c.AppendClose(out, code, ""); err != nil {
			t.Fatalf("%s: %v", x.id, err)
		}
		want = append(want, seen{Close, "", code})
	}
	peer.feed(out, 0)
	if peer.err != nil || !equalEvents(peer.events, want) {
		t.Errorf("%s is answered by %v, %v\nwant %v", x.id, peer.events, peer.err, want)
	}
}

// Cases 1.1.8 and 1.2.8 are 1.1.7 and 1.2.7 in pieces of 997 bytes, as run feeds them.
func TestSuite1Framing(t *testing.T) {
	for i, size := range []int{0, 125, 126, 127, 128, 65535, 65536} {
		s, b := strings.Repeat("*", size), strings.Repeat("\xfe", size)
		check(t, fmt.Sprintf("1.1.%d", i+1), []sent{text(s)}, []seen{sawText(s)}, 0)
		check(t, fmt.Sprintf("1.2.%d", i+1), []sent{octetString(b)}, []seen{sawBinary(b)}, 0)
	}
}

// Cases 2.6 and 2.11 are 2.4 and 2.10 byte by byte.
func TestSuite2Pings(t *testing.T) {
	payloads := []string{"", "Hello, world!", "\x00\xff\xfe\xfd\xfc\xfb\x00\xff", strings.Repeat("\xfe", 125)}
	for i, p := range payloads {
		check(t, fmt.Sprintf("2.%d", i+1), []sent{ping(p)}, []seen{{Ping, p, 0}}, 0)
	}
	var ten []sent
	var pings []seen
	for i := range 10 {
		p := fmt.Sprintf("payload-%d", i)
		ten, pings = append(ten, ping(p)), append(pings, seen{Ping, p, 0})
	}
	for _, x := range []suiteCase{
		{"2.5", []sent{ping(strings.Repeat("\xfe", 126))}, nil, 1002},
		{"2.7", []sent{{op: Pong}}, []seen{{Pong, "", 0}}, 0},
		{"2.8", []sent{{op: Pong, data: "unsolicited"}}, []seen{{Pong, "unsolicited", 0}}, 0},
		{"2.9", []sent{{op: Pong, data: "x"}, ping("y")}, []seen{{Pong, "x", 0}, {Ping, "y", 0}}, 0},
		{"2.10", ten, pings, 0},
	} {
		x.run(t)
	}
}

func TestSuite3ReservedBits(t *testing.T) {
	hello := text("Hello, world!")
	saw := []seen{sawText("Hello, world!")}
	for _, x := range []suiteCase{
		{"3.1", []sent{hello.reserved(1)}, nil, 1002},
		{"3.2", []sent{hello, hello.reserved(2), ping("")}, saw, 1002},
		{"3.3", []sent{hello, hello.reserved(3), ping("")}, saw, 1002},
		{"3.4", []sent{hello, hello.reserved(4), ping("")}, saw, 1002},
		{"3.5", []sent{octetString("\x00\xff").reserved(5)}, nil, 1002},
		{"3.6", []sent{ping("Hello").reserved(6)}, nil, 1002},
		{"3.7", []sent{closing(1000, "").reserved(7)}, nil, 1002},
	} {
		x.run(t)
	}
}

func TestSuite4Opcodes(t *testing.T) {
	hello := text("Hello, world!")
	saw := []seen{sawText("Hello, world!")}
	for group, first := range []Opcode{3, 11} {
		for i, x := range []suiteCase{
			{frames: []sent{{op: first}}},
			{frames: []sent{{op: first + 1, data: "reserved opcode"}}},
			{frames: []sent{hello, {op: first + 2}, ping("")}, want: saw},
			{frames: []sent{hello, {op: first + 3, data: "reserved opcode"}, ping("")}, want: saw},
			{frames: []sent{hello, {op: first + 4, data: "reserved opcode"}, ping("")}, want: saw},
		} {
			check(t, fmt.Sprintf("4.%d.%d", group+1, i+1), x.frames, x.want, 1002)
		}
	}
}

func TestSuite5Fragmentation(t *testing.T) {
	hello := []seen{sawText("fragment1fragment2")}
	first, last := text("fragment1").unfinished(), cont("fragment2")
	pinged := []seen{{Ping, "ping", 0}, hello[0]}
	five := []sent{text("fragment1").unfinished(), cont("fragment2").unfinished(), ping("pongme 1!"),
		cont("fragment3").unfinished(), cont("fragment4").unfinished(), ping("pongme 2!"), cont("fragment5")}
	sawFive := []seen{{Ping, "pongme 1!", 0}, {Ping, "pongme 2!", 0}, sawText("fragment1fragment2fragment3fragment4fragment5")}
	for _, x := range []suiteCase{
		{"5.1", []sent{ping("f").unfinished(), cont("g")}, nil, 1002},
		{"5.2", []sent{sent{op: Pong, data: "f"}.unfinished(), cont("g")}, nil, 1002},
		{"5.3-5", []sent{first, last}, hello, 0},
		{"5.6-8", []sent{first, ping("ping"), last}, pinged, 0},
		{"5.9-11", []sent{cont("non-continuation"), text("Hello")}, nil, 1002},
		{"5.12-14", []sent{cont("non-continuation").unfinished(), text("Hello")}, nil, 1002},
		{"5.15", []sent{first, last, cont("fragment3").unfinished(), text("fragment4")}, hello, 1002},
		{"5.16", []sent{cont("f1").unfinished(), text("f2").unfinished(), cont("f3"), cont("f1").unfinished(), text("f2").unfinished(), cont("f3")}, nil, 1002},
		{"5.17", []sent{cont("f1"), text("f2").unfinished(), cont("f3"), cont("f1"), text("f2").unfinished(), cont("f3")}, nil, 1002},
		{"5.18", []sent{first, text("fragment2")}, nil, 1002},
		{"5.18 binary", []sent{first, octetString("fragment2")}, nil, 1002},
		{"5.19-20", five, sawFive, 0},
		{"close between fragments", []sent{first, closing(1000, ""), last}, []seen{{Close, "", 1000}}, 0},
		{"two messages", []sent{first, last, first, last}, append(hello, hello...), 0},
		{"empty fragments", []sent{text("").unfinished(), cont("").unfinished(), cont("")}, []seen{sawText("")}, 0},
	} {
		x.run(t)
	}
}

// octets sends a text one byte a fragment.
func octets(s string) []sent { return fragments(Text, s, 1) }

// span is the bytes from first to last, each followed by behind, in hexadecimal digits.
func span(first, last byte, behind string) string {
	var s string
	for c := int(first); c <= int(last); c++ {
		s += fmt.Sprintf("%02x%x", c, behind)
	}
	return s
}

const kosme = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"

func TestSuite6UTF8(t *testing.T) {
	hello := "Hello-µ@ßöäüàá-UTF-8!!"
	bad := kosme + "\xed\xa0\x80edited"
	for _, x := range []suiteCase{
		{"6.1.1", []sent{text("")}, []seen{sawText("")}, 0},
		{"6.1.2", []sent{text("").unfinished(), cont("").unfinished(), cont("")}, []seen{sawText("")}, 0},
		{"6.1.3", []sent{text("").unfinished(), cont("middle").unfinished(), cont("")}, []seen{sawText("middle")}, 0},
		{"6.2.1", []sent{text(hello)}, []seen{sawText(hello)}, 0},
		{"6.2.2", []sent{text(hello[:13]).unfinished(), cont(hello[13:])}, []seen{sawText(hello)}, 0},
		{"6.2.3", octets(hello), []seen{sawText(hello)}, 0},
		{"6.2.4", octets(kosme), []seen{sawText(kosme)}, 0},
		{"6.3.1", []sent{text(bad)}, nil, 1007},
		{"6.3.2", octets(bad), nil, 1007},
		{"binary is no text", []sent{octetString(bad)}, []seen{sawBinary(bad)}, 0},
	} {
		x.run(t)
	}
	valid := map[string][]string{
		"6.5":  {"hello$world", "hello\u00a2world", "hello\u20acworld", "hello\U00024b62world", kosme},
		"6.7":  {"00", "c280", "e0a080", "f0908080"},
		"6.9":  {"7f", "dfbf", "efbfbf", "f48fbfbf"},
		"6.11": {"ed9fbf", "ee8080", "efbfbd", "f48fbfbf"},
		"6.22": {"efbfbe", "efbfbf", "f09fbfbe", "f09fbfbf", "f0afbfbe", "f0afbfbf", "f0bfbfbe", "f0bfbfbf",
			"f18fbfbe", "f18fbfbf", "f19fbfbe", "f19fbfbf", "f1afbfbe", "f1afbfbf", "f1bfbfbe", "f1bfbfbf",
			"f28fbfbe", "f28fbfbf", "f29fbfbe", "f29fbfbf", "f2afbfbe", "f2afbfbf", "f2bfbfbe", "f2bfbfbf",
			"f38fbfbe", "f38fbfbf", "f39fbfbe", "f39fbfbf", "f3afbfbe", "f3afbfbf", "f3bfbfbe", "f3bfbfbf",
			"f48fbfbe", "f48fbfbf"},
		"6.23": {"efbfb9", "efbfba", "efbfbb", "efbfbc", "efbfbd", "efbfbe", "efbfbf"},
	}
	invalid := map[string][]string{
		"6.8":  {"f888808080", "fc8480808080"},
		"6.10": {"f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf"},
		"6.11": {"f4908080"},
		"6.12": {"80", "bf", "80bf", "80bf80", "80bf80bf", "80bf80bf80", "80bf80bf80bf", span(0x80, 0xbf, "")},
		"6.13": {span(0xc0, 0xdf, " "), span(0xe0, 0xef, " "),
			span(0xf0, 0xf7, " "), span(0xf8, 0xfb, " "), span(0xfc, 0xfd, " ")},
		"6.14": {"c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf", "fdbfbfbfbf"},
		"6.15": {"c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf"},
		"6.16": {"fe", "ff", "fefeffff"},
		"6.17": {"c0af", "e080af", "f08080af", "f8808080af", "fc80808080af"},
		"6.18": {"c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf"},
		"6.19": {"c080", "e08080", "f0808080", "f880808080", "fc8080808080"},
		"6.20": {"eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf"},
		"6.21": {"eda080edb080", "eda080edbfbf", "edadbfedb080", "edadbfedbfbf", "edae80edb080", "edae80edbfbf", "edafbfedb080", "edafbfedbfbf"},
	}
	for i := 1; i <= len(kosme); i++ {
		switch i {
		case 2, 5, 7, 9, 11:
			valid["6.6"] = append(valid["6.6"], hex.EncodeToString([]byte(kosme[:i])))
		default:
			invalid["6.6"] = append(invalid["6.6"], hex.EncodeToString([]byte(kosme[:i])))
		}
	}
	for id, count := range map[string]int{"6.5": 5, "6.6": 11, "6.7": 4, "6.8": 2, "6.9": 4, "6.10": 3, "6.11": 5, "6.12": 8, "6.13": 5, "6.14": 10,
		"6.15": 1, "6.16": 3, "6.17": 5, "6.18": 5, "6.19": 5, "6.20": 7, "6.21": 8, "6.22": 34, "6.23": 7} {
		if n := len(valid[id]) + len(invalid[id]); n != count {
			t.Errorf("%s has %d cases, not %d", id, n, count)
		}
	}
	decode := func(s string) string {
		if b, err := hex.DecodeString(s); err == nil {
			return string(b)
		}
		return s
	}
	for id, list := range valid {
		for _, s := range list {
			s = decode(s)
			check(t, id, []sent{text(s)}, []seen{sawText(s)}, 0)
			if s != "" {
				check(t, id+" octets", octets(s), []seen{sawText(s)}, 0)
			}
		}
	}
	for id, list := range invalid {
		for _, s := range list {
			s = decode(s)
			check(t, id, []sent{text(s)}, nil, 1007)
			check(t, id+" octets", octets(s), nil, 1007)
		}
	}
}

// Cases 6.4: the failure is seen before the rest of the message, or even of the frame,
// has come.
func TestSuite6FailFast(t *testing.T) {
	const bad, rest = "\xf4\x90\x80\x80", "edited"
	for _, role := range []Role{Server, Client} {
		whole := func(fs ...sent) []byte {
			in := frames{role: other(role)}
			for _, f := range fs {
				in.add(!f.more, f.rsv, f.op, f.data)
			}
			return in.b
		}
		head := Header{Size: int64(len(kosme + bad + rest)), Masked: role == Server}.size()
		for _, x := range []struct {
			id    string
			input []byte // without what makes it bad
			next  []byte
		}{
			{"6.4.1", whole(text(kosme).unfinished()), whole(cont(bad).unfinished())},
			{"6.4.2", whole(text(kosme + bad[:1]).unfinished()), whole(cont(bad[1:]).unfinished())},
			{"6.4.3", whole(text(kosme + bad + rest))[:head+len(kosme)], whole(text(kosme + bad + rest))[head+len(kosme):][:4]},
			{"6.4.4", whole(text(kosme + bad + rest))[:head+len(kosme)+1], whole(text(kosme + bad + rest))[head+len(kosme)+1:][:1]},
		} {
			f := newFeeder(t, role, &Options{}, Deflate{})
			f.feed(x.input, 0)
			if f.err != nil {
				t.Errorf("%s fails too early: %v", x.id, f.err)
			}
			f.feed(x.next, 0)
			if f.code() != 1007 {
				t.Errorf("%s does not fail: %v", x.id, f.err)
			}
		}
	}
}

func TestSuite7Close(t *testing.T) {
	hello := text("Hello World!")
	saw := sawText("Hello World!")
	normal := seen{Close, "", 1000}
	for _, x := range []suiteCase{
		{"7.1.1", []sent{hello, closing(1000, "")}, []seen{saw, normal}, 0},
		{"7.1.2", []sent{closing(1000, ""), closing(1000, "")}, []seen{normal}, 0},
		{"7.1.3", []sent{closing(1000, ""), ping("")}, []seen{normal}, 0},
		{"7.1.4", []sent{closing(1000, ""), hello}, []seen{normal}, 0},
		{"7.1.5", []sent{hello.unfinished(), closing(1000, ""), cont("x")}, []seen{normal}, 0},
		{"7.1.6", []sent{text(strings.Repeat("B", 100<<10)), hello, closing(1000, ""), ping("")},
			[]seen{sawText(strings.Repeat("B", 100<<10)), saw, normal}, 0},
		{"7.3.1", []sent{{op: Close}}, []seen{{Close, "", CloseNoStatus}}, 0},
		{"7.3.2", []sent{{op: Close, data: "a"}}, nil, 1002},
		{"7.3.3", []sent{closing(1000, "")}, []seen{normal}, 0},
		{"7.3.4", []sent{closing(1000, "Hello World!")}, []seen{{Close, "Hello World!", 1000}}, 0},
		{"7.3.5", []sent{closing(1000, strings.Repeat("*", 123))}, []seen{{Close, strings.Repeat("*", 123), 1000}}, 0},
		{"7.3.6", []sent{{op: Close, data: "\x03\xe8" + strings.Repeat("*", 124)}}, nil, 1002},
		{"7.5.1", []sent{{op: Close, data: "\x03\xe8" + kosme + "\xed\xa0\x80edited"}}, nil, 1007},
	} {
		x.run(t)
	}
	for i, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999, 1012, 1013, 1014} {
		check(t, fmt.Sprintf("7.7.%d", i+1), []sent{closing(code, "")}, []seen{{Close, "", code}}, 0)
	}
	for i, code := range []int{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 1015, 5000, 65535} {
		payload := string([]byte{byte(code >> 8), byte(code)})
		check(t, fmt.Sprintf("7.9/7.13.%d", i+1), []sent{{op: Close, data: payload}}, nil, 1002)
	}
}

// Cases 9 at small parts of their sizes, and of their thousand messages for 9.7 and 9.8.
func TestSuite9Limits(t *testing.T) {
	for i, size := range []int{1 << 10, 4 << 10, 16 << 10, 64 << 10, 128 << 10, 256 << 10} {
		s := strings.Repeat("*", size)
		check(t, fmt.Sprintf("9.1.%d", i+1), []sent{text(s)}, []seen{sawText(s)}, 0)
		check(t, fmt.Sprintf("9.2.%d", i+1), []sent{octetString(s)}, []seen{sawBinary(s)}, 0)
	}
	s := strings.Repeat("x", 16<<10)
	for i, piece := range []int{1, 2, 4, 16, 64, 256, 1 << 10, 4 << 10, 16 << 10} {
		check(t, fmt.Sprintf("9.3.%d", i+1), fragments(Text, s, piece), []seen{sawText(s)}, 0)
		check(t, fmt.Sprintf("9.4.%d", i+1), fragments(Binary, s, piece), []seen{sawBinary(s)}, 0)
	}
	for i, piece := range []int{1, 2, 4, 8, 16, 32} {
		for group, op := range []Opcode{Text, Binary} {
			in := frames{role: Client}
			in.add(true, 0, op, s)
			f := newFeeder(t, Server, &Options{}, Deflate{})
			f.feed(in.b, piece)
			if f.err != nil || !equalEvents(f.events, []seen{{op, s, 0}}) {
				t.Errorf("9.%d.%d: %v, %v", 5+group, i+1, f.events, f.err)
			}
		}
	}
	for i, size := range []int{0, 16, 64, 256, 1 << 10, 4 << 10} {
		for group, op := range []Opcode{Text, Binary} {
			var many []sent
			var saw []seen
			for range 1000 / 64 {
				many, saw = append(many, sent{op: op, data: s[:size]}), append(saw, seen{op, s[:size], 0})
			}
			check(t, fmt.Sprintf("9.%d.%d", 7+group, i+1), many, saw, 0)
		}
	}
	big := strings.Repeat("x", testLimit+1)
	for _, x := range []suiteCase{
		{"one byte too large", []sent{text(big)}, nil, 1009},
		{"one byte too large in fragments", []sent{octetString(big[:testLimit/2]).unfinished(), cont(big[testLimit/2:])}, nil, 1009},
		{"largest in fragments", []sent{octetString(big[:testLimit/2]).unfinished(), cont(big[testLimit/2 : testLimit])}, []seen{sawBinary(big[:testLimit])}, 0},
	} {
		x.run(t)
	}
}

// fragments sends a message in fragments of size bytes.
func fragments(op Opcode, s string, size int) (f []sent) {
	for at := 0; at == 0 || at < len(s); at += size {
		end := min(at+size, len(s))
		f = append(f, sent{op: op, data: s[at:end], more: end < len(s)})
		op = Continuation
	}
	return f
}

// Case 10.1.1: a message in automatic fragments of 1300 bytes.
func TestSuite10Fragments(t *testing.T) {
	s := strings.Repeat("*", 65536)
	check(t, "10.1.1", fragments(Text, s, 1300), []seen{sawText(s)}, 0)
}
