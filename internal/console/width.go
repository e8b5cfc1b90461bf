package console

import (
	"slices"
	"sort"
	"unicode"
	"unicode/utf8"
)

// wide are the ranges of characters that take two columns: East Asian Wide and Fullwidth
// (Unicode Standard Annex 11), without those that are not assigned.
var wide = [][2]rune{
	{0x1100, 0x115f}, {0x231a, 0x231b}, {0x2329, 0x232a}, {0x23e9, 0x23ec}, {0x23f0, 0x23f0}, {0x23f3, 0x23f3},
	{0x25fd, 0x25fe}, {0x2614, 0x2615}, {0x2630, 0x2637}, {0x2648, 0x2653}, {0x267f, 0x267f}, {0x268a, 0x268f},
	{0x2693, 0x2693}, {0x26a1, 0x26a1}, {0x26aa, 0x26ab}, {0x26bd, 0x26be}, {0x26c4, 0x26c5}, {0x26ce, 0x26ce},
	{0x26d4, 0x26d4}, {0x26ea, 0x26ea}, {0x26f2, 0x26f3}, {0x26f5, 0x26f5}, {0x26fa, 0x26fa}, {0x26fd, 0x26fd},
	{0x2705, 0x2705}, {0x270a, 0x270b}, {0x2728, 0x2728}, {0x274c, 0x274c}, {0x274e, 0x274e}, {0x2753, 0x2755},
	{0x2757, 0x2757}, {0x2795, 0x2797}, {0x27b0, 0x27b0}, {0x27bf, 0x27bf}, {0x2b1b, 0x2b1c}, {0x2b50, 0x2b50},
	{0x2b55, 0x2b55}, {0x2e80, 0x303e}, {0x3041, 0x3247}, {0x3250, 0xa4cf}, {0xa960, 0xa97c}, {0xac00, 0xd7a3},
	{0xf900, 0xfaff}, {0xfe10, 0xfe19}, {0xfe30, 0xfe6b}, {0xff01, 0xff60}, {0xffe0, 0xffe6}, {0x16fe0, 0x18dff},
	{0x1aff0, 0x1b2fb}, {0x1d300, 0x1d376}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a},
	{0x1f200, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c}, {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3},
	{0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4}, {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d},
	{0x1f54b, 0x1f54e}, {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f},
	{0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2}, {0x1f6d5, 0x1f6d7}, {0x1f6dc, 0x1f6df}, {0x1f6eb, 0x1f6ec},
	{0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7eb}, {0x1f7f0, 0x1f7f0}, {0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff},
	{0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
}

// runeWidth is how many columns a character takes: 0, 1 or 2.
func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me), 0x1160 <= r && r <= 0x11ff: // marks; vowels and finals of Hangul
		return 0
	}
	i := sort.Search(len(wide), func(i int) bool { return wide[i][1] >= r })
	if i < len(wide) && wide[i][0] <= r {
		return 2
	}
	return 1
}

// textWidth is how many columns clean text takes.
func textWidth[T string | []byte](s T) int {
	width := len(s)
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			width = i
			for _, r := range string(s[i:]) {
				width += runeWidth(r)
			}
			break
		}
	}
	return width
}

// appendClean appends what of s is safe on a terminal and has a width that all terminals
// agree about. Control and format characters, which could move the cursor or turn the
// direction of the text, become question marks; what only joins characters to one sign or
// chooses among signs is dropped.
func appendClean(dst []byte, s string) []byte {
	start := len(dst)
	dst = append(dst, s...)
	for i, b := range dst[start:] {
		if b < ' ' || b >= 0x7f {
			return appendCleanRunes(dst[:start+i], s[i:])
		}
	}
	return dst
}

func appendCleanRunes(dst []byte, s string) []byte {
	for i, r := range s {
		switch {
		case r == utf8.RuneError && s[i] != "\uFFFD"[0], !unicode.IsGraphic(r) && r != joiner:
			dst = append(dst, '?')
		case r == joiner, unicode.Is(unicode.Variation_Selector, r), 0x1f3fb <= r && r <= 0x1f3ff: // and colours of skin
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

const joiner = '\u200d'

func clean(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return string(appendClean(nil, s))
		}
	}
	return s
}

// ellipsis stands for what was cut off.
const ellipsis = ".."

// appendCut appends as much of clean text as fits into limit columns.
func appendCut[T string | []byte](dst []byte, s T, limit int) []byte {
	if len(s) <= limit || textWidth(s) <= limit {
		return append(dst, s...)
	}
	room := max(limit-len(ellipsis), 0)
	for _, r := range string(s) {
		if room -= runeWidth(r); room < 0 {
			break
		}
		dst = utf8.AppendRune(dst, r)
	}
	return append(dst, ellipsis[:min(len(ellipsis), max(limit, 0))]...)
}

// appendSpaces appends n spaces.
func appendSpaces(dst []byte, n int) []byte {
	if n <= 0 {
		return dst
	}
	const blank = "                                                                "
	for dst = slices.Grow(dst, n); n > len(blank); n -= len(blank) {
		dst = append(dst, blank...)
	}
	return append(dst, blank[:n]...)
}
