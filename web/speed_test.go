package web

import (
	"testing"
	"time"
	"unsafe"
)

const plaintext = "GET /plaintext HTTP/1.1\r\nHost: localhost:8080\r\nAccept: text/plain,*/*;q=0.8\r\nConnection: keep-alive\r\n\r\n"

const browser = "GET /articles/2024/index.html?page=2&sort=date HTTP/1.1\r\n" +
	"Host: www.example.com\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
	"Accept-Language: en-US,en;q=0.5\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Referer: https://www.example.com/articles/2024/\r\n" +
	"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=yes; _ga=GA1.2.1234567890.1234567890\r\n" +
	"DNT: 1\r\n" +
	"Connection: keep-alive\r\n" +
	"Upgrade-Insecure-Requests: 1\r\n" +
	"Sec-Fetch-Dest: document\r\n" +
	"Sec-Fetch-Mode: navigate\r\n" +
	"Sec-Fetch-Site: same-origin\r\n" +
	"Sec-Fetch-User: ?1\r\n" +
	"Priority: u=1\r\n\r\n"

var date = AppendDate(nil, time.Unix(784111777, 0))

// serve parses in and appends the answers, as a loop does.
func serve(tb testing.TB, p *Parser, r *Request, in, out []byte) []byte {
	for out = out[:0]; len(in) > 0; {
		used, step, err := p.Parse(r, in)
		if err != nil || step != GotRequest {
			tb.Fatal(step, err)
		}
		in = in[used:]
		switch r.Path() {
		case "/plaintext":
			out = Text("Hello, World!").Append(out, r.Exchange(), date)
		default:
			if r.Cookie("theme") != "dark" || r.Query("page") != "2" || r.Header("Priority") != "u=1" {
				tb.Fatal("fields")
			}
			out = HTML("<p>hello").Append(out, r.Exchange(), date)
		}
	}
	return out
}

func TestNothingIsAllocated(t *testing.T) {
	p, r, out := &Parser{Options: &Options{Server: "workerman"}}, new(Request), make([]byte, 0, 4096)
	post := "POST /plaintext HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
	chunked := "POST /plaintext HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
	for name, in := range map[string]string{"plaintext": plaintext, "pipeline": plaintext + plaintext + plaintext, "browser": browser, "post": post, "chunked": chunked} {
		in := []byte(in)
		if n := testing.AllocsPerRun(100, func() { out = serve(t, p, r, in, out) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	bad := []byte("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
	if n := testing.AllocsPerRun(100, func() {
		refuser := Parser{}
		refuser.Parse(r, bad)
	}); n > 1 {
		t.Errorf("refusal: %v allocations", n)
	}
}

func TestParserIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(Parser{}); n > 96 {
		t.Errorf("a parser has %d bytes", n)
	}
}

func benchmark(b *testing.B, text string, respond bool) {
	p, r, out, in := &Parser{Options: &Options{Server: "workerman"}}, new(Request), make([]byte, 0, 4096), []byte(text)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if respond {
			out = serve(b, p, r, in, out)
		} else if _, step, err := p.Parse(r, in); step != GotRequest || err != nil {
			b.Fatal(step, err)
		}
	}
}

func BenchmarkPlaintextParse(b *testing.B)   { benchmark(b, plaintext, false) }
func BenchmarkPlaintextRespond(b *testing.B) { benchmark(b, plaintext, true) }
func BenchmarkBrowserParse(b *testing.B)     { benchmark(b, browser, false) }
func BenchmarkBrowserRespond(b *testing.B)   { benchmark(b, browser, true) }
