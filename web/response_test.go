package web

import (
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

var (
	get11  = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	head11 = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
	shut11 = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	get10  = "GET / HTTP/1.0\r\n\r\n"
	keep10 = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
)

func TestAppend(t *testing.T) {
	stream := func() *Response { r := Text("ab"); r.Stream = true; return r }
	status := func(code int) *Response { r := Text("ab"); r.Status = code; return r }
	for _, c := range []struct {
		name string
		r    *Response
		req  string
		date string
		want string
	}{
		{"text", Text("hi"), get11, "D", "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\nhi"},
		{"HTML", HTML("hi"), get11, "", "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 2\r\n\r\nhi"},
		{"bytes", Bytes("a/b", []byte("hi")), get11, "", "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nhi"},
		{"JSON", JSON(map[string]int{"a": 1}), get11, "", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}"},
		{"zero", &Response{}, get11, "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
		{"redirect", Redirect("/a b\r\n\\ä%20?x", 302), get11, "", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /a%20b%0D%0A%5C%C3%A4%20?x\r\n\r\n"},
		{"not found", Status(404), get11, "", "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n\r\n404 Not Found"},
		{"unknown status", &Response{Status: 799}, get11, "", "HTTP/1.1 799 \r\nContent-Length: 0\r\n\r\n"},
		{"impossible status", &Response{Status: 1000}, get11, "", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"},

		{"HEAD", Text("hi"), head11, "", "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\n"},
		{"204", status(204), get11, "D", "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n"},
		{"205", status(205), get11, "", "HTTP/1.1 205 Reset Content\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 0\r\n\r\n"},
		{"304", status(304).Set("ETag", `"x"`), get11, "", "HTTP/1.1 304 Not Modified\r\nEtag: \"x\"\r\n\r\n"},
		{"100", Status(100), shut11, "D", "HTTP/1.1 100 Continue\r\n\r\n"},
		{"101", (&Response{Status: 101}).Set("Connection", "Upgrade").Set("upgrade", "websocket"), get11, "D", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},

		{"1.1 close", &Response{}, shut11, "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
		{"1.0", &Response{}, get10, "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
		{"1.0 keep-alive", &Response{}, keep10, "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"},
		{"our wish", &Response{Close: true}, keep10, "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
		{"our wish by name", (&Response{}).Set("connection", "Close, X"), get11, "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: X\r\nConnection: close\r\n\r\n"},
		{"unreadable request", errHost.Response(), "", "", "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 15\r\nConnection: close\r\n\r\n400 Bad Request"},

		{"stream", stream(), get11, "", "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"},
		{"stream of bytes", func() *Response { r := stream().SetBody([]byte("abc")); return r }(), get11, "", "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"},
		{"stream to 1.0", stream(), keep10, "", "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nab"},
		{"stream to HEAD", stream(), head11, "", "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"},

		{"own date and server", (&Response{}).Set("date", "E").Set("server", "mine"), get11, "D", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: E\r\nServer: mine\r\n\r\n"},
		{"no date", (&Response{}).Set("Date", "").Set("Server", ""), get11, "D", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
		{"date again", (&Response{}).Set("Date", "E").Delete("date"), get11, "D", "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\n\r\n"},
		{"fields", (&Response{}).Add("x-a", "1").Add("X-A", " 2\t").Set("x-b", "1").Set("X-B", "").Add("X-C", "1").Delete("x-c"), get11, "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: 1\r\nX-A: 2\r\nX-B: \r\n\r\n"},
	} {
		var x Exchange
		if c.req != "" {
			x = parsed(t, nil, c.req).Exchange()
		}
		for range 2 { // nothing changes by appending
			if got := string(c.r.Append([]byte("x"), x, []byte(c.date))); got != "x"+c.want {
				t.Errorf("%s:\n%q\nwant\n%q", c.name, got[1:], c.want)
			}
		}
		if c.r.Err() != nil {
			t.Errorf("%s: %v", c.name, c.r.Err())
		}
	}
}

func TestServerName(t *testing.T) {
	for name, want := range map[string]string{"w": "HTTP/1.1 200 OK\r\nServer: w\r\nContent-Length: 0\r\n\r\n", "w\r\nX: y": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"} {
		if got := string((&Response{}).Append(nil, parsed(t, &Options{Server: name}, get11).Exchange(), nil)); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}

func TestBadFieldsAreLeftOut(t *testing.T) {
	plain := string((&Response{}).Append(nil, parsed(t, nil, get11).Exchange(), nil))
	for _, f := range []Field{{"X", "a\r\nY: b"}, {"X", "a\nb"}, {"X", "a\rb"}, {"X", "a\x00"}, {"X", "\x7f"}, {"X\r\nY", "a"}, {"X:", "a"},
		{"X ", "a"}, {"", "a"}, {"Ä", "a"}, {"Content-Length", "5"}, {"transfer-encoding", "chunked"}, {"Content-Type", "a\r\nb"}} {
		for what, r := range map[string]*Response{"Set": (&Response{}).Set(f.Name, f.Value), "Add": (&Response{}).Add(f.Name, f.Value)} {
			if got := string(r.Append(nil, parsed(t, nil, get11).Exchange(), nil)); got != plain || r.Err() == nil {
				t.Errorf("%s(%q): %q, %v", what, f, got, r.Err())
			}
		}
	}
	r := (&Response{}).Set("X", "old").Set("X", "a\r\nb").Set("", "")
	if r.Get("x") != "old" || !strings.Contains(r.Err().Error(), `"X"`) {
		t.Errorf("%q, %v", r.Get("x"), r.Err())
	}
	if r := JSON(math.NaN()); r.Status != 500 || r.Err() == nil {
		t.Errorf("%d, %v", r.Status, r.Err())
	}
}

func TestSetCookie(t *testing.T) {
	for _, c := range []struct {
		in   Cookie
		want string
	}{
		{Cookie{Name: "a", Value: "b"}, "a=b"},
		{Cookie{Name: "a", Value: "é; x=\r\n\"%"}, "a=%C3%A9%3B%20x%3D%0D%0A%22%25"},
		{Cookie{Name: "a", Value: "b", Domain: "d.e", MaxAge: 5, Path: "/p", Secure: true, HTTPOnly: true, SameSite: "Lax"}, "a=b; Domain=d.e; Max-Age=5; Path=/p; Secure; HttpOnly; SameSite=Lax"},
		{Cookie{Name: "a", MaxAge: -1}, "a=; Max-Age=0"},
		{Cookie{Name: "", Value: "b"}, ""},
		{Cookie{Name: "a b", Value: "b"}, ""},
		{Cookie{Name: "a=", Value: "b"}, ""},
		{Cookie{Name: "a", Path: "/; Domain=evil"}, ""},
		{Cookie{Name: "a", Domain: "e\r\nX: y"}, ""},
		{Cookie{Name: "a", SameSite: "lax"}, ""},
	} {
		r := (&Response{}).AddCookie(c.in)
		if got := r.Get("set-cookie"); got != c.want || (r.Err() == nil) != (c.want != "") {
			t.Errorf("%+v: %q, %v, want %q", c.in, got, r.Err(), c.want)
		}
		if c.want != "" {
			if _, err := http.ParseSetCookie(c.want); err != nil {
				t.Errorf("%q: %v", c.want, err)
			}
			sent, _, _ := strings.Cut(c.want, ";")
			if got := parsed(t, nil, "GET / HTTP/1.1\r\nHost: a\r\nCookie: "+sent+"\r\n\r\n").Cookie("a"); got != c.in.Value {
				t.Errorf("%q came back as %q", c.in.Value, got)
			}
		}
	}
}

func TestChunks(t *testing.T) {
	out := AppendChunk(nil, "hello, chunked world")
	out = AppendChunk(out, []byte(nil))
	out = AppendLastChunk(out, Field{"x-t", "1"}, Field{"Content-Length", "1"}, Field{"Host", "x"}, Field{"X", "\n"})
	if want := "14\r\nhello, chunked world\r\n0\r\nX-T: 1\r\n\r\n"; string(out) != want {
		t.Errorf("%q, want %q", out, want)
	}
}

func TestServerSentEvents(t *testing.T) {
	for _, c := range []struct {
		in   ServerSentEvent
		want string
	}{
		{ServerSentEvent{}, "\n"},
		{ServerSentEvent{Data: "a"}, "data: a\n\n"},
		{ServerSentEvent{Data: "a\nb\r\nc\rd\n\n"}, "data: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: \n\n"},
		{ServerSentEvent{Comment: "x\ny"}, ": x\n: y\n\n"},
		{ServerSentEvent{Event: "e"}, "event: e\ndata: \n\n"},
		{ServerSentEvent{Comment: "c", Event: "e", ID: "1", Retry: 1500 * time.Millisecond, Data: "d"}, ": c\nevent: e\nid: 1\nretry: 1500\ndata: d\n\n"},
		{ServerSentEvent{Event: "e\ndata: x", ID: "1\r", Data: "d"}, "data: d\n\n"},
		{ServerSentEvent{ID: "1\x00", Retry: time.Microsecond, Data: "d"}, "data: d\n\n"},
	} {
		if got := string(c.in.Append(nil)); got != c.want {
			t.Errorf("%+v: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestDates(t *testing.T) {
	for _, s := range []int64{0, 784111777, 951782400, 1 << 31, 253402300799, -1} {
		at := time.Unix(s, 999).In(time.FixedZone("x", 3600))
		got := string(AppendDate([]byte("x"), at))
		if want := "x" + at.UTC().Format(http.TimeFormat); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if back, ok := parseDate(got[1:]); !ok || back.Unix() != s {
			t.Errorf("%q came back as %v", got, back)
		}
	}
	if got := string(AppendDate(nil, time.Date(12345, 1, 2, 3, 4, 5, 0, time.UTC))); len(got) != 29 {
		t.Errorf("%q", got)
	}
	// The examples of RFC 9110, section 5.6.7.
	for _, s := range []string{"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"} {
		if got, ok := parseDate(s); !ok || got.Unix() != 784111777 {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func TestMIMETypes(t *testing.T) {
	for name, want := range map[string]string{"a.html": "text/html; charset=utf-8", "/x.y/b.CSS": "text/css; charset=utf-8", "a.tar.gz": "application/gzip",
		"a": "application/octet-stream", "": "application/octet-stream", "a.": "application/octet-stream", "x.js/a": "application/octet-stream",
		".svg": "image/svg+xml", "a.unheard-of": "application/octet-stream", "js": "application/octet-stream"} {
		if got := MIMEType(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestStatusTexts(t *testing.T) {
	for code := range 1000 {
		got, want := StatusText(code), http.StatusText(code)
		switch code { // the names of RFC 9110 are newer
		case 413:
			want = "Content Too Large"
		case 414:
			want = "URI Too Long"
		case 416:
			want = "Range Not Satisfiable"
		case 422:
			want = "Unprocessable Content"
		}
		if got != want {
			t.Errorf("%d: %q, want %q", code, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	var err error = &Error{408, "head did not come"}
	var e *Error
	if err.Error() != "http: 408: head did not come" || !errors.As(err, &e) || e.Response().Status != 408 {
		t.Error(err)
	}
}
