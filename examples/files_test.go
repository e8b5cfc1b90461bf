package examples

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/workerman-go/workerman/internal/testkit"
)

func TestStatic(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		root := t.TempDir()
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		z.Write([]byte("body {}"))
		z.Close()
		for name, content := range map[string]string{
			"home.html": "<p>home", "style.css": "body {}", "style.css.gz": packed.String(), ".secret": "x", "sub/home.html": "<p>sub", "sub/a b.txt": "a b",
		} {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		outside := writeFile(t, "outside.txt", []byte("outside"))
		if err := os.Symlink(outside, filepath.Join(root, "link.txt")); err != nil {
			t.Fatal(err)
		}
		p := start(t, engine, "static", "-listen", "http://"+anyPort, "-root", root, "-index", "home.html", "-cache", "1h")
		url := "http://" + p.address()
		for _, test := range []struct {
			path   string
			status int
			body   string
		}{
			{"/", 200, "<p>home"},
			{"/sub/", 200, "<p>sub"},
			{"/sub", 301, ""},
			{"/sub/a%20b.txt", 200, "a b"},
			{"/style.css", 200, "body {}"},
			{"/none", 404, "404 Not Found"},
			{"/.secret", 404, "404 Not Found"},
			{"/link.txt", 404, "404 Not Found"},
			{"/%2e%2e/outside.txt", 404, "404 Not Found"},
		} {
			got := ask(t, "GET", url+test.path, "", "Accept-Encoding: identity")
			if got.StatusCode != test.status || got.body != test.body {
				t.Errorf("%s: %s %q, want %d %q", test.path, got.Status, got.body, test.status, test.body)
			}
			if cache := got.Header.Get("Cache-Control"); got.StatusCode == 200 && cache != "max-age=3600" {
				t.Errorf("%s: Cache-Control is %q", test.path, cache)
			}
		}
		got := ask(t, "GET", url+"/style.css", "", "Accept-Encoding: gzip")
		if got.Header.Get("Content-Encoding") != "gzip" || got.body != packed.String() {
			t.Errorf("compressed: %q in the coding %q", got.body, got.Header.Get("Content-Encoding"))
		}
		p.endsWell(syscall.SIGTERM)
		start(t, engine, "static", "-listen", "http://"+anyPort, "-root", outside).refuses(outside)
	})
}

// formOf is a multipart form with one file, and its type.
func formOf(name string, content []byte) (body, kind string) {
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	part, _ := m.CreateFormFile("file", name) // writing to memory does not fail
	part.Write(content)
	m.Close()
	return b.String(), m.FormDataContentType()
}

func TestUpload(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		dir := filepath.Join(t.TempDir(), "new", "files")
		leftover := filepath.Join(dir, ".incoming", "of a killed program")
		if err := os.MkdirAll(leftover, 0o700); err != nil {
			t.Fatal(err)
		}
		p := start(t, engine, "upload", "-listen", "http://"+anyPort, "-dir", dir, "-max-size", "2000000")
		url := "http://" + p.address()
		if page := get(t, url); !strings.Contains(page, "upload.onprogress") {
			t.Errorf("the page is %q", page)
		}
		if got := get(t, url+"/files"); got != `{"files":[],"maxSize":2000000}` {
			t.Errorf("an empty list is %s", got)
		}
		content := random(1<<20, 7)
		for _, test := range []struct{ sent, kept string }{{"a.bin", "a.bin"}, {"a.bin", "a (2).bin"}, {"../../b.bin", "b.bin"}, {".c", "_c"}} {
			body, kind := formOf(test.sent, content)
			got := ask(t, "POST", url+"/files", body, "Content-Type: "+kind)
			if want := fmt.Sprintf(`{"files":[{"name":"%s","size":1048576}]}`, test.kept); got.StatusCode != 201 || got.body != want {
				t.Errorf("%s: %s %s, want %s", test.sent, got.Status, got.body, want)
			}
		}
		saved := ask(t, "GET", url+"/files/a%20(2).bin", "")
		if saved.body != string(content) || saved.Header.Get("Content-Disposition") != "attachment" {
			t.Errorf("%s, %d bytes, Content-Disposition %q", saved.Status, len(saved.body), saved.Header.Get("Content-Disposition"))
		}
		if got := curl(t, "-F", "file=@"+writeFile(t, "x.txt", []byte("x")), "-F", "file=@"+writeFile(t, "y.txt", nil), url+"/files"); got != `{"files":[{"name":"x.txt","size":1},{"name":"y.txt","size":0}]}` {
			t.Errorf("curl with two files: %s", got)
		}
		if got := ask(t, "POST", url+"/files", "x"); got.StatusCode != 422 {
			t.Errorf("no form: %s", got.Status)
		}
		for _, path := range []string{"/files/", "/files/none", "/files/.incoming", "/files/.incoming/", "/none"} {
			if got := ask(t, "GET", url+path, ""); got.StatusCode != 404 {
				t.Errorf("%s: %s", path, got.Status)
			}
		}
		list := decode[struct{ Files []struct{ Name string } }](t, get(t, url+"/files"))
		if got := fmt.Sprint(list.Files); got != "[{_c} {a (2).bin} {a.bin} {b.bin} {x.txt} {y.txt}]" {
			t.Errorf("the list is %s", got)
		}
		p.endsWell(syscall.SIGTERM)
	})
}

// Of what is too large, or breaks off, nothing is left.
func TestUploadLeavesNothing(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		dir := t.TempDir()
		p := start(t, engine, "upload", "-listen", "http://"+anyPort, "-dir", dir, "-max-size", "2000000")
		address := p.address()
		empty := func() {
			t.Helper()
			testkit.Eventually(t, "nothing is left", func() bool {
				left, err := filepath.Glob(filepath.Join(dir, ".incoming", "*"))
				kept, err2 := filepath.Glob(filepath.Join(dir, "[^.]*"))
				if err != nil || err2 != nil || len(kept) > 0 {
					t.Fatalf("%q are kept, want none; %v, %v", kept, err, err2)
				}
				return len(left) == 0
			})
		}
		body, kind := formOf("large.bin", random(2<<20, 1))
		head := fmt.Sprintf("POST /files HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\n", kind)

		announced := dial(t, "tcp", address)
		announced.send(head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)))
		unannounced := dial(t, "tcp", address)
		written := writeAll(unannounced, []byte(head+fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)))
		for _, c := range []*client{announced, unannounced} {
			answer, err := http.ReadResponse(c.in, nil)
			if err != nil || answer.StatusCode != 413 {
				t.Errorf("%v %v, want 413", answer, err)
			}
		}
		unannounced.Close()
		<-written.done
		empty()

		body, kind = formOf("half.bin", random(1<<20, 1))
		half := dial(t, "tcp", address)
		half.send(fmt.Sprintf("POST /files HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", kind, len(body), body[:len(body)/2]))
		half.Close()
		empty()
		p.endsWell(syscall.SIGTERM)
		empty()
	})
}
