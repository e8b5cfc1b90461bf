package websocket

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/workerman-go/workerman/web"
)

var sizes = []int{16, 64, 128, 1024, 16 << 10}

func BenchmarkMask(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			p := make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				Mask(p, [4]byte{1, 2, 3, 4}, 0)
			}
		})
	}
}

func BenchmarkUTF8(b *testing.B) {
	for _, x := range []struct{ name, s string }{
		{"ASCII", strings.Repeat("0123456789abcdef", 64)},
		{"Chinese", strings.Repeat("世界和平", 85) + "1234"},
		{"German", strings.Repeat("größer als ", 79)},
	} {
		p := []byte(x.s)
		b.Run(x.name, func(b *testing.B) {
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				if _, ok := (utf8State{}).next(p); !ok {
					b.Fatal()
				}
			}
		})
		b.Run(x.name+"/unicode", func(b *testing.B) {
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				if !utf8.Valid(p) {
					b.Fatal()
				}
			}
		})
	}
}

// BenchmarkEcho is what a server does with a message: take it, frame it again.
func BenchmarkEcho(b *testing.B) {
	for _, x := range []struct {
		op   Opcode
		size int
	}{{Text, 64}, {Binary, 64}, {Text, 1 << 10}, {Binary, 1 << 10}, {Text, 64 << 10}, {Binary, 64 << 10}} {
		b.Run(fmt.Sprintf("%v/%d", x.op, x.size), func(b *testing.B) {
			in := frames{role: Client}
			in.add(true, 0, x.op, strings.Repeat("x", x.size))
			buf := make([]byte, len(in.b))
			out := make([]byte, 0, len(in.b))
			c := NewCodec(Server, &Options{}, Deflate{})
			b.SetBytes(int64(x.size))
			b.ReportAllocs()
			for b.Loop() {
				copy(buf, in.b)
				ev, _, _, err := c.Next(buf)
				if err != nil {
					b.Fatal(err)
				}
				out, _ = c.AppendMessage(out[:0], ev.Op, ev.Data)
			}
		})
	}
}

func BenchmarkDeflate(b *testing.B) {
	message := corpus()[24] // 1 KiB of JSON
	for _, x := range []struct {
		name string
		d    Deflate
		o    Compression
	}{
		{"level 1", noTakeover, Compression{}},
		{"level 6", noTakeover, Compression{Level: 6}},
		{"stateless", noTakeover, Compression{Stateless: true}},
		{"takeover", takeover, Compression{}},
		{"takeover 12 bits", Deflate{true, false, false, 12, 12}, Compression{}},
	} {
		b.Run(x.name, func(b *testing.B) {
			c := NewCodec(Server, &Options{Compression: x.o}, x.d)
			var out []byte
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				out, _ = c.AppendMessage(out[:0], Text, message)
			}
			b.ReportMetric(float64(len(out)), "size")
		})
	}
}

func BenchmarkInflate(b *testing.B) {
	message := corpus()[24]
	for _, d := range []Deflate{noTakeover, takeover} {
		b.Run(fmt.Sprintf("takeover %v", !d.ServerNoContextTakeover), func(b *testing.B) {
			// Compressed without a reference to others, a message can be received any
			// number of times.
			in, _ := NewCodec(Server, &Options{}, noTakeover).AppendMessage(nil, Text, message)
			c := NewCodec(Client, &Options{}, d)
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, _, err := c.Next(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHandshake is a server's whole handshake, from the bytes of the request to those
// of the answer.
func BenchmarkHandshake(b *testing.B) {
	for _, o := range []Options{{Origins: []string{"*"}}, {Origins: []string{"*"}, Compression: Compression{Enabled: true}}} {
		b.Run(fmt.Sprintf("compression %v", o.Compression.Enabled), func(b *testing.B) {
			text := []byte(strings.Replace(sample, "\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n", 1))
			var out []byte
			var parser web.Parser
			var r web.Request
			b.ReportAllocs()
			for b.Loop() {
				if _, step, err := parser.Parse(&r, text); step != web.GotRequest || err != nil {
					b.Fatal(step, err)
				}
				a, err := o.Negotiate(&r)
				if err != nil {
					b.Fatal(err)
				}
				if out, err = AppendAccept(out[:0], &r, a); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
