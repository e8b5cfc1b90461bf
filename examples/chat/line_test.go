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
		{"Ctrl+C in telnet", "\xff\xf4\xff\xfd\x06", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := clean([]byte(test.in)); got != test.want {
				t.Errorf("clean(%q) = %q, want %q", test.in, got, test.want)
			}
		})
	}
}

// FuzzClean looks for input that leaves a control character.
func FuzzClean(f *testing.F) {
	f.Add([]byte("\x1b\x1b[31m[31m"))
	f.Add([]byte("\x1b]0;\x1b[0m\xff\u009b1m"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, r := range clean(data) {
			if r < ' ' || r >= 0x7f && r < 0xa0 {
				t.Errorf("clean(%q) left %U", data, r)
			}
		}
	})
}

func TestValidName(t *testing.T) {
	for name, want := range map[string]bool{
		"ann": true, "Zoë": true, "李": true, "a_b-1": true, strings.Repeat("é", maxName): true,
		"": false, "a b": false, "/ann": false, "ann:": false, "a\x1b": false, strings.Repeat("é", maxName+1): false,
	} {
		if validName(name) != want {
			t.Errorf("validName(%q) = %v, want %v", name, !want, want)
		}
	}
}

func TestRoomRemembersTheLastLines(t *testing.T) {
	var r room
	for i := range 3 * historySize {
		r.remember(strings.Repeat("x", i))
	}
	if len(r.history) != historySize {
		t.Fatalf("%d lines remembered, want %d", len(r.history), historySize)
	}
	if last := r.history[historySize-1]; !strings.HasSuffix(last, strings.Repeat("x", 3*historySize-1)) {
		t.Errorf("the last line is %q", last)
	}
}
