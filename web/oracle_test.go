package web

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// oracle checks a request that we have accepted against net/http's reading of the same
// bytes, and of those only. What differs by intention is commented.
func oracle(t *testing.T, text []byte, r *Request) {
	t.Helper()
	// net/http knows no empty lines before the request line.
	for bytes.HasPrefix(text, []byte("\r\n")) {
		text = text[2:]
	}
	br := bufio.NewReaderSize(bytes.NewReader(text), 64<<10) // its trailer must fit in
	q, err := http.ReadRequest(br)
	if err != nil && strings.Contains(err.Error(), "bad trailer key") {
		// We do not read the announcement Trailer; a forbidden trailer itself is refused.
		return
	}
	if err != nil {
		t.Fatalf("%q: net/http refuses it: %v", text, err)
	}
	body, err := io.ReadAll(q.Body)
	if err != nil {
		t.Fatalf("%q: net/http refuses the body: %v", text, err)
	}
	if rest, _ := io.ReadAll(br); len(rest) > 0 {
		t.Fatalf("%q: net/http sees %q behind it", text, rest)
	}
	if !bytes.Equal(body, r.Body()) {
		t.Fatalf("%q: body %q, want %q", text, r.Body(), body)
	}
	path, host := q.URL.Path, q.Host
	if path == "" && q.URL.Host != "" && q.Method != "CONNECT" {
		// We say what an empty path of an absolute target means.
		path = map[bool]string{true: "*", false: "/"}[q.Method == "OPTIONS"]
	}
	// net/http keeps HTTP/1.2 as it is.
	version := map[bool]string{true: "HTTP/1.0", false: "HTTP/1.1"}[q.Proto == "HTTP/1.0"]
	if r.Method() != q.Method || r.Target() != q.RequestURI || r.Protocol() != version || r.Host() != host ||
		r.Path() != path || r.RawQuery() != q.URL.RawQuery || r.KeepAlive() == q.Close {
		t.Fatalf("%q: %s want %q %q %q %q %q %q %v", text, describeHead(r), q.Method, q.RequestURI, version, host, path, q.URL.RawQuery, !q.Close)
	}
	want := q.Header
	got := http.Header{}
	for name, value := range r.Headers() {
		got.Add(name, value)
	}
	if r.Header("host") != "" && len(got["Host"]) != 1 {
		t.Fatalf("%q: hosts %q", text, got["Host"])
	}
	// net/http takes these fields out of the header, or makes one out of another.
	chunked := len(got["Transfer-Encoding"]) > 0
	if chunked {
		got.Del("Transfer-Encoding")
		got.Del("Trailer")
	}
	want.Del("Host")
	got.Del("Host")
	if _, own := got["Cache-Control"]; !own && got.Get("Pragma") == "no-cache" {
		want.Del("Cache-Control")
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Fatalf("%q: headers %q, want %q", text, got, want)
	}
	got = http.Header{}
	for name, value := range r.Trailers() {
		got.Add(name, value)
	}
	// Announced trailers that have not come are nil there.
	maps.DeleteFunc(q.Trailer, func(_ string, v []string) bool { return v == nil })
	if !maps.EqualFunc(got, q.Trailer, slices.Equal) {
		t.Fatalf("%q: trailers %q, want %q", text, got, q.Trailer)
	}
	// What the accessors make of it.
	form, _ := url.ParseQuery(q.URL.RawQuery)
	for name := range form {
		if got := r.Query(name); got != form.Get(name) && clean(q.URL.RawQuery) {
			t.Fatalf("%q: query %q is %q, want %q", text, name, got, form.Get(name))
		}
	}
	for name, value := range r.QueryAll() {
		if r.Query(name) != value && !strings.Contains(q.URL.RawQuery, "&") {
			t.Fatalf("%q: query %q is %q, then %q", text, name, value, r.Query(name))
		}
	}
}

// clean reports whether net/url drops nothing of a query: it drops pairs with semicolons
// and with bad escapes, which we keep.
func clean(query string) bool {
	return !strings.Contains(query, ";") && validEscapes(query)
}

func FuzzRequest(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"\r\nGET /a%20b;c?x=%20+&y&=z;&%zz HTTP/1.1\r\nHost: a:80\r\nPragma: no-cache\r\n\r\nrest",
		"POST http://[::1]:80/x HTTP/1.0\r\nHost: a\r\nConnection: x, keep-alive\r\nContent-Length: 05\r\n\r\nabcdeX",
		"OPTIONS * HTTP/1.1\r\nHost: a\r\nconnection: CLOSE\r\n\r\n",
		"OPTIONS https://a?b HTTP/1.3\r\nHost: a\r\nCookie: a=b; c=\"%20\"\r\n\r\n",
		"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
		"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n1;x=\"\t\"\r\na\r\n0a\r\n0123456789\r\n0\r\nt: 1\r\nT: 2\r\n\r\nGET",
		"GET / HTTP/1.1\r\nHost: a\r\nX: \t a\xff \t\r\nx:\r\nExpect: 100-continue\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for _, o := range []*Options{{AnyMethod: true}, {MaxRequestLine: 40, MaxHeader: 60, MaxBody: 5, MaxChunkExtensions: 3, MaxTrailer: 10, MaxFields: 2}} {
			agree(t, o, in, 2, 5, 16)
			p := Parser{Options: o}
			var r Request
			for buf := []byte(in); ; {
				used, step, err := p.Parse(&r, buf)
				if err != nil || step != GotRequest {
					break
				}
				oracle(t, buf[:used], &r)
				c := r.Clone()
				if describeHead(c) != describeHead(&r) || describeTrailers(c) != describeTrailers(&r) || !bytes.Equal(c.Body(), r.Body()) {
					t.Fatalf("%q: the clone differs", in)
				}
				for range r.Cookies() {
				}
				buf = buf[used:]
			}
		}
	})
}

// FuzzResponse checks that net/http reads from an answer what was put into it.
func FuzzResponse(f *testing.F) {
	f.Add(200, "X-A", "b", "c", "v w", "body", uint8(0))
	f.Add(404, "content-type", "a/b", "sid", "\r\nX: y", "", uint8(1))
	f.Add(204, "X-A\r\n", "b\x00", "", "é;,", "body", uint8(2))
	f.Add(304, "Connection", "upgrade, close", "c", "", "body", uint8(7))
	f.Add(599, "Transfer-Encoding", "chunked", "a=b", "", "body", uint8(15))
	f.Add(206, "Date", "x", "n", "a%b", "line\r\nline", uint8(28))
	f.Fuzz(func(t *testing.T, code int, name, value, cookie, content, body string, bits uint8) {
		r := &Response{Status: code, Close: bits&1 != 0, Stream: bits&2 != 0}
		r.SetText(body).Add(name, value).AddCookie(Cookie{Name: cookie, Value: content, Path: value})
		head := []string{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
			"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}[bits>>2%5]
		var req Request
		p := Parser{Options: &Options{Server: "s"}}
		if _, step, err := p.Parse(&req, []byte(head)); step != GotRequest || err != nil {
			t.Fatal(step, err)
		}
		out := r.Append([]byte("x"), req.Exchange(), []byte("Sun, 06 Nov 1994 08:49:37 GMT"))[1:]
		want := body
		if r.Stream && r.Chunked(req.Exchange()) {
			out = AppendChunk(out, value)
			out = AppendLastChunk(out, Field{"X-T", value}, Field{name, value})
			want += value
		}
		if !r.HasBody(req.Exchange()) {
			want = ""
		}
		br := bufio.NewReaderSize(bytes.NewReader(out), max(4096, len(out))) // its trailer must fit in
		q, err := http.ReadResponse(br, &http.Request{Method: req.Method()})
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		got, err := io.ReadAll(q.Body)
		if err != nil || string(got) != want {
			t.Fatalf("%q: body %q, %v, want %q", out, got, err, want)
		}
		if rest, _ := io.ReadAll(br); len(rest) > 0 {
			t.Fatalf("%q: %q is left", out, rest)
		}
		if q.StatusCode != r.code() {
			t.Fatalf("%q: status %d, want %d", out, q.StatusCode, r.code())
		}
		if r.code() >= 200 && q.Close == r.KeepAlive(req.Exchange()) {
			t.Fatalf("%q: close %v, want %v", out, q.Close, !r.KeepAlive(req.Exchange()))
		}
		known := map[string]bool{"Set-Cookie": true, "Date": true, "Server": true, "Content-Length": true, "Connection": true, http.CanonicalHeaderKey(name): true, "Cache-Control": true}
		for k := range q.Header {
			if !known[k] {
				t.Fatalf("%q: header %q", out, k)
			}
		}
		if r.Err() == nil && r.code() >= 200 {
			switch canon := http.CanonicalHeaderKey(name); canon {
			case "Set-Cookie", "Connection", "Trailer", "Content-Type", "Date", "Server":
			default:
				if q.Header.Get(canon) != trim(value) {
					t.Fatalf("%q: %q is %q, want %q", out, canon, q.Header.Get(canon), value)
				}
			}
			if c := q.Cookies(); len(c) == 0 || c[len(c)-1].Name != cookie || string(unescape(c[len(c)-1].Value, false)) != content {
				t.Fatalf("%q: cookies %v, want %q %q", out, c, cookie, content)
			}
		}
	})
}
