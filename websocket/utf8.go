package websocket

import "encoding/binary"

// utf8State is a place in a UTF-8 text, which may lie inside a character. The zero value
// is the place between two characters.
type utf8State struct {
	missing uint8 // bytes of the character that are still to come
	lo, hi  uint8 // what the first of them may be
}

// complete reports whether the place lies between two characters.
func (s utf8State) complete() bool { return s.missing == 0 }

// Masks for three bytes of the form 1110xxxx 10xxxxxx 10xxxxxx, twice in eight bytes.
const (
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
		// Most text is ASCII, and most that is not has characters of three bytes in a row.
		if len(p) >= 8 {
			w := binary.LittleEndian.Uint64(p)
			if w&ascii == 0 {
				p = p[8:]
				for len(p) >= 16 {
					if (binary.LittleEndian.Uint64(p)|binary.LittleEndian.Uint64(p[8:]))&ascii != 0 {
						break
					}
					p = p[16:]
				}
				continue
			}
			if w&threeMask == threeForm && validThree(w) && validThree(w>>24) {
				p = p[6:]
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
