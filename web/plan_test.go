package web

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// answered is a planned response to a request with these header lines, as net/http reads it.
// Append and the segments of Plan must say the same.
func answered(t testing.TB, r *Response, method, fields string) (*http.Response, string) {
	t.Helper()
	x := parsed(t, nil, method+" /f HTTP/1.1\r\nHost: h\r\n"+fields+"\r\n").Exchange()
	out := r.Append([]byte("x"), x, date)[1:]
	q, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(out)), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	body, err := io.ReadAll(q.Body)
	if err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	p := r.Plan(x)
	defer p.Close()
	sent := p.AppendHead(nil, date)
	for _, s := range p.Segments {
		if s.File == nil {
			sent = append(sent, s.Bytes...)
			continue
		}
		b, err := io.ReadAll(io.NewSectionReader(s.File, s.Offset, s.Length))
		if err != nil || int64(len(b)) != s.Length {
			t.Errorf("segment: %d bytes of %d, %v", len(b), s.Length, err)
		}
		sent = append(sent, b...)
	}
	// The boundaries of several ranges are random.
	_, kind, _ := mime.ParseMediaType(q.Header.Get("Content-Type"))
	_, kind2, _ := mime.ParseMediaType(p.Response.Get("Content-Type"))
	if b := kind["boundary"]; b != "" {
		if b == kind2["boundary"] {
			t.Error("the same boundary again")
		}
		sent = bytes.ReplaceAll(sent, []byte(kind2["boundary"]), []byte(b))
	}
	if !bytes.Equal(sent, out) {
		t.Errorf("the plan says %d bytes, %.300q\nAppend says %d bytes, %.300q", len(sent), sent, len(out), out)
	}
	return q, string(body)
}

// rangesOf takes the parts out of a multipart/byteranges.
func rangesOf(t testing.TB, contentType, body string) (s string) {
	t.Helper()
	kind, p, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/byteranges" {
		return body
	}
	r := multipart.NewReader(strings.NewReader(body), p["boundary"])
	for {
		part, err := r.NextRawPart()
		if err == io.EOF {
			return s
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		s += fmt.Sprintf("%s %s %q\n", part.Header.Get("Content-Range"), part.Header.Get("Content-Type"), b)
	}
}

// TestServeContent compares with net/http.
func TestServeContent(t *testing.T) {
	dir := t.TempDir()
	modified := time.Unix(784111777, 500)
	later, earlier := "Sun, 06 Nov 1994 08:49:38 GMT", "Sun, 06 Nov 1994 08:49:36 GMT"
	same := string(date)
	for _, size := range []int{0, 1, 100, maxRead, maxRead + 1, 100_000} {
		content := make([]byte, size)
		for i := range content {
			content[i] = byte(i * i >> 3)
		}
		path := filepath.Join(dir, fmt.Sprintf("%d.css", size))
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, modified, modified); err != nil {
			t.Fatal(err)
		}
		file := File(path)
		first, _ := answered(t, file, "GET", "")
		tag := first.Header.Get("Etag")
		if !strings.HasPrefix(tag, `"`) {
			t.Fatalf("tag %s", tag)
		}
		kept := Content("a.css", modified, content).Set("ETag", tag)
		for _, fields := range []string{
			"",
			"Range: bytes=0-\r\n", "Range: bytes=0-0\r\n", "Range: bytes=1-5\r\n", "Range: bytes=-1\r\n", "Range: bytes=-1000000\r\n",
			"Range: bytes=5-1000000\r\n", "Range: bytes=1000000-\r\n", "Range: bytes=16383-16385\r\n", "Range: bytes=10-90000\r\n",
			"Range: bytes=0-0,2-3\r\n", "Range: bytes=0-1, -1\r\n", "Range: bytes=50-60,10-20,1000000-\r\n", "Range: bytes=0-20000,20001-50000,-1\r\n",
			"Range: bytes=0-,0-\r\n", "Range: bytes=2000000-,1000000-\r\n",
			"If-None-Match: " + tag + "\r\n", "If-None-Match: W/" + tag + "\r\n", "If-None-Match: *\r\n", "If-None-Match: \"x\"\r\n",
			"If-None-Match: \"x\"\r\nIf-Modified-Since: " + later + "\r\n",
			"If-Modified-Since: " + same + "\r\n", "If-Modified-Since: " + earlier + "\r\n", "If-Modified-Since: " + later + "\r\nRange: bytes=0-1\r\n",
			"If-Modified-Since: yesterday\r\n",
			"If-Match: " + tag + "\r\n", "If-Match: \"x\", " + tag + "\r\n", "If-Match: W/" + tag + "\r\n", "If-Match: *\r\n",
			"If-Unmodified-Since: " + earlier + "\r\n", "If-Unmodified-Since: " + same + "\r\nRange: bytes=0-0\r\n",
			"If-Range: " + tag + "\r\nRange: bytes=1-2\r\n", "If-Range: \"x\"\r\nRange: bytes=1-2\r\n", "If-Range: W/" + tag + "\r\nRange: bytes=1-2\r\n",
			"If-Range: " + same + "\r\nRange: bytes=1-2\r\n", "If-Range: " + earlier + "\r\nRange: bytes=1-2\r\n", "If-Range: " + later + "\r\nRange: bytes=1-2\r\n",
		} {
			for _, method := range []string{"GET", "HEAD"} {
				if method == "HEAD" && strings.Contains(fields, "Range") {
					continue // net/http follows it, RFC 9110, section 14.2, does not
				}
				if size == 0 && strings.Contains(fields, "-1") {
					continue // net/http sends 206 with the range "bytes 0--1/0"
				}
				text := method + " / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n"
				q, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
				if err != nil {
					t.Fatal(err)
				}
				rec := httptest.NewRecorder()
				rec.Header().Set("ETag", tag)
				http.ServeContent(rec, q, "a.css", modified, bytes.NewReader(content))
				want := rec.Result()
				wantBody := rangesOf(t, want.Header.Get("Content-Type"), rec.Body.String())
				for name, r := range map[string]*Response{"file": file, "content": kept} {
					got, gotBody := answered(t, r, method, fields)
					what := fmt.Sprintf("%s, %d bytes, %q", name, size, text)
					if got.StatusCode != want.StatusCode {
						t.Errorf("%s: status %d, net/http %d", what, got.StatusCode, want.StatusCode)
						continue
					}
					names := []string{"Content-Range", "Content-Type", "Accept-Ranges", "Etag", "Last-Modified", "Content-Length"}
					switch {
					case got.StatusCode == 304:
						names = []string{"Content-Type", "Etag", "Last-Modified", "Content-Length"}
					case got.StatusCode >= 400: // the bodies are other words
						names = []string{"Content-Range", "Etag", "Last-Modified"}
						if got.StatusCode == 412 {
							names = nil // net/http leaves them there
						}
					case method == "GET":
						if gotBody := rangesOf(t, got.Header.Get("Content-Type"), gotBody); gotBody != wantBody {
							t.Errorf("%s: body %.200q, net/http %.200q", what, gotBody, wantBody)
						}
					}
					for _, h := range names {
						g, w := got.Header.Get(h), want.Header.Get(h)
						if strings.HasPrefix(g, "multipart/byteranges; boundary=") && strings.HasPrefix(w, "multipart/byteranges; boundary=") ||
							h == "Content-Length" && strings.Contains(w+got.Header.Get("Content-Type"), "multipart") {
							continue
						}
						if g != w {
							t.Errorf("%s: %s is %q, net/http %q", what, h, g, w)
						}
					}
				}
			}
		}
	}
}

func TestPlans(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big.bin")
	content := bytes.Repeat([]byte("0123456789"), 10_000)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	head := "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	for _, c := range []struct {
		name   string
		r      *Response
		req    string
		status int
		want   string // of the segments
	}{
		{"a file", File(path), get11, 200, "file 0+100000"},
		{"its head", File(path), head11, 200, ""},
		{"to a POST, whatever it says", File(path), "POST / HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\nRange: bytes=0-0\r\n\r\n", 200, "file 0+100000"},
		{"with a status of its own", func() *Response { r := File(path); r.Status = 404; return r }(), "GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\n\r\n", 404, "file 0+100000"},
		{"a large range", File(path), "GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=10-20000\r\n\r\n", 206, "file 10+19991"},
		{"a small range", File(path), "GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=99998-\r\n\r\n", 206, "89"},
		{"two files in one", File(path), "GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=0-20000,3-5,-20000\r\n\r\n", 206, "text file 0+20001 text 345 text file 80000+20000 text"},
		{"many small parts", File(path), "GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0,2-2,4-4,6-6,8-8\r\n\r\n", 206, "text 0 text 2 text 4 text 6 text 8 text"},
		{"of memory too", Content("x", time.Time{}, content), "GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0,2-2,4-4,6-6,8-8\r\n\r\n", 206, "text 0 text 2 text 4 text 6 text 8 text"},
		{"as many descriptors as allowed", File(path), "GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=0-16384,20000-36384,40000-56384,60000-76384,80000-80001\r\n\r\n", 206,
			"text file 0+16385 text file 20000+16385 text file 40000+16385 text file 60000+16385 text 01 text"},
		{"more than these", File(path), "GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=0-16384,20000-36384,40000-56384,60000-76384,80000-96384\r\n\r\n", 200, "file 0+100000"},
		{"a malformed range", File(path), "GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=a-b\r\n\r\n", 200, "file 0+100000"},
		{"a missing file", File(path + "x"), get11, 404, "404 Not Found"},
		{"a file as a directory", File(path + "/x"), get11, 404, "404 Not Found"},
		{"a directory", File(filepath.Dir(path)), get11, 404, "404 Not Found"},
		{"a device", File("/dev/null"), get11, 404, "404 Not Found"},
		{"a name that cannot be", File(path + "\x00"), get11, 404, "404 Not Found"},
	} {
		open := descriptors(t)
		p := c.r.Plan(parsed(t, nil, c.req).Exchange())
		if out := string(p.AppendHead(nil, date)); !strings.HasPrefix(out, fmt.Sprintf("HTTP/1.1 %d ", c.status)) || !strings.Contains(out, head) {
			t.Errorf("%s: %q", c.name, out)
		}
		var got []string
		files := 0
		for _, s := range p.Segments {
			switch {
			case s.File != nil:
				files++
				got = append(got, fmt.Sprintf("file %d+%d", s.Offset, s.Length))
			case bytes.Contains(s.Bytes, []byte("--")):
				got = append(got, "text")
			default:
				got = append(got, string(s.Bytes))
			}
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if n := descriptors(t); n >= 0 && n != open+files {
			t.Errorf("%s: %d descriptors more, for %d files", c.name, n-open, files)
		}
		p.Close()
		p.Close()
		if n := descriptors(t); n != open {
			t.Errorf("%s: %d descriptors left", c.name, n-open)
		}
		if (p.Response.Err() != nil) != (c.status == 404 && !strings.HasPrefix(c.want, "file")) {
			t.Errorf("%s: %v", c.name, p.Response.Err())
		}
	}
}

// descriptors is how many the process has, -1 where that cannot be seen.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(entries)
}

func TestFieldsOfPlans(t *testing.T) {
	own := Content("a.json", time.Unix(784111777, 0), []byte("{}")).Set("ETag", `"1"`).Set("Cache-Control", "max-age=1").Set("X-A", "b").
		Set("Content-Encoding", "br").Set("Vary", "X").Attachment("b.json")
	for fields, want := range map[string]string{
		"":                         `200 Etag="1" Cache-Control=max-age=1 X-A=b Vary=X Content-Encoding=br Content-Disposition=attachment; filename="b.json" Accept-Ranges=bytes Content-Type=application/json Last-Modified=Sun, 06 Nov 1994 08:49:37 GMT`,
		"If-None-Match: \"1\"\r\n": `304 Etag="1" Cache-Control=max-age=1 X-A=b Vary=X`,
		"If-Match: \"2\"\r\n":      `412 X-A=b Vary=X Content-Type=text/plain; charset=utf-8`,
		"Range: bytes=2-\r\n":      `416 X-A=b Vary=X Content-Type=text/plain; charset=utf-8 Content-Range=bytes */2`,
	} {
		q, _ := answered(t, own, "GET", fields)
		got := fmt.Sprint(q.StatusCode)
		for _, name := range []string{"Etag", "Cache-Control", "X-A", "Vary", "Content-Encoding", "Content-Disposition", "Accept-Ranges", "Content-Type", "Last-Modified", "Content-Range"} {
			if v := q.Header.Get(name); v != "" {
				got += " " + name + "=" + v
			}
		}
		if got != want {
			t.Errorf("%q: %s\nwant %s", fields, got, want)
		}
	}
	if own.Status != 0 || own.Get("Last-Modified") != "" {
		t.Error("planning has changed the response")
	}
	if r := File("/x").SetText("y"); r.Planned() || !File("/x").Planned() {
		t.Error("SetText leaves the file")
	}
}

// TestConditionsOutliveTheRequest is what a late answer relies on.
func TestConditionsOutliveTheRequest(t *testing.T) {
	in := []byte("GET / HTTP/1.1\r\nHost: h\r\nX: y\r\nIf-Range: \"t\"\r\nRange: bytes=1-2\r\n\r\n")
	var p Parser
	var r Request
	if _, step, err := p.Parse(&r, in); step != GotRequest || err != nil {
		t.Fatal(step, err)
	}
	x := r.Exchange()
	clear(in)
	p.Parse(&r, []byte("GET / HTTP/1.1\r\nHost: other\r\n\r\n"))
	plan := Content("a", time.Time{}, []byte("0123")).Set("ETag", `"t"`).Plan(x)
	if plan.Response.Status != 206 || string(plan.body()) != "12" {
		t.Errorf("%d, %q", plan.Response.Status, plan.body())
	}
}

func TestTagsOfFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	tags := map[string]string{}
	note := func(what string) {
		q, _ := answered(t, File(path), "GET", "")
		tag := q.Header.Get("Etag")
		if old, used := tags[tag]; used {
			t.Errorf("%s has the tag of %s", what, old)
		}
		tags[tag] = what
	}
	write := func(content string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(path+"2", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path+"2", at, at); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+"2", path); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Unix(1e9, 0)
	write("a", now)
	note("the first")
	if openFlags != os.O_RDONLY { // there are inodes
		write("b", now)
		note("another of the same time and size")
	}
	write("b", now.Add(time.Microsecond))
	note("a later one")
	write("bc", now)
	note("a longer one")
}

func TestFileStatus(t *testing.T) {
	for status, errs := range map[int][]error{403: {os.ErrPermission}, 404: {os.ErrNotExist, errNotRegular}, 500: {errChanged}} {
		for _, err := range errs {
			if got := fileStatus(&os.PathError{Err: err}); got != status {
				t.Errorf("%v: %d", err, got)
			}
		}
	}
	if !slices.Equal(Content("", time.Time{}, []byte("a")).Plan(Exchange{}).body(), []byte("a")) {
		t.Error("an answer to nobody")
	}
}
