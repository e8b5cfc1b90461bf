package frame

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"testing"
)

func TestSizeCountsItsOwnHeader(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int
		err  error
	}{
		{"", 0, nil}, {"\x00", 0, nil}, {"\xff\xff\xff", 0, nil}, {"\x00\x00\x00", 0, nil},
		{"\x00\x00\x00\x00", 0, ErrLength}, {"\x00\x00\x00\x03abc", 0, ErrLength},
		{"\x00\x00\x00\x04", 4, nil}, {"\x00\x00\x00\x05a", 5, nil}, {"\x00\x00\x00\x05abc", 5, nil},
		{"\x00\x01\x00\x00", 65536, nil}, {"\x7f\xff\xff\xff", math.MaxInt32, nil},
	} {
		if got, err := Size([]byte(c.in)); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("Size(%q) = %d, %v, want %d, %v", c.in, got, err, c.want, c.err)
		}
	}
}

func TestSizeOfTheLargestLength(t *testing.T) {
	got, err := Size([]byte("\xff\xff\xff\xff"))
	if strconv.IntSize == 32 {
		if err != ErrTooLong {
			t.Errorf("error %v, want %v", err, ErrTooLong)
		}
	} else if uint64(got) != math.MaxUint32 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
}

func TestAppendWritesTheHeader(t *testing.T) {
	got, err := Append([]byte("x"), []byte("abc"))
	if string(got) != "x\x00\x00\x00\x07abc" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	got, err = Append(nil, nil)
	if string(got) != "\x00\x00\x00\x04" || err != nil {
		t.Errorf("empty message: %q, %v", got, err)
	}
}

func TestHeaderOfTooLongMessage(t *testing.T) {
	if strconv.IntSize == 32 {
		t.Skip("no length of 32-bit systems is too long")
	}
	limit := math.MaxUint32 - HeaderSize
	if got, err := AppendHeader(nil, limit); string(got) != "\xff\xff\xff\xff" || err != nil {
		t.Errorf("longest message: %q, %v", got, err)
	}
	limit++
	if got, err := AppendHeader([]byte("x"), limit); string(got) != "x" || err != ErrTooLong {
		t.Errorf("one byte more: %q, %v; want dst as it was and %v", got, err, ErrTooLong)
	}
}

// cut is a receiver that gets step bytes at a time.
func cut(input []byte, step int) (messages [][]byte, rest int, failed bool) {
	var buf []byte
	for len(input) > 0 {
		n := min(step, len(input))
		buf, input = append(buf, input[:n]...), input[n:]
		for {
			size, err := Size(buf)
			if err != nil {
				return messages, 0, true
			}
			if size == 0 || size > len(buf) {
				break
			}
			messages = append(messages, Decode(buf[:size]))
			buf = buf[size:]
		}
	}
	return messages, len(buf), false
}

// cutSimply is the protocol in other words: it counts the body.
func cutSimply(input []byte) (messages [][]byte, rest int, failed bool) {
	for len(input) >= 4 {
		body := int64(input[0])<<24 | int64(input[1])<<16 | int64(input[2])<<8 | int64(input[3]) - 4
		if body < 0 {
			return messages, 0, true
		}
		if body > int64(len(input)-4) {
			break
		}
		messages = append(messages, input[4:4+body])
		input = input[4+body:]
	}
	return messages, len(input), false
}

func FuzzFrame(f *testing.F) {
	for _, s := range []string{"", "\x00\x00\x00\x04", "\x00\x00\x00\x03", "\x00\x00\x00\x06ab\x00\x00\x00\x04\x00", "\xff\xff\xff\xffabc"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		want, wantRest, wantFailed := cutSimply(input)
		for _, step := range []int{1, 3, len(input) + 1} {
			got, rest, failed := cut(input, step)
			if len(got) != len(want) || rest != wantRest || failed != wantFailed {
				t.Fatalf("%q in steps of %d: %q, %d, %v, want %q, %d, %v", input, step, got, rest, failed, want, wantRest, wantFailed)
			}
			for i := range got {
				if !bytes.Equal(got[i], want[i]) {
					t.Fatalf("%q in steps of %d: message %d is %q, want %q", input, step, i, got[i], want[i])
				}
			}
		}
		if size, err := Size(input); size < 0 || err == nil && size > 0 && size < HeaderSize {
			t.Fatalf("size %d", size)
		}
		encoded, err := Append([]byte("x"), input)
		if err != nil {
			t.Fatal(err)
		}
		encoded = encoded[1:]
		if size, err := Size(encoded); size != len(encoded) || err != nil {
			t.Fatalf("size %d, %v of an encoded message of %d", size, err, len(encoded))
		}
		if got := Decode(encoded); !bytes.Equal(got, input) {
			t.Fatalf("%q came back as %q", input, got)
		}
	})
}
