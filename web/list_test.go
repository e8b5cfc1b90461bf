package web

import (
	"strings"
	"testing"
)

func TestHeaderList(t *testing.T) {
	const head = "GET / HTTP/1.1\r\nHost: a\r\nX: one, two\r\nY:\r\nx: three\r\nEmpty:\r\nX:\r\nX: five\r\nEmpty:\r\n\r\n"
	var r Request
	buf := []byte(head)
	if _, step, err := new(Parser).Parse(&r, buf); step != GotRequest || err != nil {
		t.Fatal(step, err)
	}
	for name, want := range map[string]string{
		"X": "one, two, three, , five", "y": "", "Empty": ", ", "none": "", "HOST": "a",
	} {
		if got := r.HeaderList(name); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
	if string(buf) != head {
		t.Errorf("the head was changed: %q", buf)
	}
	if n := testing.AllocsPerRun(100, func() {
		if strings.Contains(r.HeaderList("Host"), "b") || r.HeaderList("Y") == "x" {
			t.Fail()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
