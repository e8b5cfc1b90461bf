package web

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2024, 5, 6, 12, 0, 0, 500, time.UTC)

func TestPreconditions(t *testing.T) {
	const before, at, after = "Mon, 06 May 2024 11:59:59 GMT", "Mon, 06 May 2024 12:00:00 GMT", "Mon, 06 May 2024 12:00:01 GMT"
	for _, c := range []struct {
		method, fields, etag string
		modified             time.Time
		want                 int
	}{
		{"GET", "", `"a"`, noon, 200},
		{"GET", `If-Match: "a"`, `"a"`, noon, 200},
		{"GET", `If-Match: "b", "a"`, `"a"`, noon, 200},
		{"GET", `If-Match: "b"`, `"a"`, noon, 412},
		{"GET", `If-Match: *`, ``, noon, 200},
		{"GET", `If-Match:`, `"a"`, noon, 412},
		{"GET", `If-Match: a`, `"a"`, noon, 412},
		{"GET", `If-Match: W/"a"`, `W/"a"`, noon, 412},
		{"PUT", `If-Match: "a"`, `W/"a"`, noon, 412},
		{"PUT", "If-Match: \"b\"\r\nIf-Match: \"a\"", `"a"`, noon, 200},
		{"GET", "If-Match: \"a\"\r\nIf-Unmodified-Since: " + before, `"a"`, noon, 200},
		{"GET", "If-Match: \"b\"\r\nIf-Unmodified-Since: " + after, `"a"`, noon, 412},
		{"PUT", "If-Unmodified-Since: " + before, ``, noon, 412},
		{"PUT", "If-Unmodified-Since: " + at, ``, noon, 200},
		{"PUT", "If-Unmodified-Since: " + after, ``, noon, 200},
		{"PUT", "If-Unmodified-Since: " + before, ``, time.Time{}, 200},
		{"PUT", "If-Unmodified-Since: yesterday", ``, noon, 200},
		{"GET", `If-None-Match: "a"`, `"a"`, noon, 304},
		{"HEAD", `If-None-Match: "x,", W/"a"`, `"a"`, noon, 304},
		{"GET", `If-None-Match: "a"`, `W/"a"`, noon, 304},
		{"PUT", `If-None-Match: "a"`, `"a"`, noon, 412},
		{"PUT", `If-None-Match: *`, ``, noon, 412},
		{"GET", `If-None-Match: *`, ``, noon, 304},
		{"GET", `If-None-Match: "b" , "c"`, `"a"`, noon, 200},
		{"GET", `If-None-Match: "b"`, ``, noon, 200},
		{"GET", `If-None-Match: "b, "a`, `"a"`, noon, 200},
		{"GET", "If-None-Match: \"b\"\r\nIf-Modified-Since: " + at, `"a"`, noon, 200},
		{"GET", "If-None-Match: \"a\"\r\nIf-Modified-Since: " + before, `"a"`, noon, 304},
		{"GET", "If-Match: \"a\"\r\nIf-None-Match: \"a\"", `"a"`, noon, 304},
		{"GET", "If-Modified-Since: " + before, ``, noon, 200},
		{"GET", "If-Modified-Since: " + at, ``, noon, 304},
		{"HEAD", "If-Modified-Since: " + after, ``, noon, 304},
		{"POST", "If-Modified-Since: " + at, ``, noon, 200},
		{"GET", "If-Modified-Since: " + at, ``, time.Time{}, 200},
		{"GET", "If-Modified-Since: 0", ``, noon, 200},
	} {
		fields := c.fields
		if fields != "" {
			fields += "\r\n"
		}
		text := c.method + " / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"
		if got := Precondition(parsed(t, nil, text), c.etag, c.modified); got != c.want {
			t.Errorf("%s %q etag %s: %d, want %d", c.method, c.fields, c.etag, got, c.want)
		}
		// net/http reads the first field line only, and is lenient with W/ in If-Match lists.
		if strings.Count(c.fields, "If-Match") > 1 || c.method == "PUT" || c.method == "POST" {
			continue
		}
		if c.fields == "If-Match:" {
			continue // net/http takes the empty field for none
		}
		q, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if c.etag != "" {
			w.Header().Set("Etag", c.etag)
		}
		http.ServeContent(w, q, "x.bin", c.modified, &zeros{size: 10})
		if w.Code != c.want {
			t.Errorf("%s %q etag %s: net/http says %d, want %d", c.method, c.fields, c.etag, w.Code, c.want)
		}
	}
}

func TestIfRange(t *testing.T) {
	for _, c := range []struct {
		method, fields, etag string
		modified             time.Time
		want                 bool
	}{
		{"GET", "", `"a"`, noon, false},
		{"GET", "Range: bytes=0-1", `"a"`, noon, true},
		{"HEAD", "Range: bytes=0-1", `"a"`, noon, false},
		{"GET", "Range: bytes=0-1\r\nIf-Range: \"a\"", `"a"`, noon, true},
		{"GET", "Range: bytes=0-1\r\nIf-Range: \"b\"", `"a"`, noon, false},
		{"GET", "Range: bytes=0-1\r\nIf-Range: \"a\", \"b\"", `"a"`, noon, false},
		{"GET", "Range: bytes=0-1\r\nIf-Range: W/\"a\"", `W/"a"`, noon, false},
		{"GET", "Range: bytes=0-1\r\nIf-Range:", `"a"`, noon, false},
		{"GET", "Range: bytes=0-1\r\nIf-Range: \"", `"`, noon, false},
		{"GET", "Range: bytes=0-1\r\nIf-Range: Mon, 06 May 2024 12:00:00 GMT", `"a"`, noon, true},
		{"GET", "Range: bytes=0-1\r\nIf-Range: Mon, 06 May 2024 12:00:01 GMT", `"a"`, noon, false},
		{"GET", "Range: bytes=0-1\r\nIf-Range: Mon, 06 May 2024 12:00:00 GMT", `"a"`, time.Time{}, false},
	} {
		text := fmt.Sprintf("%s / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", c.method, c.fields)
		if c.fields == "" {
			text = fmt.Sprintf("%s / HTTP/1.1\r\nHost: a\r\n\r\n", c.method)
		}
		if got := rangeApplies(parsed(t, nil, text), c.etag, c.modified); got != c.want {
			t.Errorf("%s %q: %v, want %v", c.method, c.fields, got, c.want)
		}
	}
}
