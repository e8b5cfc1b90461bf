package text

import (
	"bytes"
	"strings"
	"testing"
)

func TestSizeIsUpToAndWithTheFirstLineFeed(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int
	}{
		{"", 0}, {"a", 0}, {"a\r", 0}, {"\n", 1}, {"\r\n", 2}, {"a\n", 2}, {"ab\r\ncd\n", 4},
		{"\n\n", 1}, {"\x00\n", 2}, {strings.Repeat("x", 5000) + "\n", 5001},
	} {
		for scanned := 0; scanned <= len(c.in); scanned++ {
			if strings.Contains(c.in[:scanned], "\n") {
				break
			}
			if got := Size([]byte(c.in), scanned); got != c.want {
				t.Errorf("Size(%.20q, %d) = %d, want %d", c.in, scanned, got, c.want)
			}
		}
	}
}

func TestDecodeStripsAllLineEndsAtTheEnd(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"\n", ""}, {"\r\n", ""}, {"\r\r\n", ""}, {"", ""}, {"a\n", "a"}, {"a\r\n", "a"}, {"a\r\r\n", "a"},
		{"a\rb\n", "a\rb"}, {"\ra\n", "\ra"}, {" a \n", " a "}, {"a\n\r\n\r\n", "a"},
	} {
		if got := Decode([]byte(c.in)); string(got) != c.want {
			t.Errorf("Decode(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	got := Append(Append([]byte("x"), []byte("ab")), nil)
	if string(got) != "xab\n\n" {
		t.Errorf("got %q", got)
	}
}

func TestDecodeDoesNotCopy(t *testing.T) {
	frame := []byte("ab\r\n")
	if got := Decode(frame); &got[0] != &frame[0] {
		t.Error("the message does not lie in the frame")
	}
}

// cut is a receiver that gets step bytes at a time.
func cut(input []byte, step int) (messages []string, rest string) {
	var buf []byte
	scanned := 0
	for len(input) > 0 {
		n := min(step, len(input))
		buf, input = append(buf, input[:n]...), input[n:]
		for {
			size := Size(buf, scanned)
			if size == 0 {
				scanned = len(buf)
				break
			}
			messages = append(messages, string(Decode(buf[:size])))
			buf, scanned = buf[size:], 0
		}
	}
	return messages, string(buf)
}

// cutSimply is the protocol in other words.
func cutSimply(input []byte) (messages []string, rest string) {
	lines := strings.Split(string(input), "\n")
	last := len(lines) - 1
	for _, line := range lines[:last] {
		messages = append(messages, strings.TrimRight(line, "\r"))
	}
	return messages, lines[last]
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "\n", "a\r\nb\n", "\r\r\n\n\r", "no end", "a\rb\n\x00\xff\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		want, wantRest := cutSimply(input)
		for _, step := range []int{1, 3, len(input) + 1} {
			got, rest := cut(input, step)
			if strings.Join(got, "|\n") != strings.Join(want, "|\n") || len(got) != len(want) || rest != wantRest {
				t.Fatalf("%q in steps of %d: %q and %q, want %q and %q", input, step, got, rest, want, wantRest)
			}
		}
		if size := Size(input, 0); size < 0 || size > len(input) {
			t.Fatalf("size %d of %d bytes", size, len(input))
		}
		if bytes.IndexByte(input, '\n') >= 0 {
			return // the sender's mistake: two messages
		}
		frame := Append(nil, input)
		if size := Size(frame, 0); size != len(frame) {
			t.Fatalf("size %d of an encoded message of %d", size, len(frame))
		}
		if got := Decode(frame); !bytes.Equal(got, bytes.TrimRight(input, "\r")) {
			t.Fatalf("%q came back as %q", input, got)
		}
	})
}
