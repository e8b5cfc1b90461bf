package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// parsed is the only request in input.
func parsed(t testing.TB, o *Options, input string) *Request {
	t.Helper()
	p := Parser{Options: o}
	r := new(Request)
	if used, step, err := p.Parse(r, []byte(input)); used != len(input) || step != GotRequest || err != nil {
		t.Fatalf("%q: %d, %v, %v", input, used, step, err)
	}
	return r
}

func TestHeaders(t *testing.T) {
	r := parsed(t, nil, "GET / HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nx-two: a\r\nX-TWO: b\r\nEmpty:\r\ncontent-TYPE: Text/HTML ; charset=x\r\n\r\n")
	for name, want := range map[string]string{"x-one": "1", "X-Two": "a", "X-Three": "", "": "", "X_One": "", "EMPTY": "", "host": "a"} {
		if got := r.Header(name); got != want {
			t.Errorf("Header(%q) = %q, want %q", name, got, want)
		}
	}
	if got := slices.Collect(r.HeaderValues("x-Two")); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("values %q", got)
	}
	for range r.HeaderValues("x-two") {
		break
	}
	for range r.Headers() {
		break
	}
	if !r.has("Empty") || r.has("None") || r.ContentType() != "text/html" {
		t.Errorf("%v, %v, %q", r.has("Empty"), r.has("None"), r.ContentType())
	}
}

func TestQueryAndForm(t *testing.T) {
	const pairs = "a=1&b=x+y&a=2&%63=%26%3D&d&=e&&f=%zz%4&g=h=i&j;k=l&m%2=n&c+d=%C3%A4"
	r := parsed(t, nil, "POST /p?"+pairs+" HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"+
		fmt.Sprintf("Content-Length: %d\r\n\r\n", len(pairs))+pairs)
	for name, want := range map[string]string{"a": "1", "b": "x y", "c": "&=", "%63": "", "d": "", "": "e", "f": "%zz%4", "g": "h=i", "j;k": "l", "m%2": "n", "c d": "ä", "none": ""} {
		if got := r.Query(name); got != want {
			t.Errorf("Query(%q) = %q, want %q", name, got, want)
		}
		if got := r.Form(name); got != want {
			t.Errorf("Form(%q) = %q, want %q", name, got, want)
		}
	}
	want := "[a=1][b=x y][a=2][c=&=][d=][=e][f=%zz%4][g=h=i][j;k=l][m%2=n][c d=ä]"
	for what, seq := range map[string]func(func(string, string) bool){"query": r.QueryAll(), "form": r.FormAll()} {
		got := ""
		for name, value := range seq {
			got += "[" + name + "=" + value + "]"
		}
		if got != want {
			t.Errorf("%s: %s", what, got)
		}
		for range seq {
			break
		}
	}
	if r.Path() != "/p" || r.RawPath() != "/p" || r.RawQuery() != pairs {
		t.Errorf("%q %q %q", r.Path(), r.RawPath(), r.RawQuery())
	}
	other := parsed(t, nil, "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\na=1")
	if other.Form("a") != "" || other.Query("a") != "" {
		t.Error("a form in plain text")
	}
	for range other.FormAll() {
		t.Error("a form in plain text")
	}
	limited := parsed(t, &Options{MaxPairs: 2}, "GET /?a=1&b=2&c=3 HTTP/1.1\r\nHost: a\r\n\r\n")
	if limited.Query("b") != "2" || limited.Query("c") != "" {
		t.Error("MaxPairs")
	}
	n := 0
	for range limited.QueryAll() {
		n++
	}
	if n != 2 {
		t.Errorf("%d pairs", n)
	}
}

func TestCookies(t *testing.T) {
	r := parsed(t, nil, "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=\"x y\";c=%C3%A4%zz+;a=2; bad; =x; d==;e=\r\ncookie: f=g\r\nCookie2: a=3\r\n\r\n")
	got := ""
	for name, value := range r.Cookies() {
		got += "[" + name + "=" + value + "]"
	}
	if want := "[a=1][b=x y][c=ä%zz+][a=2][d==][e=][f=g]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for name, want := range map[string]string{"a": "1", "c": "ä%zz+", "f": "g", "A": "", "bad": ""} {
		if got := r.Cookie(name); got != want {
			t.Errorf("Cookie(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestJSONBody(t *testing.T) {
	r := parsed(t, nil, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n{\"A\":1}")
	var v struct{ A int }
	if err := r.JSON(&v); err != nil || v.A != 1 {
		t.Errorf("%v, %v", v, err)
	}
	if err := parsed(t, nil, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").JSON(&v); err == nil {
		t.Error("JSON out of nothing")
	}
}

func TestCloneOutlivesTheBuffer(t *testing.T) {
	in := []byte("POST /a%20b?c=d HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: u\r\n\r\n")
	var p Parser
	var r Request
	if _, step, err := p.Parse(&r, in); step != GotRequest || err != nil {
		t.Fatal(step, err)
	}
	c := r.Clone()
	want := describeHead(&r) + string(r.Body()) + describeTrailers(&r)
	clear(in)
	clear(r.Body())
	parsedAgain := []byte("GET /other HTTP/1.1\r\nHost: x\r\nY: z\r\n\r\n")
	p.Parse(&r, parsedAgain)
	if got := describeHead(c) + string(c.Body()) + describeTrailers(c); got != want || c.Query("c") != "d" {
		t.Errorf("%s\nwant %s", got, want)
	}
	if cap(c.body) != len(c.body) || cap(c.head) != len(c.head) {
		t.Error("an append to one part of the clone would overwrite the next")
	}
}

func TestEmptyRequestAnswersEmpty(t *testing.T) {
	var r Request
	for range r.Headers() {
		t.Error("header")
	}
	for range r.QueryAll() {
		t.Error("query")
	}
	s := r.Method() + r.Target() + r.Host() + r.Path() + r.RawPath() + r.RawQuery() + r.Query("a") + r.Header("a") + r.Form("a") +
		r.Cookie("a") + r.ContentType() + r.Trailer("a") + string(r.Body())
	if s != "" || r.KeepAlive() || r.ExpectContinue() || r.Clone().Path() != "" {
		t.Errorf("%q", s)
	}
}

func TestBodyCannotBeAppendedInto(t *testing.T) {
	in := []byte("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\naGET")
	var p Parser
	var r Request
	p.Parse(&r, in)
	_ = append(r.Body(), "XYZ"...)
	if !strings.HasSuffix(string(in), "aGET") {
		t.Error("an append to the body overwrote the next request")
	}
}
