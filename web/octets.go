package web

import "encoding/binary"

// tokenBytes are the bytes of a token (RFC 9110, section 5.6.2).
var tokenBytes = func() (t [256]bool) {
	for c := range t {
		t[c] = isAlnum(byte(c))
	}
	for _, c := range []byte("!#$%&'*+-.^_`|~") {
		t[c] = true
	}
	return t
}()

func isDigit(c byte) bool { return c-'0' < 10 }

func isAlnum(c byte) bool { return c-'0' < 10 || (c|0x20)-'a' < 26 }

func isToken[T []byte | string](s T) bool {
	for i := range len(s) {
		if !tokenBytes[s[i]] {
			return false
		}
	}
	return len(s) > 0
}

func lower(c byte) byte {
	if c-'A' < 26 {
		return c | 0x20
	}
	return c
}

// equalFold compares without regard to the case of ASCII letters, and of those only: the
// Kelvin sign is not a k in a protocol.
func equalFold[A, B []byte | string](a A, b B) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

const (
	eachByte = 0x0101010101010101
	highBits = 0x8080808080808080
)

// Each flags the bytes of a word that are below n (up to 128), or equal to c. What they
// flag wrongly lies above a byte flagged rightly, so that zero is exact.
func below(w, n uint64) uint64   { return (w - eachByte*n) &^ w & highBits }
func equalTo(w, c uint64) uint64 { x := w ^ eachByte*c; return (x - eachByte) &^ x & highBits }

// validValue reports whether b may stand in a field value (RFC 9110, section 5.5): no
// control characters except the tab. Bytes beyond ASCII are allowed. Eight bytes are
// looked at in one step, as values are most of a head.
func validValue(b []byte) bool {
	for len(b) >= 8 {
		w := binary.LittleEndian.Uint64(b)
		if below(w, 0x20)|equalTo(w, 0x7f) != 0 && !validBytes(b[:8]) {
			return false
		}
		b = b[8:]
	}
	return validBytes(b)
}

func validBytes[T []byte | string](b T) bool {
	for i := range len(b) {
		if c := b[i]; c < 0x20 && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// validTarget reports whether b has no byte that ends or splits a request target: no
// spaces, no control characters and no fragment. Bytes beyond ASCII are allowed, as
// browsers and users send them.
func validTarget(b []byte) bool {
	for len(b) >= 8 {
		w := binary.LittleEndian.Uint64(b)
		if below(w, 0x21)|equalTo(w, 0x7f)|equalTo(w, '#') != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c <= 0x20 || c == 0x7f || c == '#' {
			return false
		}
	}
	return true
}

// trim removes spaces and tabs at both ends.
func trim[T []byte | string](s T) T {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// hexDigit is the value of a hexadecimal digit, 16 or more if c is none.
func hexDigit(c byte) byte {
	switch {
	case c-'0' < 10:
		return c - '0'
	case (c|0x20)-'a' < 6:
		return (c | 0x20) - 'a' + 10
	}
	return 16
}
