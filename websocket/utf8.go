package websocket

import (
	"encoding/binary"
	"math/bits"
)

// utf8State is a place in a UTF-8 text, which may lie inside a character. The zero value
// is the place between two characters.
type utf8State struct {
	missing uint8 // bytes of the character that are still to come
	lo, hi  uint8 // what the first of them may be
}

// complete reports whether the place lies between two characters.
func (s utf8State) complete() bool { return s.missing == 0 }

// Masks for two bytes of the form 110xxxxx 10xxxxxx, and for three of the form 1110xxxx
// 10xxxxxx 10xxxxxx, twice in eight bytes.
const (
	twoMask    = 0xc0e0
	twoForm    = 0x80c0
	twoFirst   = 0x1e // one of these bits is set, or the form is overlong
	threeMask  = 0x0000_c0c0f0_c0c0f0
	threeForm  = 0x0000_8080e0_8080e0
	threeFirst = 0x200f // the bits that tell overlong forms and surrogates apart
	surrogate  = 0x200d
	ascii      = 0x8080808080808080
)

// next goes on by p. It is false as soon as a byte stands where no valid text can have
// it, RFC 3629 section 4, not only when a character is complete: that lets a receiver
// fail at the earliest byte.
func (s utf8State) next(p []byte) (utf8State, bool) {
	for s.missing > 0 {
		if len(p) == 0 {
			return s, true
		}
		if p[0] < s.lo || p[0] > s.hi {
			return s, false
		}
		s = utf8State{missing: s.missing - 1, lo: 0x80, hi: 0xbf}
		p = p[1:]
	}
	for len(p) > 0 {
		// Most text is ASCII. What is not has characters of three bytes in a row, or one of
		// two bytes here and there.
		if len(p) >= 8 {
			w := binary.LittleEndian.Uint64(p)
			switch {
			case w&ascii == 0:
				p = afterASCII(p[8:])
				continue
			case w&threeMask == threeForm && validThree(w) && validThree(w>>24):
				p = p[6:]
				continue
			case w&twoMask == twoForm && w&twoFirst != 0:
				p = p[2:]
				continue
			}
			if n := bits.TrailingZeros64(w&ascii) / 8; n > 0 {
				p = p[n:]
				continue
			}
		}
		c := p[0]
		if c < 0x80 {
			p = p[1:]
			continue
		}
		s = afterLead(c)
		if s.missing == 0 {
			return s, false
		}
		p = p[1:]
		for s.missing > 0 {
			if len(p) == 0 {
				return s, true
			}
			if p[0] < s.lo || p[0] > s.hi {
				return s, false
			}
			s = utf8State{missing: s.missing - 1, lo: 0x80, hi: 0xbf}
			p = p[1:]
		}
	}
	return utf8State{}, true
}

// afterASCII returns p without the ASCII at its beginning, except for less than 64 bytes
// of it.
func afterASCII(p []byte) []byte {
	for len(p) >= 64 {
		b := p[:64:64]
		w := binary.LittleEndian.Uint64(b) | binary.LittleEndian.Uint64(b[8:]) |
			binary.LittleEndian.Uint64(b[16:]) | binary.LittleEndian.Uint64(b[24:]) |
			binary.LittleEndian.Uint64(b[32:]) | binary.LittleEndian.Uint64(b[40:]) |
			binary.LittleEndian.Uint64(b[48:]) | binary.LittleEndian.Uint64(b[56:])
		if w&ascii != 0 {
			break
		}
		p = p[64:]
	}
	return p
}

// validThree reports whether three bytes of the right form, the lowest of w, are neither
// an overlong form (E0 80..9F) nor a surrogate (ED A0..BF).
func validThree(w uint64) bool {
	first := w & threeFirst
	return first != 0 && first != surrogate
}

// afterLead returns the place after the first byte of a character of several bytes, the
// zero value if no character begins with c.
func afterLead(c byte) utf8State {
	switch {
	case c < 0xc2:
		return utf8State{}
	case c < 0xe0:
		return utf8State{1, 0x80, 0xbf}
	case c == 0xe0:
		return utf8State{2, 0xa0, 0xbf}
	case c == 0xed:
		return utf8State{2, 0x80, 0x9f}
	case c < 0xf0:
		return utf8State{2, 0x80, 0xbf}
	case c == 0xf0:
		return utf8State{3, 0x90, 0xbf}
	case c < 0xf4:
		return utf8State{3, 0x80, 0xbf}
	case c == 0xf4:
		return utf8State{3, 0x80, 0x8f}
	}
	return utf8State{}
}
