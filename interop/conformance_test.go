package interop

import (
	"bytes"
	"compress/flate"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/workerman-go/workerman"
)

// suiteCase is a case as the Autobahn testsuite has it, whose numbers the names begin
// with: what is sent after the handshake, and what an echo server answers up to the end of
// the connection.
type suiteCase struct {
	name, sent string
	want       []string
}

// suite is a sample of each group of the testsuite.
func suite() (list []suiteCase) {
	add := func(name, sent string, want ...string) {
		list = append(list, suiteCase{name, sent, append(want, "end")})
	}
	// good cases end with a close by the client.
	good := func(name, sent string, want ...string) {
		add(name, sent+closing(1000, ""), append(want, "close 1000")...)
	}

	for i, n := range []int{0, 125, 126, 127, 128, 65535, 65536, 1 << 20} {
		s := strings.Repeat("*", n)
		good(fmt.Sprintf("1.1.%d", i+1), frame(fin|text, s), "text "+short(s))
		good(fmt.Sprintf("1.2.%d", i+1), frame(fin|octets, s), "binary "+short(s))
	}

	good("2.1 empty ping", frame(fin|pings, ""), `pong ""`)
	good("2.3 binary ping", frame(fin|pings, "\x00\xff\xfe"), `pong "\x00\xff\xfe"`)
	add("2.5 ping too long", frame(fin|pings, strings.Repeat("x", 126)), "close 1002")
	good("2.8 unsolicited pong", frame(fin|pongs, "x")+frame(fin|pings, "y"), `pong "y"`)
	good("2.10 ten pings", strings.Repeat(frame(fin|pings, "x"), 10), slices.Repeat([]string{`pong "x"`}, 10)...)

	add("3.1 RSV3", frame(fin|0x10|text, "x"), "close 1002")
	add("3.2 RSV2 behind a message", frame(fin|text, "x")+frame(fin|0x20|text, "y")+frame(fin|pings, ""), `text "x"`, "close 1002")
	add("3.4 RSV1 without compression", frame(fin|compression|text, "x"), "close 1002")
	add("3.6 RSV2 of a ping", frame(fin|0x20|pings, "x"), "close 1002")
	add("3.7 all RSV of a close", frame(fin|0x70|closes, ""), "close 1002")

	for op := byte(3); op < 8; op++ {
		add(fmt.Sprintf("4.1 opcode %d", op), frame(fin|text, "x")+frame(fin|op, "y"), `text "x"`, "close 1002")
		add(fmt.Sprintf("4.2 opcode %d", op+8), frame(fin|text, "x")+frame(fin|op+8, "y"), `text "x"`, "close 1002")
	}

	add("5.1 ping in fragments", frame(pings, "x")+frame(fin|continues, "y"), "close 1002")
	add("5.2 pong in fragments", frame(pongs, "x")+frame(fin|continues, "y"), "close 1002")
	good("5.3 two fragments", frame(text, "x")+frame(fin|continues, "y"), `text "xy"`)
	good("5.6 ping between fragments", frame(text, "x")+frame(fin|pings, "p")+frame(fin|continues, "y"), `pong "p"`, `text "xy"`)
	add("5.9 nothing to continue", frame(fin|continues, "x")+frame(fin|text, "y"), "close 1002")
	add("5.15 nothing to continue later", frame(text, "x")+frame(fin|continues, "y")+frame(continues, "z"), `text "xy"`, "close 1002")
	add("5.18 message in a message", frame(text, "x")+frame(fin|text, "y"), "close 1002")
	good("5.19 five fragments, two pings", frame(octets, "1")+frame(continues, "2")+frame(fin|pings, "p")+frame(continues, "3")+frame(continues, "4")+frame(fin|pings, "q")+frame(fin|continues, "5"),
		`pong "p"`, `pong "q"`, `binary "12345"`)
	good("5.20 close between fragments", frame(text, "x"))

	const greek = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
	good("6.1.2 empty fragments", frame(text, "")+frame(continues, "")+frame(fin|continues, ""), `text ""`)
	good("6.2.4 text byte by byte", byByte(greek), "text "+short(greek))
	add("6.3.1 surrogate", frame(fin|text, greek+"\xed\xa0\x80edited"), "close 1007")
	add("6.3.2 surrogate byte by byte", byByte(greek+"\xed\xa0\x80edited"), "close 1007")
	// The message does not end here: the mistake alone is the reason to fail.
	add("6.4.1 fail fast between fragments", frame(text, greek)+frame(continues, "\xf4\x90\x80\x80"), "close 1007")
	add("6.4.2 fail fast with half a sequence", frame(text, greek)+frame(continues, "\xf4\x90"), "close 1007")
	add("6.4.3 fail fast in a fragment", frame(text, greek+"\xf4\x90\x80\x80"+strings.Repeat("x", 70))[:20], "close 1007")
	for _, s := range []string{"\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xf5\x80\x80\x80", "\xff", "\xed\xbf\xbf", "\xe2\x82"} {
		add(fmt.Sprintf("6.x %x", s), frame(fin|text, s), "close 1007")
	}
	good("6.x largest code point", frame(fin|text, "\xf4\x8f\xbf\xbf"), `text "\U0010ffff"`)

	add("7.1.3 ping behind a close", closing(1000, "")+frame(fin|pings, "x"), "close 1000")
	add("7.1.4 message behind a close", closing(1000, "")+frame(fin|text, "x"), "close 1000")
	add("7.3.1 close without code", frame(fin|closes, ""), "close")
	add("7.3.2 close with half a code", frame(fin|closes, "\x03"), "close 1002")
	add("7.3.5 longest reason", closing(1000, strings.Repeat("x", 123)), "close 1000")
	add("7.3.6 reason too long", closing(1000, strings.Repeat("x", 124)), "close 1002")
	add("7.5.1 reason is no UTF-8", closing(1000, "\xed\xa0\x80"), "close 1007")
	for _, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		add(fmt.Sprintf("7.7 code %d", code), closing(code, ""), fmt.Sprint("close ", code))
	}
	for _, code := range []uint16{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535} {
		add(fmt.Sprintf("7.9 code %d", code), closing(code, ""), "close 1002")
	}

	megabyte := strings.Repeat("0123456789abcdef", 1<<16)
	good("9.1 a megabyte of text", frame(fin|text, megabyte), "text "+short(megabyte))
	good("9.3 a megabyte in fragments of 1024", inFragments(text, megabyte, 1024), "text "+short(megabyte))
	good("9.4 a megabyte in fragments of 65536", inFragments(octets, megabyte, 65536), "binary "+short(megabyte))
	good("9.x a hundred messages", strings.Repeat(frame(fin|text, "x"), 100), slices.Repeat([]string{`text "x"`}, 100)...)
	good("10.1 frames as the kernel likes", inFragments(text, megabyte[:65536], 1300), "text "+short(megabyte[:65536]))

	add("x not masked", string([]byte{fin | text, 1, 'x'}), "close 1002")
	add("x length not minimal", string([]byte{fin | text, 0x80 | 126, 0, 1, 0, 0, 0, 0, 'x'}), "close 1002")
	add("x length beyond 63 bits", string([]byte{fin | text, 0x80 | 127, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), "close 1002")
	add("x length over the limit", string([]byte{fin | text, 0x80 | 127, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}), "close 1009")
	return list
}

// byByte is a text in fragments of a byte.
func byByte(s string) string { return inFragments(text, s, 1) }

// inFragments is a message in fragments of n bytes.
func inFragments(op byte, s string, n int) string {
	var b strings.Builder
	for len(s) > n {
		b.WriteString(frame(op, s[:n]))
		op, s = continues, s[n:]
	}
	b.WriteString(frame(fin|op, s))
	return b.String()
}

func TestWebSocketConformance(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		s := serve(t, portable, "websocket", func(w *workerman.Worker) {
			w.MaxPackageSize = 2 << 20
			w.MaxSendBuffer = 8 << 20
			w.OnMessage = answer
		})
		for _, x := range suite() {
			ways := [][]string{{x.sent}}
			if len(x.sent) < 300 {
				ways = append(ways, pieces(x.sent, 1))
			} else {
				ways = append(ways, pieces(x.sent, len(x.sent)/7+1))
			}
			for _, parts := range ways {
				if got := s.socket(t, "").tell(parts); !slices.Equal(got, x.want) {
					t.Errorf("%s in %d pieces: %q, want %q", x.name, len(parts), got, x.want)
				}
			}
		}
		eventually(t, "all connections are gone", func() bool { return s.Stats().Connections == 0 })
	})
}

// tell sends pieces while it reads, and returns what comes up to the end.
func (w *rawSocket) tell(parts []string) []string {
	defer w.Close()
	var sent sync.WaitGroup
	sent.Go(func() {
		for _, p := range parts {
			w.send(p)
		}
	})
	defer sent.Wait()
	return w.rest()
}

// pieces cuts s into pieces of n bytes.
func pieces(s string, n int) (list []string) {
	for ; len(s) > n; s = s[n:] {
		list = append(list, s[:n])
	}
	return append(list, s)
}

// TestWebSocketCompression has samples of groups 12 and 13, and what a peer can do wrong with
// compressed messages.
func TestWebSocketCompression(t *testing.T) {
	const offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
	engines(t, func(t *testing.T, portable bool) {
		s := serve(t, portable, "websocket", func(w *workerman.Worker) {
			w.MaxPackageSize = 2 << 20
			w.WebSocket.Compression.Enabled = true
			w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send([]byte(digest(data))) }
		})
		for _, n := range []int{0, 1, 100, 4096, 131072, 1 << 20} {
			message := strings.Repeat("0123456789abcdef", n/16+1)[:n]
			packed := string(deflate([]byte(message)))
			for _, sent := range []string{
				frame(fin|compression|text, packed),
				inFragments(compression|text, packed, 7),
				frame(fin|text, message), // not compressed, which is allowed
			} {
				w := s.socket(t, offer)
				got := w.tell([]string{sent + closing(1000, "")})
				if want := []string{"text " + short(digest([]byte(message))), "close 1000", "end"}; !slices.Equal(got, want) {
					t.Errorf("%d bytes: %q, want %q", n, got, want)
				}
			}
		}
		packed := string(deflate([]byte("hello, hello, hello")))
		for _, x := range []suiteCase{
			{"compressed control frame", frame(fin|compression|pings, "x"), []string{"close 1002", "end"}},
			{"RSV1 of a continuation", frame(compression|text, packed[:4]) + frame(fin|compression|continues, packed[4:]), []string{"close 1002", "end"}},
			{"no deflate data", frame(fin|compression|text, "\xff\xff\xff"), []string{"close 1007", "end"}},
			{"deflate data without end", frame(fin|compression|text, packed[:4]), []string{"close 1007", "end"}},
			{"text that is no UTF-8", frame(fin|compression|text, string(deflate([]byte("\xed\xa0\x80")))), []string{"close 1007", "end"}},
			{"too large", frame(fin|compression|text, string(deflate(make([]byte, 3<<20)))), []string{"close 1009", "end"}},
		} {
			if got := s.socket(t, offer).tell([]string{x.sent}); !slices.Equal(got, x.want) {
				t.Errorf("%s: %q, want %q", x.name, got, x.want)
			}
		}
	})
}

// deflate compresses a message as RFC 7692 has it: without the empty block at the end.
func deflate(message []byte) []byte {
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	z.Write(message)
	z.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
}
