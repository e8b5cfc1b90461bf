package main

import (
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain", "hello there", "hello there"},
		{"space around", " \thello\t ", "hello"},
		{"tab inside", "a\tb", "a b"},
		{"other scripts", "Grüße, 你好, שלום", "Grüße, 你好, שלום"},
		{"joined emoji", "👩\u200d🚀", "👩\u200d🚀"},
		{"color", "\x1b[31;1mred\x1b[0m", "red"},
		{"clear the screen", "\x1b[2J\x1b[Hgone", "gone"},
		{"window title", "a\x1b]0;owned\x07b", "ab"},
		{"window title, other end", "a\x1b]0;owned\x1b\\b", "ab"},
		{"character set", "\x1b(0lines", "lines"},
		{"lone escape", "a\x1b", "a"},
		{"escape hidden in bad UTF-8", "a\x1b\xff[31mb", "ab"},
		{"bell and backspace", "a\a\b\x00\x7fb", "ab"},
		{"C1 control", "a\u009bb", "ab"},
		{"carriage return", "fake\rreal", "fakereal"},
		{"line separator", "a\u2028b", "ab"},
		{"right to left override", "a\u202eb", "ab"},
		{"bad UTF-8", "a\xff\xfe\xc3b", "ab"},
		{"several lines", "\na\n  b\r\n", "a\n  b"},
		{"too many empty lines", "a\n \n\n\n\nb", "a\n\nb"},
		{"joiner of Persian", "می\u200cخواهم", "می\u200cخواهم"},
		{"nothing visible", " \u200d\u200b\u00a0 ", ""},
		{"Ctrl+C in telnet", "\xff\xf4\xff\xfd\x06", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := clean(test.in); got != test.want {
				t.Errorf("clean(%q) = %q, want %q", test.in, got, test.want)
			}
		})
	}
}

// FuzzClean looks for input that leaves a control character.
func FuzzClean(f *testing.F) {
	f.Add("\x1b\x1b[31m[31m")
	f.Add("\x1b]0;\x1b[0m\xff\u009b1m")
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range clean(text) {
			if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 {
				t.Errorf("clean(%q) left %U", text, r)
			}
		}
	})
}

func TestValidName(t *testing.T) {
	for name, want := range map[string]bool{
		"ann": true, "Zoë": true, "李": true, "a_b-1": true, "नमिता": true, strings.Repeat("é", maxName): true,
		"": false, "a b": false, "/ann": false, "ann:": false, "\u0301a": false, "a\x1b": false, strings.Repeat("é", maxName+1): false,
	} {
		if validName(name) != want {
			t.Errorf("validName(%q) = %v, want %v", name, !want, want)
		}
	}
}

func TestValidMark(t *testing.T) {
	for mark, want := range map[string]bool{
		"aZ09-_": true, "abcd": true, "abcdefgh": true,
		"abc": false, "abcdefghi": false, "abc d": false, "abcé": false, "abc\n": false,
	} {
		if validMark(mark, 4, 8) != want {
			t.Errorf("validMark(%q) = %v, want %v", mark, !want, want)
		}
	}
}
