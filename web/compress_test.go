package web

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// unpacked decodes b as the coding's other side does.
func unpacked(t testing.TB, coding string, b []byte) string {
	t.Helper()
	var r io.Reader = bytes.NewReader(b)
	var err error
	switch coding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "zstd":
		// A client may refuse a larger window (RFC 9659).
		var z *zstd.Decoder
		if z, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20)); err == nil {
			defer z.Close()
			r = z
		}
	}
	if err != nil {
		t.Fatalf("%s: %v", coding, err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", coding, err)
	}
	return string(out)
}

var compressing = &Options{Compress: Compression{Enabled: true}}

// accepting is the exchange of a request with that Accept-Encoding.
func accepting(t testing.TB, o *Options, method, accept string) Exchange {
	t.Helper()
	return parsed(t, o, method+" / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: "+accept+"\r\n\r\n").Exchange()
}

func TestCompressedResponses(t *testing.T) {
	long := strings.Repeat("workerman ", 200)
	noise := make([]byte, 2000)
	for i, random := 0, rand.NewChaCha8([32]byte{}); i < len(noise); i++ {
		noise[i] = byte(random.Uint64())
	}
	with := func(r *Response, name, value string) *Response { return r.Set(name, value) }
	status := func(code int) *Response { r := Text(long); r.Status = code; return r }
	for _, c := range []struct {
		name   string
		r      *Response
		coding string // with "gzip, zstd;q=0.5"
		vary   string // in every case
	}{
		{"text", Text(long), "gzip", "Accept-Encoding"},
		{"bytes", Bytes("application/json; charset=utf-8", []byte(long)), "gzip", "Accept-Encoding"},
		{"an error page", status(404), "gzip", "Accept-Encoding"},
		{"with tags", with(Text(long), "ETag", `"x"`), "gzip", "Accept-Encoding"},
		{"with Vary", with(Text(long), "Vary", "Cookie"), "gzip", "Cookie, Accept-Encoding"},
		{"with that Vary", with(Text(long), "Vary", "accept-encoding , cookie"), "gzip", "accept-encoding , cookie"},
		{"with Vary of all", with(Text(long), "Vary", "*"), "gzip", "*"},
		{"with another Cache-Control", with(Text(long), "Cache-Control", "private, max-age=1"), "gzip", "Accept-Encoding"},
		{"exactly MinSize", Text(long[:1024]), "gzip", "Accept-Encoding"},
		{"below MinSize", Text(long[:1023]), "", ""},
		{"what does not compress", Bytes("text/plain", noise), "", "Accept-Encoding"},
		{"an image", Bytes("image/png", []byte(long)), "", ""},
		{"no type", Bytes("", []byte(long)), "", ""},
		{"encoded already", with(Text(long), "Content-Encoding", "br"), "br", ""},
		{"part of something", with(status(200), "Content-Range", "bytes 0-1999/3000"), "", ""},
		{"206", status(206), "", ""},
		{"no-transform", with(Text(long), "Cache-Control", "public, No-Transform"), "", ""},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			for accept, coding := range map[string]string{"gzip, zstd;q=0.5": "gzip", "zstd, gzip;q=0.5": "zstd", "": "", "br": "", "gzip;q=0": ""} {
				if c.coding != "gzip" {
					coding = c.coding
				}
				out := c.r.Append([]byte("x"), accepting(t, compressing, method, accept), nil)[1:]
				q, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(out)), &http.Request{Method: method})
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(q.Body)
				if err != nil {
					t.Fatal(err)
				}
				if got := q.Header.Get("Content-Encoding"); got != coding || q.Header.Get("Vary") != c.vary || len(q.Header["Vary"]) > 1 {
					t.Errorf("%s for %q: coding %q, want %q, Vary %q", c.name, accept, got, coding, q.Header["Vary"])
					continue
				}
				want := string(c.r.body) + c.r.text
				if method == "GET" {
					if got := unpacked(t, coding, body); got != want {
						t.Errorf("%s for %q: %.100q", c.name, accept, got)
					}
				} else {
					get := c.r.Append(nil, accepting(t, compressing, "GET", accept), nil)
					if len(body) > 0 || !bytes.HasPrefix(get, out) {
						t.Errorf("%s for %q: HEAD says %q, GET %.300q", c.name, accept, out, get)
					}
				}
				if coding != "" && coding != "br" && q.ContentLength >= int64(len(want)) {
					t.Errorf("%s for %q: %d bytes", c.name, accept, q.ContentLength)
				}
				if tag := c.r.Get("ETag"); tag != "" && (q.Header.Get("Etag") == "W/"+tag) != (coding != "") {
					t.Errorf("%s for %q: tag %s", c.name, accept, q.Header.Get("Etag"))
				}
			}
		}
	}
	for _, code := range []int{204, 205, 304} {
		plain := string(status(code).Append(nil, accepting(t, nil, "GET", "gzip"), nil))
		if got := string(status(code).Append(nil, accepting(t, compressing, "GET", "gzip"), nil)); got != plain {
			t.Errorf("%d: %q, want %q", code, got, plain)
		}
	}
	if got, want := string(Text(long).Append(nil, accepting(t, nil, "GET", "gzip"), nil)), string(Text(long).Append(nil, Exchange{}.withKeepAlive(), nil)); got != want {
		t.Errorf("not enabled: %.300q, want %.300q", got, want)
	}
}

// withKeepAlive is the exchange of the simplest request.
func (Exchange) withKeepAlive() Exchange { return Exchange{bits: exchangeRead | exchangeKeepAlive} }

func TestCompressionTypes(t *testing.T) {
	var all, some Compression
	some.Types = []string{"text/event-stream", "a/b", "c/*", "+d"}
	for kind, want := range map[string][2]bool{
		"text/html; charset=utf-8": {true, false},
		"TEXT/CSS":                 {true, false},
		"text/event-stream":        {false, true},
		"application/ld+json":      {true, false},
		"image/svg+xml ; x":        {true, false},
		"application/wasm":         {true, false},
		"image/jpeg":               {false, false},
		"application/zip":          {false, false},
		"A/B":                      {false, true},
		"a/bc":                     {false, false},
		"c/x":                      {false, true},
		"cc/x":                     {false, false},
		"x/y+d":                    {false, true},
		"":                         {false, false},
	} {
		if got := [2]bool{all.includes(kind), some.includes(kind)}; got != want {
			t.Errorf("%q: %v", kind, got)
		}
	}
	for _, level := range []int{-1, 0, 1, 3, 4, 6, 9, 10} {
		o := &Options{Compress: Compression{Enabled: true, Level: level, MinSize: 1}}
		long := strings.Repeat("workerman ", 2_000)
		for _, coding := range []string{"gzip", "zstd"} {
			for range 2 { // the second time out of the pool
				packed := compressWhole(accepting(t, o, "GET", coding).coding, o.Compress.level(), []byte(long))
				if got := unpacked(t, coding, packed.bytes); got != long || len(packed.bytes) > len(long)/20 {
					t.Errorf("%s at level %d: %d bytes", coding, level, len(packed.bytes))
				}
				packed.release()
			}
		}
	}
}

func TestCompressedStreams(t *testing.T) {
	before := runtime.NumGoroutine()
	first := &Response{Stream: true}
	first.Set("Content-Type", "text/html").Set("ETag", `"t"`).SetText("first ")
	for _, coding := range []string{"zstd", "gzip"} {
		for range 2 { // the second time out of the pool
			x := accepting(t, compressing, "GET", coding)
			head, e := first.CompressStream(x)
			if e == nil || !head.Chunked(x) || head.Get("Content-Encoding") != coding || head.Get("Vary") != "Accept-Encoding" || head.Get("ETag") != `W/"t"` {
				t.Fatalf("%s: %v, %q", coding, e, head.fields)
			}
			if _, again := head.CompressStream(x); again != nil {
				t.Error("compressed twice")
			}
			out := head.Append(nil, x, nil)
			want := "first "
			sofar := bytes.Clone(head.body)
			for i := range 300 {
				piece := fmt.Sprintf("piece %d ", i*i)
				if i == 200 {
					piece = strings.Repeat(piece, 20_000)
				}
				want += piece
				packed := e.Write([]byte(piece))
				out = AppendChunk(out, packed)
				sofar = append(sofar, packed...)
				if i%50 == 0 {
					readable(t, coding, sofar, want)
				}
			}
			if len(e.Write(nil)) > 0 {
				t.Error("an empty piece has become something")
			}
			out = AppendLastChunk(AppendChunk(out, e.Close()))
			if len(e.Close()) > 0 || len(e.Write([]byte("x"))) > 0 {
				t.Error("output after Close")
			}
			q, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(out)), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(q.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got := unpacked(t, coding, body); got != want {
				t.Errorf("%s: %d bytes, want %d", coding, len(got), len(want))
			}
		}
	}
	for name, x := range map[string]Exchange{"not wanted": accepting(t, compressing, "GET", "br"), "HEAD": accepting(t, compressing, "HEAD", "gzip")} {
		if head, e := first.CompressStream(x); e != nil || head.Get("Vary") != "Accept-Encoding" || (head.Get("Content-Encoding") != "") != (name == "HEAD") {
			t.Errorf("%s: %v, %q", name, e, head.fields)
		}
	}
	if head, e := first.CompressStream(accepting(t, nil, "GET", "gzip")); e != nil || head != first {
		t.Error("not enabled, and compressed")
	}
	if head, e := Text("x").CompressStream(accepting(t, compressing, "GET", "gzip")); e != nil || head.Get("Vary") != "" {
		t.Error("no stream, and compressed")
	}
	if first.Get("Vary")+first.Get("Content-Encoding") != "" || first.text != "first " {
		t.Error("the response was changed")
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines more", n-before)
	}
	for name, known := range map[string]bool{"gzip": true, "X-GZIP": true, "zstd": true, "br": false, "identity": false, "": false} {
		if c, ok := codingOf(name); (ok && (c == gzipCoding || c == zstdCoding)) != known {
			t.Errorf("the coding of %q: got %v, %v, want that it is known to be %v", name, c, ok, known)
		}
	}
}

// readable checks that what has been sent so far can be read completely.
func readable(t *testing.T, coding string, sent []byte, want string) {
	t.Helper()
	var r io.Reader = bytes.NewReader(sent)
	if coding == "gzip" {
		z, err := gzip.NewReader(r)
		if err != nil {
			t.Fatal(err)
		}
		r = z
	} else {
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(streamWindow))
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		r = z
	}
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Fatalf("%s: %d bytes can be read, %v, want %d", coding, n, err, len(want))
	}
}

// TestStreamedRequestsKnowTheCoding asks for the exchange when the head has gone.
func TestStreamedRequestsKnowTheCoding(t *testing.T) {
	p := Parser{Options: &Options{Body: Stream, Compress: compressing.Compress}}
	var r Request
	in := []byte("POST / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\nContent-Length: 1\r\n\r\naPOST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na")
	var got []coding
	for len(in) > 0 || p.state == atEnd {
		used, _, err := p.Parse(&r, in)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.Exchange().coding)
		in = in[used:]
	}
	if want := fmt.Sprint([]coding{gzipCoding, gzipCoding, gzipCoding, identity, identity, identity}); fmt.Sprint(got) != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func BenchmarkCompress(b *testing.B) {
	var page bytes.Buffer
	for i := range 400 {
		fmt.Fprintf(&page, "<li class=\"item\"><a href=\"/articles/%d\">Article number %d</a> by author %d</li>\n", i*7919, i, i%13)
	}
	r := Bytes("text/html", page.Bytes())
	for _, coding := range []string{"gzip", "zstd"} {
		for _, level := range []int{1, 3, 6, 9} {
			b.Run(fmt.Sprintf("%s/%d", coding, level), func(b *testing.B) {
				x := accepting(b, &Options{Compress: Compression{Enabled: true, Level: level}}, "GET", coding)
				var out []byte
				b.SetBytes(int64(page.Len()))
				b.ReportAllocs()
				for b.Loop() {
					out = r.Append(out[:0], x, nil)
				}
				b.ReportMetric(100*float64(len(out))/float64(page.Len()), "%")
			})
		}
	}
}
