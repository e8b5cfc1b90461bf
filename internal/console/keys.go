package console

import "unicode/utf8"

// key is a character that was typed, or one of the keys that send a sequence.
type key rune

const (
	keyUp key = -iota - 1
	keyDown
	keyLeft
	keyRight
	keyPageUp
	keyPageDown
	keyHome
	keyEnd
)

// sequences are what terminals send for those keys, without ESC: in normal and in
// application mode.
var sequences = map[string]key{
	"[A": keyUp, "[B": keyDown, "[C": keyRight, "[D": keyLeft, "[H": keyHome, "[F": keyEnd,
	"OA": keyUp, "OB": keyDown, "OC": keyRight, "OD": keyLeft, "OH": keyHome, "OF": keyEnd,
	"[5~": keyPageUp, "[6~": keyPageDown, "[1~": keyHome, "[4~": keyEnd, "[7~": keyHome, "[8~": keyEnd,
}

const escape = 0x1b

// appendKeys appends the keys in what a terminal sent. Sequences of other keys are none.
func appendKeys(keys []key, b []byte) []key {
	for len(b) > 0 {
		if b[0] == escape && len(b) > 1 && (b[1] == '[' || b[1] == 'O') {
			n := sequence(b[1:])
			if k, ok := sequences[string(b[1:1+n])]; ok {
				keys = append(keys, k)
			}
			b = b[1+n:]
			continue
		}
		r, n := utf8.DecodeRune(b)
		if r != escape {
			keys = append(keys, key(r))
		}
		b = b[n:]
	}
	return keys
}

// sequence is the length of a sequence that begins with [ or O (ECMA-48 §5.4): parameters
// and one byte that ends it.
func sequence(b []byte) int {
	for i := 1; i < len(b); i++ {
		if b[i] >= '@' && b[i] <= '~' {
			return i + 1
		}
	}
	return len(b)
}
