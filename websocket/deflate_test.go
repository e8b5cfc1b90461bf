package websocket

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

var (
	takeover   = Deflate{true, false, false, 15, 15}
	noTakeover = Deflate{true, true, true, 15, 15}
)

// The examples of RFC 7692 section 7.2.3.
func TestExamplesOfRFC7692(t *testing.T) {
	hello := sawText("Hello")
	for _, x := range []struct {
		name  string
		d     Deflate
		input string
		want  []seen
	}{
		{"one block", takeover, "c1 07 f2 48 cd c9 c9 07 00", []seen{hello}},
		{"fragments", takeover, "41 03 f2 48 cd 80 04 c9 c9 07 00", []seen{hello}},
		{"shared window", takeover, "c1 07 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00", []seen{hello, hello}},
		{"twice without window", noTakeover, "c1 07 f2 48 cd c9 c9 07 00 c1 07 f2 48 cd c9 c9 07 00", []seen{hello, hello}},
		{"not compressed block", takeover, "c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00", []seen{hello}},
		{"final block", takeover, "c1 08 f3 48 cd c9 c9 07 00 00", []seen{hello}},
		{"two blocks", takeover, "c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00", []seen{hello}},
		{"empty", takeover, "c1 01 00", []seen{sawText("")}},
		{"not compressed message", takeover, "81 05 48 65 6c 6c 6f", []seen{hello}},
		{"ping between fragments", takeover, "41 03 f2 48 cd 89 00 80 04 c9 c9 07 00", []seen{{Ping, "", 0}, hello}},
	} {
		for _, size := range []int{0, 1, 3} {
			f := newFeeder(t, Client, &Options{}, x.d)
			f.feed(unhex(t, x.input), size)
			if f.err != nil || !equalEvents(f.events, x.want) {
				t.Errorf("%s: %v, %v", x.name, f.events, f.err)
			}
		}
	}
}

func TestBadCompression(t *testing.T) {
	for _, x := range []struct {
		name  string
		d     Deflate
		input string
		code  int
	}{
		{"not agreed", Deflate{}, "c1 07 f2 48 cd c9 c9 07 00", 1002},
		{"on a continuation", takeover, "41 03 f2 48 cd c0 04 c9 c9 07 00", 1002},
		{"on a ping", takeover, "c9 00", 1002},
		{"on a close", takeover, "c8 00", 1002},
		{"other bits", takeover, "e1 00", 1002},
		{"unknown window", noTakeover, "c1 05 f2 00 11 00 00", 1007},
		{"reserved block type", takeover, "c1 01 ff", 1007},
		{"cut", takeover, "c1 04 f2 48 cd c9", 1007},
		{"nothing", takeover, "c1 00", 1007},
		{"text not UTF-8", takeover, "c1 08 00 02 00 fd ff c3 28 00", 1007},
		{"text cut inside a character", takeover, "c1 07 00 01 00 fe ff c3 00", 1007},
	} {
		f := newFeeder(t, Client, &Options{}, x.d)
		f.feed(unhex(t, x.input), 0)
		if f.code() != x.code {
			t.Errorf("%s: %v, %v", x.name, f.events, f.err)
		}
	}
}

// Streams that end inside a message go on with the next one, but not for ever.
func TestFinalBlocks(t *testing.T) {
	final := unhex(t, "f3 48 cd c9 c9 07 00")
	in := frames{role: Server}
	in.add(true, rsv1, Text, string(final)+string(final)+"\x00")
	in.add(true, rsv1, Text, strings.Repeat("\x03\x00", 1000))
	f := newFeeder(t, Client, &Options{}, takeover)
	f.feed(in.b, 0)
	if !equalEvents(f.events, []seen{sawText("HelloHello")}) || f.code() != 1002 {
		t.Error(f.events, f.err)
	}
}

// A bomb is stopped at the limit, not after it is inflated.
func TestBomb(t *testing.T) {
	class := deflateClass{bits: 15, level: 9}
	bomb, ok := class.append(nil, make([]byte, 8<<20), nil)
	if !ok || len(bomb) > 100_000 {
		t.Fatal(len(bomb), ok)
	}
	in := frames{role: Client}
	in.add(true, rsv1, Binary, string(bomb))
	limit := 128 << 10
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, _, err := NewCodec(Server, &Options{MaxMessageSize: limit}, takeover).Next(in.b)
	runtime.ReadMemStats(&after)
	var closed *CloseError
	if !errors.As(err, &closed) || closed.Code != CloseTooBig {
		t.Error(err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > uint64(5*limit) {
		t.Errorf("%d bytes are allocated for a limit of %d", got, limit)
	}
	for _, size := range []int{limit, limit + 1} {
		packed, _ := class.append(nil, make([]byte, size), nil)
		in := frames{role: Client}
		in.add(true, rsv1, Binary, string(packed))
		f := newFeeder(t, Server, &Options{MaxMessageSize: limit}, takeover)
		f.feed(in.b, 0)
		if (f.err == nil) != (size == limit) {
			t.Errorf("%d bytes: %v", size, f.err)
		}
	}
}

// corpus is messages of many sizes and kinds, similar to each other.
func corpus() [][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	var all [][]byte
	for i, size := range []int{0, 1, 5, 16, 64, 100, 127, 128, 129, 256, 257, 1000, 1024, 4096, 8192, 16 << 10, 32<<10 - 1, 32 << 10, 32<<10 + 1, 100_000, 64 << 10, 1000, 1000, 300} {
		var b bytes.Buffer
		for b.Len() < size {
			fmt.Fprintf(&b, `{"id":%d,"name":"player %d","x":%d,"y":%d},`, i, rnd.IntN(50), rnd.IntN(1000), rnd.IntN(1000))
		}
		all = append(all, b.Bytes()[:size])
		noise := make([]byte, size)
		for j := range noise {
			noise[j] = byte(rnd.Uint32())
		}
		all = append(all, noise)
	}
	return all
}

// All sizes of messages under all parameters, in both directions, read by another
// decompressor too.
func TestCompressionUnderAllParameters(t *testing.T) {
	all := corpus()
	for _, d := range []Deflate{
		takeover, noTakeover, {true, true, false, 15, 15}, {true, false, true, 15, 15},
		{true, false, false, 8, 8}, {true, false, false, 9, 12}, {true, true, true, 9, 9}, {true, false, false, 14, 10}, {true, false, false, 15, 8},
	} {
		for _, o := range []Compression{{Threshold: 1}, {Threshold: 1, Level: 6}, {Threshold: 1, Level: 9}, {Threshold: 1, Stateless: true}, {}} {
			for _, role := range []Role{Server, Client} {
				options := &Options{Compression: o}
				sender := NewCodec(role, options, d)
				f := newFeeder(t, other(role), options, d)
				bits, takeover := d.sending(role)
				messages := all
				if o != (Compression{Threshold: 1}) || role == Client {
					// The large ones take most of the time.
					messages = messages[:len(messages)-18]
				}
				if raceEnabled {
					messages = messages[:20]
				}
				var history []byte
				for i, message := range messages {
					b, err := sender.AppendMessage(nil, Binary, message)
					if err != nil {
						t.Fatal(err)
					}
					h, n, _ := parseHeader(b)
					if h.RSV != 0 {
						payload := bytes.Clone(b[n:])
						if h.Masked {
							Mask(payload, h.Key, 0)
						}
						if len(payload) >= len(message) {
							t.Errorf("%d bytes became %d", len(message), len(payload))
						}
						out, distance, err := slowInflate(append(payload, syncMarker...), history)
						if err != nil || !bytes.Equal(out[len(history):], message) || distance > 1<<bits {
							t.Fatalf("%+v %+v: message %d: %v, distance %d", d, o, i, err, distance)
						}
						if takeover && !sender.deflateClass().stateless {
							history = out[max(0, len(out)-1<<bits):]
						}
					}
					f.feed(b, 1+len(b)/3)
					if f.err != nil || len(f.events) != i+1 || f.events[i] != sawBinary(string(message)) {
						t.Fatalf("%+v %+v: message %d of %d bytes: %v", d, o, i, len(message), f.err)
					}
				}
				if n := cap(sender.outWindow()); n > windowSize(bits, takeover) {
					t.Errorf("a window of %d bytes for %d bits", n, bits)
				}
				if n := cap(f.c.inWindow()); n > windowSize(f.c.deflate.receiving(f.c.role)) {
					t.Errorf("a window of %d bytes", n)
				}
			}
		}
	}
}

func TestTakeoverHelps(t *testing.T) {
	message := corpus()[24]
	sender := NewCodec(Server, &Options{}, takeover)
	first, _ := sender.AppendMessage(nil, Text, message)
	second, _ := sender.AppendMessage(nil, Text, message)
	if len(second) > len(first)/10 {
		t.Errorf("%d bytes, then %d, then %d", len(message), len(first), len(second))
	}
}

func TestThreshold(t *testing.T) {
	for size, want := range map[int]uint8{511: 0, 512: rsv1} {
		b, _ := NewCodec(Server, &Options{}, takeover).AppendMessage(nil, Text, make([]byte, size))
		if h, _, _ := parseHeader(b); h.RSV != want {
			t.Errorf("%d bytes: RSV %d", size, h.RSV)
		}
	}
}

func TestWindow(t *testing.T) {
	for range 200 {
		var w []byte
		var all []byte
		for range rand.IntN(30) {
			m := make([]byte, rand.IntN(400))
			for i := range m {
				m[i] = byte(rand.Uint32())
			}
			all = append(all, m...)
			if w = slide(w, m, 8); !bytes.Equal(w, all[max(0, len(all)-256):]) || cap(w) > 256 {
				t.Fatalf("%d bytes in a window of %d", len(w), cap(w))
			}
		}
	}
}

func TestBuffers(t *testing.T) {
	for _, size := range []int{0, 1, 512, 513, 65536, 65537, 1 << 20} {
		b := newBuffer(size)
		if cap(b.b) < size || len(b.b) != 0 {
			t.Errorf("%d bytes: %d, %d", size, len(b.b), cap(b.b))
		}
		b.b = append(b.b, "content"...)
		b = b.grown(3*size+100, 1<<21)
		if string(b.b) != "content" || cap(b.b) < 3*size+107 {
			t.Errorf("%q, %d", b.b, cap(b.b))
		}
		b.release()
	}
	(*buffer)(nil).release()
}

// slowInflate is RFC 1951 in its plainest form, up to the end of the input. It also tells
// the largest distance, which the decompressor in use would not complain about.
func slowInflate(in, history []byte) (out []byte, farthest int, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
	}()
	out = bytes.Clone(history)
	pos := 0
	bit := func() int {
		b := int(in[pos>>3]>>(pos&7)) & 1
		pos++
		return b
	}
	take := func(n int) (v int) {
		for i := range n {
			v |= bit() << i
		}
		return v
	}
	type huffman struct{ count, symbols []int }
	build := func(lengths []int) huffman {
		h := huffman{count: make([]int, 16), symbols: make([]int, len(lengths))}
		for _, l := range lengths {
			h.count[l]++
		}
		offsets := make([]int, 17)
		for l := 1; l < 16; l++ {
			offsets[l+1] = offsets[l] + h.count[l]
		}
		for s, l := range lengths {
			if l != 0 {
				h.symbols[offsets[l]] = s
				offsets[l]++
			}
		}
		return h
	}
	decode := func(h huffman) int {
		code, first, index := 0, 0, 0
		for l := 1; l < 16; l++ {
			code |= bit()
			if code-h.count[l] < first {
				return h.symbols[index+code-first]
			}
			index += h.count[l]
			first = (first + h.count[l]) << 1
			code <<= 1
		}
		panic("bad code")
	}
	lengthBase := []int{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthExtra := []int{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	for pos < 8*len(in) {
		bit()
		switch kind := take(2); kind {
		case 0:
			pos = (pos + 7) &^ 7
			n := take(16)
			if n^take(16) != 0xffff {
				panic("bad stored block")
			}
			out = append(out, in[pos>>3:pos>>3+n]...)
			pos += 8 * n
		case 1, 2:
			var lengths, distances huffman
			if kind == 1 {
				fixed := make([]int, 288)
				for i := range fixed {
					switch {
					case i < 144 || i >= 280:
						fixed[i] = 8
					case i < 256:
						fixed[i] = 9
					default:
						fixed[i] = 7
					}
				}
				lengths, distances = build(fixed), build(bytes2ints(bytes.Repeat([]byte{5}, 30)))
			} else {
				nlen, ndist, ncode := take(5)+257, take(5)+1, take(4)+4
				codes := make([]int, 19)
				for _, i := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}[:ncode] {
					codes[i] = take(3)
				}
				h := build(codes)
				var all []int
				for len(all) < nlen+ndist {
					s, value, repeat := decode(h), 0, 1
					switch s {
					case 16:
						value, repeat = all[len(all)-1], 3+take(2)
					case 17:
						repeat = 3 + take(3)
					case 18:
						repeat = 11 + take(7)
					default:
						value = s
					}
					for range repeat {
						all = append(all, value)
					}
				}
				lengths, distances = build(all[:nlen]), build(all[nlen:])
			}
			for {
				s := decode(lengths)
				if s < 256 {
					out = append(out, byte(s))
					continue
				}
				if s == 256 {
					break
				}
				n := lengthBase[s-257] + take(lengthExtra[s-257])
				s = decode(distances)
				distance := s + 1
				if s >= 4 {
					extra := s/2 - 1
					distance = (2+s%2)<<extra + 1 + take(extra)
				}
				farthest = max(farthest, distance)
				for range n {
					out = append(out, out[len(out)-distance])
				}
			}
		default:
			panic("bad block type")
		}
	}
	return out, farthest, nil
}

func bytes2ints(b []byte) []int {
	ints := make([]int, len(b))
	for i, v := range b {
		ints[i] = int(v)
	}
	return ints
}

// A compressed message may be a little larger than the limit before it is inflated. Its
// last fragments must not cost a copy of all before them each.
func TestCompressedFragmentsAtTheLimit(t *testing.T) {
	limit := 256 << 10
	in := frames{role: Client}
	in.add(false, rsv1, Binary, strings.Repeat("x", limit))
	for range 500 {
		in.add(false, 0, Continuation, "y")
	}
	c := NewCodec(Server, &Options{MaxMessageSize: limit}, takeover)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, used, _, err := c.Next(in.b)
	runtime.ReadMemStats(&after)
	if err != nil || used != len(in.b) || !c.InMessage() {
		t.Fatal(used, err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > uint64(8*limit) {
		t.Errorf("%d bytes are allocated for a message of %d", got, limit)
	}
	c.Release()
}
