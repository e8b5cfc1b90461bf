package examples

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

func startWebapp(t *testing.T, engine string, args ...string) (p *process, url string) {
	t.Helper()
	p = start(t, engine, "webapp", append([]string{"-listen", "http://" + anyPort}, args...)...)
	return p, "http://" + p.address()
}

func TestWebappAnswers(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p, url := startWebapp(t, engine, "-loops", "2")
		for _, test := range []struct {
			method, path, body string
			status             int
			want               string
		}{
			{"GET", "/plaintext", "", 200, "Hello, World!"},
			{"HEAD", "/plaintext", "", 200, ""},
			{"POST", "/plaintext", "", 405, "405 Method Not Allowed"},
			{"POST", "/echo", "any bytes\x00\xff", 200, "any bytes\x00\xff"},
			{"POST", "/echo", strings.Repeat("0123456789abcdef", 1<<16), 200, strings.Repeat("0123456789abcdef", 1<<16)},
			{"GET", "/echo", "", 405, "405 Method Not Allowed"},
			{"GET", "/query?a=1&b=two+words&a=%263", "", 200, `{"a":"1, \u00263","b":"two words"}`},
			{"GET", "/query", "", 200, `{}`},
			{"GET", "/chunked", "", 200, "chunk-0\nchunk-1\nchunk-2\nchunk-3\nchunk-4\nchunk-5\nchunk-6\nchunk-7\nchunk-8\nchunk-9\n"},
			{"HEAD", "/chunked", "", 200, ""},
			{"GET", "/sse", "", 200, "event: tick\nid: 1\ndata: tick\n\nevent: tick\nid: 2\ndata: tick\n\nevent: tick\nid: 3\ndata: tick\n\n"},
			{"HEAD", "/sse", "", 200, ""},
			{"GET", "/close", "", 200, "bye"},
			{"GET", "/nocontent", "", 204, ""},
			{"GET", "/", "", 404, "404 Not Found"},
			{"POST", "/unknown", "x", 404, "404 Not Found"},
		} {
			got := ask(t, test.method, url+test.path, test.body)
			if got.StatusCode != test.status || got.body != test.want {
				t.Errorf("%s %s: %s %.100q, want %d %.100q", test.method, test.path, got.Status, got.body, test.status, test.want)
			}
		}
		p.endsWell(syscall.SIGTERM)
	})
}

func TestWebappHeaders(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		_, url := startWebapp(t, engine)
		answer := ask(t, "POST", url+"/echo", "{}", "Content-Type: application/json; charset=utf-8")
		if kind := answer.Header.Get("Content-Type"); kind != "application/json; charset=utf-8" {
			t.Errorf("the echo has the type %q", kind)
		}
		fields := decode[map[string]string](t, get(t, url+"/headers", "X-Test: one", "X-Test: two"))
		if fields["X-Test"] != "one, two" {
			t.Errorf("headers: %q", fields)
		}
		answer = ask(t, "GET", url+"/cookie", "", "Cookie: a=1; b=2")
		if answer.body != `{"a":"1","b":"2"}` || len(answer.Cookies()) != 1 || answer.Cookies()[0].Name+"="+answer.Cookies()[0].Value != "seen=1" {
			t.Errorf("cookies %v and %q", answer.Cookies(), answer.body)
		}
		for path, allow := range map[string]string{"/plaintext": "GET, HEAD", "/echo": "POST"} {
			if got := ask(t, "DELETE", url+path, "").Header.Get("Allow"); got != allow {
				t.Errorf("%s allows %q, want %q", path, got, allow)
			}
		}
	})
}

// The framing is not for net/http to interpret, so these talk by hand.
func TestWebappOnTheWire(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p, _ := startWebapp(t, engine)
		c := dial(t, "tcp", p.address())
		c.send("GET /chunked HTTP/1.1\r\nHost: a\r\n\r\nGET /close HTTP/1.1\r\nHost: a\r\n\r\nGET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n")
		answers, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		text := string(answers)
		for _, want := range []string{"\r\n\r\n8\r\nchunk-0\n\r\n8\r\nchunk-1\n\r\n", "8\r\nchunk-9\n\r\n0\r\n\r\nHTTP/1.1 200", "Connection: close\r\n\r\nbye"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in %q", want, text)
			}
		}
		if !strings.HasSuffix(text, "bye") {
			t.Errorf("an answer follows the last one: %q", text)
		}
	})
}

func TestWebappLimits(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p, url := startWebapp(t, engine, "-max-body", "1000", "-header-timeout", testkit.Scale(300*time.Millisecond).String(), "-idle-timeout", testkit.Scale(300*time.Millisecond).String())
		if got := ask(t, "POST", url+"/echo", strings.Repeat("x", 1000)); got.StatusCode != 200 {
			t.Errorf("a body of 1000 bytes: %s", got.Status)
		}
		c := dial(t, "tcp", p.address())
		c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n")
		if line := c.line(); line != "HTTP/1.1 413 Content Too Large\r" {
			t.Errorf("a body of 1001 bytes: %q", line)
		}
		c = dial(t, "tcp", p.address())
		c.send("GET /plaintext HTTP/1.1\r\nHos")
		if line := c.line(); line != "HTTP/1.1 408 Request Timeout\r" {
			t.Errorf("half a head: %q", line)
		}
		c = dial(t, "tcp", p.address())
		c.send("GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n")
		if answer, err := http.ReadResponse(c.in, nil); err != nil || answer.StatusCode != 200 {
			t.Fatal(answer, err)
		} else if _, err := io.ReadAll(answer.Body); err != nil {
			t.Fatal(err)
		}
		c.ends()
	})
}

// A client that sends requests for a long time before it reads gets all answers.
func TestWebappSlowReader(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p, _ := startWebapp(t, engine)
		c := dial(t, "tcp", p.address())
		body := strings.Repeat("x", 32<<10)
		request := "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 32768\r\n\r\n" + body
		written := writeAll(c, []byte(strings.Repeat(request, 500)))
		written.stallsOrEnds(t)
		for i := range 500 {
			answer, err := http.ReadResponse(c.in, nil)
			if err != nil {
				t.Fatalf("answer %d: %v", i, err)
			}
			got, err := io.ReadAll(answer.Body)
			if err != nil || string(got) != body {
				t.Fatalf("answer %d: %d bytes, %v", i, len(got), err)
			}
		}
		written.ends(t)
		c.Conn.Conn.(*net.TCPConn).CloseWrite()
		c.ends()
	})
}

func TestWebappByCurl(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		_, url := startWebapp(t, engine)
		if got := curl(t, "-d", "hello", url+"/echo"); got != "hello" {
			t.Errorf("echo: %q", got)
		}
		if got := curl(t, "-b", "theme=dark", url+"/cookie"); got != `{"theme":"dark"}` {
			t.Errorf("cookie: %q", got)
		}
		if got := curl(t, "--raw", url+"/chunked"); !strings.HasPrefix(got, "8\r\nchunk-0\n\r\n8\r\n") {
			t.Errorf("chunked: %q", got)
		}
	})
}

func TestWebappForm(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		_, url := startWebapp(t, engine, "-max-body", "3000000")
		got := ask(t, "POST", url+"/form", "a=1&b=two+words", "Content-Type: application/x-www-form-urlencoded")
		if want := `{"fields":{"a":"1","b":"two words"},"files":[]}`; got.body != want {
			t.Errorf("got %s %s, want %s", got.Status, got.body, want)
		}
		if got := ask(t, "POST", url+"/form", "{}", "Content-Type: application/json"); got.StatusCode != 415 {
			t.Errorf("a form of JSON: %s", got.Status)
		}
		if got := ask(t, "POST", url+"/form", "no form", "Content-Type: multipart/form-data; boundary=x"); got.StatusCode != 400 {
			t.Errorf("a malformed form: %s", got.Status)
		}

		small, large := writeFile(t, "small.txt", []byte("abc")), writeFile(t, "große Datei.bin", random(2<<20, 3))
		text := curl(t, "-F", "name=Ann", "-F", "one=@"+small, "-F", "two=@"+large, url+"/form")
		want := fmt.Sprintf(`{"fields":{"name":"Ann"},"files":[{"field":"one","name":"small.txt","size":3,"sha256":"%x"},{"field":"two","name":"große Datei.bin","size":2097152,"sha256":"%x"}]}`,
			sha256.Sum256([]byte("abc")), sha256.Sum256(random(2<<20, 3)))
		if text != want {
			t.Errorf("got %s, want %s", text, want)
		}
		tooLarge := writeFile(t, "large.bin", random(3<<20, 3))
		if status := curl(t, "-o", os.DevNull, "-w", "%{http_code}", "-F", "f=@"+tooLarge, url+"/form"); status != "413" {
			t.Errorf("3 MiB: %q, want 413", status)
		}
	})
}

func TestWebappFile(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		content := random(3<<20, 5)
		_, url := startWebapp(t, engine, "-file", writeFile(t, "data.bin", content))
		url += "/file"
		whole := ask(t, "GET", url, "")
		if whole.body != string(content) || whole.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%s, %d bytes of type %q", whole.Status, len(whole.body), whole.Header.Get("Content-Type"))
		}
		etag, modified := whole.Header.Get("ETag"), whole.Header.Get("Last-Modified")
		for _, test := range []struct {
			method, field string
			status        int
			body          string
		}{
			{"GET", "Range: bytes=5-9", 206, string(content[5:10])},
			{"GET", "Range: bytes=-100000", 206, string(content[len(content)-100000:])},
			{"GET", "Range: bytes=1000000-", 206, string(content[1000000:])},
			{"GET", "Range: bytes=9999999-", 416, "416 Range Not Satisfiable"},
			{"HEAD", "Accept: */*", 200, ""},
			{"GET", "If-None-Match: " + etag, 304, ""},
			{"GET", "If-Modified-Since: " + modified, 304, ""},
			{"GET", `If-Match: "other"`, 412, "412 Precondition Failed"},
			{"PUT", "Accept: */*", 405, "405 Method Not Allowed"},
		} {
			got := ask(t, test.method, url, "", test.field)
			if got.StatusCode != test.status || got.body != test.body {
				t.Errorf("%s with %s: %s and %d bytes, want %d and %d bytes", test.method, test.field, got.Status, len(got.body), test.status, len(test.body))
			}
		}
		if got := curl(t, "-r", "0-9", url); got != string(content[:10]) {
			t.Errorf("curl -r 0-9: %q", got)
		}
	})
}
