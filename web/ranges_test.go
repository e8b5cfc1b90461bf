package web

import (
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestRanges(t *testing.T) {
	many := "bytes=" + strings.Repeat("0-0,", 16)
	for _, c := range []struct {
		value string
		size  int64
		want  []byteRange
		ok    bool
	}{
		{"", 10, nil, true}, {"bytes", 10, nil, true}, {"bytes=", 10, nil, true}, {"bytes=,", 10, nil, true}, {"items=0-1", 10, nil, true},
		{"bytes=0-0", 10, []byteRange{{0, 1}}, true}, {"Bytes=0-4", 10, []byteRange{{0, 5}}, true}, {"bytes=5-", 10, []byteRange{{5, 5}}, true},
		{"bytes=9-100", 10, []byteRange{{9, 1}}, true}, {"bytes=-3", 10, []byteRange{{7, 3}}, true}, {"bytes=-30", 10, []byteRange{{0, 10}}, true},
		{"bytes=0-99999999999999999999999", 10, []byteRange{{0, 10}}, true}, {"bytes=-99999999999999999999999", 10, []byteRange{{0, 10}}, true},
		{"bytes=10-", 10, nil, false}, {"bytes=99999999999999999999999-", 10, nil, false}, {"bytes=-0", 10, nil, false}, {"bytes=0-", 0, nil, false}, {"bytes=-1", 0, nil, false},
		{"bytes=99999999999999999999998-99999999999999999999999", math.MaxInt64, nil, false},
		{"bytes=0-0,-1", 10, []byteRange{{0, 1}, {9, 1}}, true}, {"bytes= 5-6 ,, 1-2\t", 10, []byteRange{{5, 2}, {1, 2}}, true},
		{"bytes=0-0,20-30", 10, []byteRange{{0, 1}}, true}, {"bytes=20-30,40-", 10, nil, false},
		{"bytes=5-4", 10, nil, true}, {"bytes=20-19,0-1", 10, nil, true}, {"bytes=a-b", 10, nil, true}, {"bytes=-", 10, nil, true}, {"bytes=1", 10, nil, true}, {"bytes=--1", 10, nil, true},
		{"bytes=+1-2", 10, nil, true}, {"bytes=1-2-3", 10, nil, true}, {"bytes=1 -2", 10, nil, true}, {"bytes=0-1,x", 10, nil, true}, {"bytes =0-1", 10, nil, true},
		{"bytes=0-,0-", 10, nil, true}, {"bytes=0-5,4-9", 10, nil, true}, {"bytes=0-0,0-0", 10, []byteRange{{0, 1}, {0, 1}}, true},
		{many, 100, slices.Repeat([]byteRange{{0, 1}}, 16), true}, {many + "1-1", 100, nil, true}, {"bytes=" + strings.Repeat(",", 99) + "0-1", 10, nil, true},
	} {
		got, ok := parseRange(c.value, c.size)
		if !slices.Equal(got, c.want) || ok != c.ok {
			t.Errorf("%q of %d: %v, %v, want %v, %v", c.value, c.size, got, ok, c.want, c.ok)
		}
	}
	if got := string(byteRange{5, 5}.AppendContentRange(nil, 10)) + string(byteRange{}.AppendContentRange(nil, 10)); got != "bytes 5-9/10bytes */10" {
		t.Error(got)
	}
}

// zeros is a file of a size.
type zeros struct{ size, at int64 }

func (z *zeros) Read(p []byte) (int, error) {
	n := min(int64(len(p)), z.size-z.at)
	z.at += n
	return int(n), nil
}

func (z *zeros) Seek(offset int64, whence int) (int64, error) {
	z.at = []int64{0, z.at, z.size}[whence] + offset
	return z.at, nil
}

func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-1", "bytes=-5", "bytes=5-", "bytes=0-0,-1", "bytes=1-2, 3-4 ,9-", "bytes=18446744073709551616-", "bytes=100-", "x=1"} {
		f.Add(s, int64(100))
	}
	f.Fuzz(func(t *testing.T, value string, size int64) {
		if size < 0 {
			return
		}
		ranges, ok := parseRange(value, size)
		total := int64(0)
		for _, r := range ranges {
			if r.Start < 0 || r.Length <= 0 || r.Start > size-r.Length {
				t.Fatalf("%q of %d: %v", value, size, r)
			}
			total += r.Length
		}
		if len(ranges) > maxRanges || total > size || total < 0 || len(ranges) > 0 && !ok {
			t.Fatalf("%q of %d: %v, %v", value, size, ranges, ok)
		}
		if (len(ranges) > 0 || !ok) && !grammar.MatchString(value) {
			t.Fatalf("%q of %d: %v, %v, but it is malformed", value, size, ranges, ok)
		}
		// net/http would send it all; it sends an empty file with 200; and it has no limit
		// of our kind.
		if size > 1000 || size == 0 || !alike.MatchString(value) || strings.Count(value, ",") >= maxRanges {
			return
		}
		w := httptest.NewRecorder()
		http.ServeContent(w, &http.Request{Method: "GET", Header: http.Header{"Range": {value}}}, "x.bin", time.Time{}, &zeros{size: size})
		switch {
		case !ok:
			if w.Code != 416 {
				t.Fatalf("%q of %d: 416, net/http: %d", value, size, w.Code)
			}
		case len(ranges) == 0:
			// A malformed field is none to us; net/http refuses it, but does not see that
			// a range runs backwards if it begins behind the end.
			if w.Code == 206 && !backwards(value) {
				t.Fatalf("%q of %d: nothing, net/http: %d %q", value, size, w.Code, w.Header())
			}
		case len(ranges) == 1:
			// Of 0-0,200- net/http too makes a single part.
			want := string(ranges[0].AppendContentRange(nil, size))
			if w.Code != 206 || w.Header().Get("Content-Range") != want {
				t.Fatalf("%q of %d: %v, net/http: %d %q", value, size, ranges, w.Code, w.Header().Get("Content-Range"))
			}
		case w.Code != 206:
			t.Fatalf("%q of %d: %v, net/http: %d", value, size, ranges, w.Code)
		}
	})
}

// backwards reports whether a range of the list ends before it begins.
func backwards(value string) bool {
	for _, m := range regexp.MustCompile(`(\d+)-(\d+)`).FindAllStringSubmatch(value, -1) {
		first, _ := strconv.ParseInt(m[1], 10, 64)
		last, _ := strconv.ParseInt(m[2], 10, 64)
		if last < first {
			return true
		}
	}
	return false
}

// grammar is the field of RFC 9110, section 14.2, with empty elements of the list.
var grammar = regexp.MustCompile(`^(?i:bytes)=([ \t]*(\d+-\d*|-\d+)?[ \t]*(,|$))*$`)

// alike are the values that net/http reads as we do: it knows the unit in lower case only,
// refuses numbers beyond 63 bits, which we take for beyond the end, and makes an empty part
// of a suffix of no bytes, which can satisfy nobody. Outside the grammar it is lenient: it
// accepts spaces within a range and signs.
var alike = regexp.MustCompile(`^bytes=([ \t]*(\d{1,18}-(\d{1,18})?|-0*[1-9]\d{0,17})?[ \t]*(,|$))*$`)
