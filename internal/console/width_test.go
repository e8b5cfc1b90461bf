package console

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestTextWidth(t *testing.T) {
	for text, width := range map[string]int{
		"":                   0,
		"chat":               4,
		"网关":                 4,
		"网关-1":               6,
		"ﾊﾝｶｸ":               4, // halfwidth
		"ＦＵＬＬ":               8,
		"한국어":                6,
		"\u1112\u1161\u11ab": 2, // Hangul in its parts
		"é":                  1,
		"e\u0301":            1, // with a combining mark
		"a\u20dd":            1, // with an enclosing one
		"Zürich":             6,
		"привет":             6,
		"😀":                  2,
		"⌚✅":                 4,
		"→●":                 2,
		"𠀀":                  2,
		"\u3000":             2,
	} {
		if got := textWidth(text); got != width {
			t.Errorf("%q is %d columns wide, not %d", text, got, width)
		}
		if got := textWidth([]byte(text)); got != width {
			t.Errorf("the bytes of %q are %d columns wide, not %d", text, got, width)
		}
	}
}

func TestWideRangesAreInOrder(t *testing.T) {
	before := rune(0)
	for _, r := range wide {
		if r[0] <= before || r[1] < r[0] {
			t.Errorf("%x-%x stands after %x", r[0], r[1], before)
		}
		before = r[1]
	}
}

func TestClean(t *testing.T) {
	for from, to := range map[string]string{
		"plain":                 "plain",
		"网关 gateway":            "网关 gateway",
		"\x1b[2Jgone":           "?[2Jgone",
		"tab\tline\r\n":         "tab?line??",
		"del\x7f":               "del?",
		"\u009b31mC1":           "?31mC1",
		"\xff\xfe":              "??",
		"real \ufffd":           "real \ufffd",
		"\u202eturned\u2066":    "?turned?",
		"\u2028line":            "?line",
		"👨\u200d👩\u200d👧":       "👨👩👧",
		"❤\ufe0f":               "❤",
		"👍\U0001f3fd":           "👍",
		"e\u0301":               "e\u0301",
		"\U000f0000private use": "?private use",
	} {
		if got := clean(from); got != to {
			t.Errorf("clean(%q) = %q, want %q", from, got, to)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"worker", 6, "worker"}, {"worker", 5, "wor.."}, {"worker", 2, ".."}, {"worker", 1, "."}, {"worker", 0, ""},
		{"网关网关", 8, "网关网关"}, {"网关网关", 7, "网关.."}, {"网关网关", 5, "网.."}, {"e\u0301e\u0301e\u0301e\u0301", 4, "e\u0301e\u0301e\u0301e\u0301"},
		{"e\u0301e\u0301e\u0301e\u0301", 3, "e\u0301.."},
	} {
		if got := string(appendCut(nil, c.text, c.limit)); got != c.want {
			t.Errorf("%q cut to %d is %q, not %q", c.text, c.limit, got, c.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("网关\x1b[31m\u202e\xff👨\u200d👩", 5)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		text := clean(s)
		if string(appendClean(nil, s)) != text {
			t.Errorf("%q: two ways to clean it", s)
		}
		requireHarmless(t, text)
		if clean(text) != text {
			t.Errorf("%q becomes %q and then %q", s, text, clean(text))
		}
		limit = max(0, limit%200)
		short := string(appendCut(nil, text, limit))
		if textWidth(short) > limit {
			t.Errorf("%q cut to %d is %d wide", text, limit, textWidth(short))
		}
		if textWidth(text) <= limit && short != text {
			t.Errorf("%q fits into %d and became %q", text, limit, short)
		}
	})
}

// requireHarmless fails for text that does more to a terminal than appear on it.
func requireHarmless(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%q is no UTF-8", text)
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) && r != '\n' }); i >= 0 {
		t.Errorf("%q contains %q", text, text[i:min(len(text), i+4)])
	}
}
