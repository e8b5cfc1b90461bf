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

// run feeds a case to both roles in pieces of several sizes: all must see the same.
func (x suiteCase) run(t *testing.T) {
	t.Helper()
	for _, role := range []Role{Server, Client} {
		input := frames{role: other(role)}
		for _, f := range x.frames {
			input.add(!f.more, f.rsv, f.op, f.data)
		}
		sizes := []int{0, 1, 7}
		if len(input.b) > 10_000 {
			sizes = []int{0, len(input.b)/50 + 1}
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
		}
	}
}

func TestSuite1Framing(t *testing.T) {
	for i, size := range []int{0, 125, 126, 127, 128, 65535, 65536} {
		s, b := strings.Repeat("*", size), strings.Repeat("\xfe", size)
		suiteCase{fmt.Sprintf("1.1.%d", i+1), []sent{text(s)}, []seen{sawText(s)}, 0}.run(t)
		suiteCase{fmt.Sprintf("1.2.%d", i+1), []sent{octetString(b)}, []seen{sawBinary(b)}, 0}.run(t)
	}
}

func TestSuite2Pings(t *testing.T) {
	payloads := []string{"", "Hello, world!", "\x00\xff\xfe\xfd\xfc\xfb\x00\xff", strings.Repeat("\xfe", 125)}
	for i, p := range payloads {
		suiteCase{fmt.Sprintf("2.%d", i+1), []sent{ping(p)}, []seen{{Ping, p, 0}}, 0}.run(t)
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
	for group, opcodes := range [][]Opcode{{3, 4, 5, 6, 7}, {11, 12, 13, 14, 15}} {
		for i, op := range opcodes {
			suiteCase{fmt.Sprintf("4.%d.%d", group+1, i+1),
				[]sent{text("Hello"), {op: op, data: strings.Repeat("x", i)}, ping("")}, []seen{sawText("Hello")}, 1002}.run(t)
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
		{"5.9-10", []sent{cont("non-continuation"), text("Hello")}, nil, 1002},
		{"5.11-12", []sent{cont("x").unfinished(), text("Hello")}, nil, 1002},
		{"5.15", []sent{first, last, cont("fragment3").unfinished(), text("fragment4")}, hello, 1002},
		{"5.16-17", []sent{cont("f1").unfinished(), text("f2").unfinished(), cont("f3")}, nil, 1002},
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
func octets(s string) (f []sent) {
	for i := range len(s) {
		x := cont(s[i : i+1])
		if i == 0 {
			x.op = Text
		}
		x.more = i < len(s)-1
		f = append(f, x)
	}
	return f
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
		"6.5":  {kosme},
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
		"6.12": {"80", "bf", "80bf", "80bf80", "80bf80bf", "80bf80bf80", "80bf80bf80bf"},
		"6.13": {"c020c120c220c320", "e020e120ef20", "f020f120f720", "f820f920fb20", "fc20fd20"},
		"6.14": {"c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf", "fdbfbfbfbf"},
		"6.15": {"c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf"},
		"6.16": {"fe", "ff", "fefeffff"},
		"6.17": {"c0af", "e080af", "f08080af", "f8808080af", "fc80808080af"},
		"6.18": {"c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf"},
		"6.19": {"c080", "e08080", "f0808080", "f880808080", "fc8080808080"},
		"6.20": {"eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf"},
		"6.21": {"eda080edb080", "eda080edbfbf", "edadbfedb080", "edadbfedbfbf", "edae80edb080", "edae80edbfbf", "edafbfedb080", "edafbfedbfbf"},
	}
	for i := range len(kosme) + 1 {
		switch i {
		case 0, 2, 5, 7, 9, 11:
			valid["6.6"] = append(valid["6.6"], hex.EncodeToString([]byte(kosme[:i])))
		default:
			invalid["6.6"] = append(invalid["6.6"], hex.EncodeToString([]byte(kosme[:i])))
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
			suiteCase{id, []sent{text(s)}, []seen{sawText(s)}, 0}.run(t)
			if s != "" {
				suiteCase{id + " octets", octets(s), []seen{sawText(s)}, 0}.run(t)
			}
		}
	}
	for id, list := range invalid {
		for _, s := range list {
			s = decode(s)
			suiteCase{id, []sent{text(s)}, nil, 1007}.run(t)
			suiteCase{id + " octets", octets(s), nil, 1007}.run(t)
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
		suiteCase{fmt.Sprintf("7.7.%d", i+1), []sent{closing(code, "")}, []seen{{Close, "", code}}, 0}.run(t)
	}
	for i, code := range []int{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 1015, 5000, 65535} {
		payload := string([]byte{byte(code >> 8), byte(code)})
		suiteCase{fmt.Sprintf("7.9/7.13.%d", i+1), []sent{{op: Close, data: payload}}, nil, 1002}.run(t)
	}
}

// Cases 9 at a sixty-fourth of their sizes.
func TestSuite9Limits(t *testing.T) {
	for _, size := range []int{1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10} {
		s := strings.Repeat("*", size)
		suiteCase{fmt.Sprintf("9.1 %d", size), []sent{text(s)}, []seen{sawText(s)}, 0}.run(t)
		suiteCase{fmt.Sprintf("9.2 %d", size), []sent{octetString(s)}, []seen{sawBinary(s)}, 0}.run(t)
	}
	s := strings.Repeat("x", 64<<10)
	for _, piece := range []int{64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10} {
		var parts []sent
		for at := 0; at < len(s); at += piece {
			f := cont(s[at : at+piece]).unfinished()
			if at == 0 {
				f.op = Binary
			}
			f.more = at+piece < len(s)
			parts = append(parts, f)
		}
		suiteCase{fmt.Sprintf("9.4 %d", piece), parts, []seen{sawBinary(s)}, 0}.run(t)
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

// Case 10.1.1: a message in automatic fragments of 1300 bytes.
func TestSuite10Fragments(t *testing.T) {
	s := strings.Repeat("*", 65536)
	var parts []sent
	for at := 0; at < len(s); at += 1300 {
		end := min(at+1300, len(s))
		f := sent{op: Continuation, data: s[at:end], more: end < len(s)}
		if at == 0 {
			f.op = Text
		}
		parts = append(parts, f)
	}
	suiteCase{"10.1.1", parts, []seen{sawText(s)}, 0}.run(t)
}
