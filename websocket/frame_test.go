package websocket

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The examples of RFC 6455 section 5.7.
func TestExamplesOfTheRFC(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, x := range []struct {
		name  string
		role  Role // that receives
		input string
		tail  string
		want  []seen
	}{
		{"unmasked text", Client, "81 05 48 65 6c 6c 6f", "", []seen{{Text, "Hello", 0}}},
		{"masked text", Server, "81 85 37 fa 21 3d 7f 9f 4d 51 58", "", []seen{{Text, "Hello", 0}}},
		{"fragmented unmasked text", Client, "01 03 48 65 6c 80 02 6c 6f", "", []seen{{Text, "Hello", 0}}},
		{"unmasked ping", Client, "89 05 48 65 6c 6c 6f", "", []seen{{Ping, "Hello", 0}}},
		{"masked pong", Server, "8a 85 37 fa 21 3d 7f 9f 4d 51 58", "", []seen{{Pong, "Hello", 0}}},
		{"256 bytes binary", Client, "82 7e 01 00", long(256), []seen{{Binary, long(256), 0}}},
		{"64 KiB binary", Client, "82 7f 00 00 00 00 00 01 00 00", long(65536), []seen{{Binary, long(65536), 0}}},
	} {
		f := newFeeder(t, x.role, &Options{}, Deflate{})
		f.feed(append(unhex(t, x.input), x.tail...), 0)
		if f.err != nil || !equalEvents(f.events, x.want) {
			t.Errorf("%s: %v, %v", x.name, f.events, f.err)
		}
	}
}

func TestHeader(t *testing.T) {
	key := [4]byte{1, 2, 3, 4}
	for _, x := range []struct {
		h   Header
		hex string
	}{
		{Header{Fin: true, Op: Text, Size: 0}, "8100"},
		{Header{Op: Text, Size: 125}, "017d"},
		{Header{Fin: true, Op: Binary, Size: 126}, "827e007e"},
		{Header{Fin: true, Op: Binary, Size: 65535}, "827effff"},
		{Header{Fin: true, Op: Binary, Size: 65536}, "827f0000000000010000"},
		{Header{Fin: true, Op: Binary, Size: 1<<63 - 1}, "827f7fffffffffffffff"},
		{Header{Op: Continuation, RSV: 7, Size: 1, Masked: true, Key: key}, "708101020304"},
		{Header{Fin: true, RSV: 4, Op: Text, Size: 300, Masked: true, Key: key}, "c1fe012c01020304"},
	} {
		wire := unhex(t, x.hex)
		if got := x.h.Append(nil); !bytes.Equal(got, wire) || x.h.size() != len(wire) {
			t.Errorf("%+v is %x with size %d, want %x", x.h, got, x.h.size(), wire)
		}
		for n := range wire {
			if _, size, err := parseHeader(wire[:n]); size != 0 || err != nil {
				t.Errorf("%x: %d, %v", wire[:n], size, err)
			}
		}
		h, n, err := parseHeader(append(wire, "more"...))
		if err != nil || n != len(wire) || h != x.h {
			t.Errorf("%x is %+v, %d, %v", wire, h, n, err)
		}
	}
	for _, bad := range []string{
		"817e007d", "817e0000", "827f000000000000ffff", "827f0000000000000001",
		"827f8000000000000000", "827fffffffffffffffff", "897e", "88ff", "0900", "0800",
	} {
		if _, _, err := parseHeader(unhex(t, bad)); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func TestMask(t *testing.T) {
	key := [4]byte{0x12, 0xef, 0x80, 0x01}
	for size := range 300 {
		for offset := range 5 {
			p := make([]byte, size)
			for i := range p {
				p[i] = byte(i * 7)
			}
			want := make([]byte, size)
			for i := range p {
				want[i] = p[i] ^ key[(offset+i)%4]
			}
			Mask(p, key, offset)
			if !bytes.Equal(p, want) {
				t.Fatalf("%d bytes at %d", size, offset)
			}
		}
	}
	whole := make([]byte, 1000)
	Mask(whole, key, 0)
	for range 100 {
		parts := make([]byte, 1000)
		for at := 0; at < len(parts); {
			n := min(rand.IntN(90), len(parts)-at)
			Mask(parts[at:at+n], key, at)
			at += n
		}
		if !bytes.Equal(parts, whole) {
			t.Fatal("masked in parts is not masked at once")
		}
	}
}

// A client's masks must not repeat, or they would be no masks.
func TestMasksDiffer(t *testing.T) {
	c := NewCodec(Client, &Options{}, Deflate{})
	keys := map[[4]byte]bool{}
	for range 1000 {
		b, err := c.AppendMessage(nil, Binary, []byte("12345678"))
		h, n, err2 := parseHeader(b)
		if err != nil || err2 != nil || !h.Masked || n != 6 {
			t.Fatalf("%x: %v, %v", b, err, err2)
		}
		keys[h.Key] = true
	}
	if len(keys) < 990 {
		t.Errorf("%d masks in 1000 frames", len(keys))
	}
	fixed := NewCodec(Client, &Options{NewMask: func() [4]byte { return [4]byte{1, 2, 3, 4} }}, Deflate{})
	if b, _ := fixed.AppendControl(nil, Ping, nil); !bytes.Equal(b, []byte{0x89, 0x80, 1, 2, 3, 4}) {
		t.Errorf("%x", b)
	}
}
