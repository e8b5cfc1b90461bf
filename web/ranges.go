package web

import (
	"math"
	"strconv"
	"strings"
)

// maxRanges is how many parts of a resource one request may ask for.
const maxRanges = 16

// byteRange is a part of a resource.
type byteRange struct{ Start, Length int64 }

// parseRange reads the value of a Range field for a resource of size bytes (RFC 9110, section
// 14.1.2). Without ranges and satisfiable, the whole resource is to be sent with 200: if
// there is no field, its unit is not bytes, it is malformed, asks for more than 16 parts or
// for more bytes in all than the resource has, which only overlapping parts can do. With
// ranges, they lie within the resource, in the order in which they were asked for: 206. Not
// satisfiable: 416 with the Content-Range "bytes */size".
func parseRange(value string, size int64) (ranges []byteRange, satisfiable bool) {
	unit, list, found := strings.Cut(value, "=")
	if !found || !equalFold(unit, "bytes") || strings.Count(list, ",") > maxRanges*2 {
		return nil, true
	}
	var parts, total int64
	for list != "" {
		var item string
		item, list, _ = strings.Cut(list, ",")
		if item = trim(item); item == "" {
			continue // an empty element of a list counts for nothing
		}
		if parts++; parts > maxRanges {
			return nil, true
		}
		r, ok := parseOneRange(item, size)
		if !ok {
			return nil, true
		}
		if r.Length > 0 {
			ranges = append(ranges, r)
			total += min(r.Length, math.MaxInt64/maxRanges)
		}
	}
	switch {
	case parts == 0:
		return nil, true
	case len(ranges) == 0:
		return nil, false
	case total > size:
		return nil, true
	}
	return ranges, true
}

// parseOneRange reads first-last, first- or -suffix. A part outside the resource has the
// length 0.
func parseOneRange(s string, size int64) (r byteRange, ok bool) {
	first, last, found := strings.Cut(s, "-")
	if !found {
		return r, false
	}
	if first == "" {
		n, ok := parsePosition(last)
		n = min(n, size)
		return byteRange{size - n, n}, ok
	}
	start, ok := parsePosition(first)
	if !ok {
		return r, false
	}
	end := int64(math.MaxInt64)
	if last != "" {
		if end, ok = parsePosition(last); !ok || end < start {
			return r, false
		}
	}
	if start >= size {
		return r, true
	}
	return byteRange{start, min(end, size-1) - start + 1}, true
}

// parsePosition reads digits. What does not fit is beyond every resource.
func parsePosition(s string) (n int64, ok bool) {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
		if n > (math.MaxInt64-9)/10 {
			n = math.MaxInt64
		} else {
			n = n*10 + int64(s[i]-'0')
		}
	}
	return n, s != ""
}

// AppendContentRange appends the value of a Content-Range field, such as "bytes 0-9/100", for
// this part of a resource of size bytes (RFC 9110, section 14.4). The zero Range gives
// "bytes */100".
func (r byteRange) AppendContentRange(dst []byte, size int64) []byte {
	dst = append(dst, "bytes "...)
	if r.Length == 0 {
		dst = append(dst, '*')
	} else {
		dst = append(strconv.AppendInt(dst, r.Start, 10), '-')
		dst = strconv.AppendInt(dst, r.Start+r.Length-1, 10)
	}
	return strconv.AppendInt(append(dst, '/'), size, 10)
}
