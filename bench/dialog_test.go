package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/quick"
)

// answers makes what a right server sends back for a connection's burst.
type answers func(i, n int) []byte

// talk feeds an answer to a dialog in pieces, as the load loop does, and
// returns the error or whether the burst was answered by it exactly.
func talk(d dialog, i, n, piece int, in []byte) (done bool, err error) {
	var at int
	var rest []byte
	for part := range slices.Chunk(in, piece) {
		if done {
			return true, fmt.Errorf("%d bytes too many", len(part))
		}
		rest = append(rest, part...)
		used, over, err := d.check(i, n, &at, rest)
		if err != nil {
			return false, err
		}
		rest, done = rest[used:], over
	}
	if done && len(rest) > 0 {
		err = fmt.Errorf("%d bytes too many", len(rest))
	}
	return done, err
}

type dialogCase struct {
	name   string
	dialog dialog
	answer answers
}

func (c dialogCase) compressed() bool { return c.name == "deflated" || c.name == "probe" }

func dialogCases(t *testing.T) []dialogCase {
	const depth = 3
	must := func(d *frameDialog, err error) *frameDialog {
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	echo := newEchoDialog(64 * depth)
	frames := newWebSocketDialog(300, depth)
	pages := newHTTPDialog(load{"http", pageTask, len(page), false}, depth)
	posts := newHTTPDialog(load{"http", echoTask, 100, false}, depth)
	texts := must(newFrameDialog(load{"ws", broadcastTask, 128, false}, depth))
	deflated := must(newFrameDialog(load{"ws", echoTask, 1 << 10, true}, depth))
	probe := must(newBinaryProbe(load{"ws", broadcastTask, 1 << 10, true}))
	return []dialogCase{
		{"echo", echo, func(i, n int) []byte { return echo.burst(i, n) }},
		{"frames", frames, unmasked(frames)},
		{"pages", pages, func(i, n int) []byte {
			return []byte(strings.Repeat(headOf("13", "text/plain")+page, depth))
		}},
		{"posts", posts, func(i, n int) []byte {
			var out []byte
			for part := range bytes.SplitSeq(posts.burst(i, n), []byte("POST / HTTP/1.1\r\n")) {
				if _, body, ok := bytes.Cut(part, []byte("\r\n\r\n")); ok {
					out = append(append(out, headOf("100", "x/y")...), body...)
				}
			}
			return out
		}},
		{"texts", texts, unmasked(texts)},
		{"deflated", deflated, unmasked(deflated)},
		{"probe", probe, unmasked(probe)},
	}
}

func headOf(length, kind string) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: " + kind + "\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\ncontent-length: " + length + "\r\n\r\n"
}

// unmasked is an echo server of WebSocket: it sends frames back without their masks.
func unmasked(d dialog) answers {
	return func(i, n int) []byte {
		var out []byte
		in := d.burst(i, n)
		for len(in) > 0 {
			head, size := 2, int(in[1]&127)
			if size == 126 {
				head, size = 4, int(in[2])<<8|int(in[3])
			}
			mask := in[head : head+4]
			payload := bytes.Clone(in[head+4 : head+4+size])
			for k := range payload {
				payload[k] ^= mask[k%4]
			}
			out = appendServerFrame(out, in[0], payload)
			in = in[head+4+size:]
		}
		return out
	}
}

func TestDialogsTakeWhatIsRight(t *testing.T) {
	for _, c := range dialogCases(t) {
		for n := range 3 {
			for _, piece := range []int{1, 7, 1 << 20} {
				if done, err := talk(c.dialog, 5, n, piece, c.answer(5, n)); !done || err != nil {
					t.Errorf("%s, burst %d in pieces of %d: done %v, %v", c.name, n, piece, done, err)
				}
			}
		}
	}
}

// A corrupted byte, a missing one, one too many and the answer to another burst are all found.
func TestDialogsFindWhatIsWrong(t *testing.T) {
	for _, c := range dialogCases(t) {
		right := c.answer(1, 0)
		wrong := func(what string, in []byte) {
			if done, err := talk(c.dialog, 1, 0, len(in), in); done && err == nil {
				t.Errorf("%s: %s was taken for right", c.name, what)
			}
		}
		// The last byte belongs to a body or payload in every dialog, but the end of what
		// is compressed may be padding.
		last := len(right) - 1
		if c.compressed() {
			last -= 100
		}
		for _, at := range []int{0, last} {
			bad := bytes.Clone(right)
			bad[at] ^= 0x20
			wrong(fmt.Sprintf("a wrong byte %d", at), bad)
		}
		wrong("an end too early", right[:len(right)-1])
		wrong("a byte too many", append(bytes.Clone(right), 'x'))
		if other := c.answer(2, 0); !bytes.Equal(other, right) {
			wrong("the answer to another connection", other)
		} else if c.name != "pages" && c.name != "probe" {
			t.Errorf("%s: two connections get the same answer", c.name)
		}
	}
}

// Every damaged byte is found, also once a dialog has right ones to compare with.
func TestDialogsFindEveryDamage(t *testing.T) {
	for _, c := range dialogCases(t) {
		if c.name == "pages" || c.name == "posts" || c.compressed() {
			continue // they have bytes that may be others
		}
		right := c.answer(1, 0)
		if done, err := talk(c.dialog, 1, 0, len(right), right); !done || err != nil {
			t.Fatalf("%s: done %v, %v", c.name, done, err)
		}
		found := func(at uint16, bit uint8) bool {
			bad := bytes.Clone(right)
			bad[int(at)%len(bad)] ^= 1 << (bit % 8)
			done, err := talk(c.dialog, 1, 0, len(bad), bad)
			return !done || err != nil
		}
		if err := quick.Check(found, nil); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestParseHead(t *testing.T) {
	if n, err := parseHead([]byte(headOf("13", "text/plain"))); n != 13 || err != nil {
		t.Errorf("a good head: %d, %v", n, err)
	}
	for _, bad := range []string{
		strings.Replace(headOf("13", "text/plain"), "200 OK", "404 Not Found", 1),
		strings.Replace(headOf("13", "text/plain"), "HTTP/1.1", "HTTP/1.0", 1),
		strings.Replace(headOf("13", "text/plain"), "Date", "Data", 1),
		strings.Replace(headOf("13", "text/plain"), "Content-Type", "X-Type", 1),
		strings.Replace(headOf("13", "text/plain"), "content-length: 13\r\n", "", 1),
		strings.Replace(headOf("13", "text/plain"), "content-length: 13", "Transfer-Encoding: chunked", 1),
		strings.Replace(headOf("13", "text/plain"), "content-length: 13", "Content-Length: 13\r\nConnection: close", 1),
		headOf("-1", "text/plain"), headOf("x", "text/plain"),
	} {
		if _, err := parseHead([]byte(bad)); err == nil {
			t.Errorf("%q was taken for right", bad)
		}
	}
}

func TestCheckUpgrade(t *testing.T) {
	const good = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + upgradeAccept + "\r\n\r\n"
	deflated := strings.Replace(good, "\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n", 1)
	for _, c := range []struct {
		in          string
		deflate, ok bool
	}{
		{good, false, true}, {deflated, true, true}, {good, true, false}, {deflated, false, false},
		{good + "x", false, false},
		{strings.Replace(good, "101", "200", 1), false, false},
		{strings.Replace(good, upgradeAccept, upgradeKey, 1), false, false},
	} {
		if err := checkUpgrade([]byte(c.in), c.deflate); (err == nil) != c.ok {
			t.Errorf("%q, compression %v: %v", c.in, c.deflate, err)
		}
	}
}

// The texts have to differ, to be of the size, and to be worth compressing.
func TestTexts(t *testing.T) {
	seen := map[string]bool{}
	for _, text := range newTexts(100, 1<<10) {
		small, err := deflate(text)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) != 1<<10 || seen[string(text)] || len(small) > len(text)*2/3 || len(small) < len(text)/8 {
			t.Errorf("%d bytes, %d compressed, seen before: %v", len(text), len(small), seen[string(text)])
		}
		seen[string(text)] = true
	}
}
