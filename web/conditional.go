package web

import (
	"strings"
	"time"
)

// Precondition says what the conditional fields of r make of a resource with the entity tag
// etag and the modification time modified: 200 to go on, 304 for not modified, 412 for a
// failed precondition (RFC 9110, section 13.2.2, steps 1 to 4). etag has its quotes, and
// W/ before them if it is weak; it is empty and modified is zero if there is none.
func Precondition(r *Request, etag string, modified time.Time) int {
	read := r.method == "GET" || r.method == "HEAD"
	if r.has("If-Match") {
		if !r.matches("If-Match", etag, strongMatch) {
			return 412
		}
	} else if t, ok := r.date("If-Unmodified-Since"); ok && !modified.IsZero() && seconds(modified) > t {
		return 412
	}
	if r.has("If-None-Match") {
		switch {
		case !r.matches("If-None-Match", etag, weakMatch):
		case read:
			return 304
		default:
			return 412
		}
	} else if t, ok := r.date("If-Modified-Since"); ok && read && !modified.IsZero() && seconds(modified) <= t {
		return 304
	}
	return 200
}

// rangeApplies reports whether the Range field of r is to be followed: step 5 of RFC 9110,
// section 13.2.2, to be asked when Precondition has said 200. If-Range demands the very same
// resource: a strong entity tag, or the exact time.
func rangeApplies(r *Request, etag string, modified time.Time) bool {
	if r.method != "GET" || !r.has("Range") {
		return false
	}
	if !r.has("If-Range") {
		return true
	}
	value := r.Header("If-Range")
	if strings.HasPrefix(value, `"`) || strings.HasPrefix(value, "W/") {
		tag, rest := cutTag(value)
		return rest == "" && strongMatch(tag, etag)
	}
	t, ok := r.date("If-Range")
	return ok && !modified.IsZero() && seconds(modified) == t
}

// isCondition reports whether a field of that name matters to what Precondition and
// rangeApplies say.
func isCondition(name []byte) bool {
	return len(name) > 3 && name[2] == '-' && equalFold(name[:3], "if-") || len(name) == 5 && equalFold(name, "range")
}

// conditions is a request with a copy of the fields of r that Precondition and rangeApplies
// look at, nil if there are none or r does not ask for a resource.
func (r *Request) conditions() *Request {
	if r.method != "GET" && r.method != "HEAD" || len(r.fields) == 0 {
		return nil
	}
	c := &Request{method: r.method}
	keep := func(s span) span {
		start := uint32(len(c.head))
		c.head = append(c.head, r.view(s)...)
		return span{start, uint32(len(c.head))}
	}
	for _, f := range r.fields {
		if isCondition(r.view(f.name)) {
			c.fields = append(c.fields, field{keep(f.name), keep(f.value)})
		}
	}
	return c
}

func (r *Request) date(name string) (unix int64, ok bool) {
	v := r.Header(name)
	if v == "" {
		return 0, false
	}
	t, ok := parseDate(v)
	return seconds(t), ok
}

// seconds are what an HTTP date can express of t.
func seconds(t time.Time) int64 { return t.Unix() }

// matches reports whether a list of entity tags, which may span several fields, has one
// like etag. The star stands for any, as the resource exists.
func (r *Request) matches(name, etag string, same func(a, b string) bool) bool {
	for list := range r.HeaderValues(name) {
		if list == "*" {
			return true
		}
		for list != "" {
			if list[0] == ' ' || list[0] == '\t' || list[0] == ',' {
				list = list[1:]
				continue
			}
			var tag string
			if tag, list = cutTag(list); tag == "" {
				break // what follows a malformed tag is not understood
			}
			if same(tag, etag) {
				return true
			}
		}
	}
	return false
}

// cutTag cuts the entity tag from the beginning of s (RFC 9110, section 8.8.3). It may
// contain commas. tag is empty if there is none.
func cutTag(s string) (tag, rest string) {
	start := 0
	if strings.HasPrefix(s, "W/") {
		start = 2
	}
	if len(s) <= start || s[start] != '"' {
		return "", s
	}
	for i := start + 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return s[:i+1], s[i+1:]
		case c < 0x21 || c == 0x7f:
			return "", s
		}
	}
	return "", s
}

func strongMatch(a, b string) bool { return a == b && a != "" && a[0] == '"' }

func weakMatch(a, b string) bool {
	a, b = strings.TrimPrefix(a, "W/"), strings.TrimPrefix(b, "W/")
	return a == b && a != ""
}
