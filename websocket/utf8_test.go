package websocket

import (
	"math/rand/v2"
	"testing"
	"unicode/utf8"
)

// prefixOfUTF8 reports whether some text begins with p, by package unicode/utf8 alone.
func prefixOfUTF8(p []byte) bool {
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		if r == utf8.RuneError && n == 1 {
			return !utf8.FullRune(p)
		}
		p = p[n:]
	}
	return true
}

func checkUTF8(t testing.TB, p []byte) {
	t.Helper()
	s, ok := utf8State{}.next(p)
	if ok != prefixOfUTF8(p) || (ok && s.complete()) != utf8.Valid(p) {
		t.Fatalf("% x: %v, complete %v; want %v, %v", p, ok, s.complete(), prefixOfUTF8(p), utf8.Valid(p))
	}
	// Byte by byte it has to stop where no text goes on.
	step, going := utf8State{}, true
	for i := range p {
		if step, going = step.next(p[i : i+1]); going != prefixOfUTF8(p[:i+1]) {
			t.Fatalf("% x: byte %d: %v", p, i, going)
		}
		if !going {
			break
		}
	}
	if going != ok || ok && step != s {
		t.Fatalf("% x: byte by byte %v %v, at once %v %v", p, step, going, s, ok)
	}
}

func TestUTF8OfAllShortStrings(t *testing.T) {
	var p [4]byte
	for a := range 256 {
		for b := range 256 {
			p[0], p[1] = byte(a), byte(b)
			checkUTF8(t, p[:2])
			if a < 0xc0 {
				continue
			}
			for _, c := range []byte{0, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xe0, 0xff} {
				p[2] = c
				checkUTF8(t, p[:3])
				for _, d := range []byte{0x7f, 0x80, 0xbf, 0xc2} {
					p[3] = d
					checkUTF8(t, p[:])
				}
			}
		}
	}
}

func TestUTF8OfLongStrings(t *testing.T) {
	chars := []string{"a", "abcdefgh", "ä", "€", "世", "界", "\ud7ff", "\ue000", "\U0001f600", "\U0010ffff", "\u0800", "0123456789abcdefghijk"}
	for range 3000 {
		var p []byte
		for range rand.IntN(20) {
			p = append(p, chars[rand.IntN(len(chars))]...)
		}
		checkUTF8(t, p)
		if len(p) > 0 {
			p[rand.IntN(len(p))] = byte(rand.Uint32())
			checkUTF8(t, p)
			checkUTF8(t, p[:rand.IntN(len(p))])
		}
	}
	for _, three := range []string{"\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xef\xbf\xbf"} {
		for _, s := range []string{three + "世界世界", "世" + three + "世界世界", "世界" + three + "abcdef", "a" + three} {
			checkUTF8(t, []byte(s))
		}
	}
}
