package web

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tree makes files below a new directory, and beside it one that must not be reached.
func tree(t testing.TB, files map[string]string) (root string) {
	t.Helper()
	top := t.TempDir()
	root = filepath.Join(top, "root")
	files["../secret"] = "SECRET"
	for name, content := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Unix(1e9+1, 0), time.Unix(1e9+1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestDir(t *testing.T) {
	root := tree(t, map[string]string{
		"a.txt": "A", "index.html": "INDEX", "sub/index.html": "SUB", "sub/b c.json": "B", "sub/home": "HOME", "empty/x": "", ".env": "ENV",
		"sub/.git/config": "GIT", ".well-known/acme": "ACME", "sub/.well-known/x": "X", "odd/index.html/x": "",
	})
	for link, target := range map[string]string{"in": "a.txt", "out": "../secret", "dir": "..", "sub/up": "../a.txt", "dead": "nothing", "loop": "loop"} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Skip(err)
		}
	}
	plain, prefixed := &Dir{Root: root}, &Dir{Root: root, Prefix: "/static/", Index: "home", CacheControl: "max-age=60"}
	for _, c := range []struct {
		dir    *Dir
		target string
		status int
		want   string // the body, or the location
	}{
		{plain, "/a.txt", 200, "A"},
		{plain, "/a.txt?x=y", 200, "A"},
		{plain, "//a.txt", 200, "A"},
		{plain, "/%61.txt", 200, "A"},
		{plain, "/", 200, "INDEX"},
		{plain, "/index.html", 200, "INDEX"},
		{plain, "/sub/", 200, "SUB"},
		{plain, "/sub/b%20c.json", 200, "B"},
		{plain, "http://h", 200, "INDEX"},
		{plain, "/.well-known/acme", 200, "ACME"},
		{plain, "/in", 200, "A"},
		{plain, "/sub/up", 200, "A"},
		{plain, "/sub", 301, "./sub/"},
		{plain, "/sub?a=b", 301, "./sub/?a=b"},
		{plain, "//sub", 301, "./sub/"},
		{plain, "/a.txt/", 404, ""},
		{plain, "/none", 404, ""},
		{plain, "/empty/", 404, ""},
		{plain, "/odd/", 404, ""},
		{plain, "/a.txt/b", 404, ""},
		{plain, "/.env", 404, ""},
		{plain, "/%2eenv", 404, ""},
		{plain, "/sub/.git/config", 404, ""},
		{plain, "/sub/.well-known/x", 404, ""},
		{plain, "/../secret", 404, ""},
		{plain, "/sub/../a.txt", 404, ""},
		{plain, "/%2e%2e/secret", 404, ""},
		{plain, "/..%2fsecret", 404, ""},
		{plain, "/..%5csecret", 404, ""},
		{plain, "/out", 404, ""},
		{plain, "/dir/secret", 404, ""},
		{plain, "/dead", 404, ""},
		{plain, "/loop", 404, ""},
		{plain, "/a%00.txt", 404, ""},
		{plain, "/" + strings.Repeat("a", 3000), 404, ""},
		{prefixed, "/static/a.txt", 200, "A"},
		{prefixed, "/static/sub/", 200, "HOME"},
		{prefixed, "/static", 301, "./static/"},
		{prefixed, "/static/sub", 301, "./sub/"},
		{prefixed, "/static/", 404, ""},
		{prefixed, "/statica.txt", 404, ""},
		{prefixed, "/a.txt", 404, ""},
		{&Dir{Root: root, Hidden: true}, "/.env", 200, "ENV"},
		{&Dir{Root: root + "x"}, "/a.txt", 500, ""},
	} {
		r := c.dir.Serve(parsed(t, nil, "GET "+c.target+" HTTP/1.1\r\nHost: h\r\n\r\n"))
		if r.Planned() != (c.status == 200) || r.code() != c.status {
			t.Errorf("%s: status %d, want %d", c.target, r.code(), c.status)
			continue
		}
		switch c.status {
		case 200:
			if q, body := answered(t, r, "GET", ""); q.StatusCode != 200 || body != c.want || q.Header.Get("Cache-Control") != c.dir.CacheControl {
				t.Errorf("%s: %d, %q, %v", c.target, q.StatusCode, body, q.Header)
			}
		case 301:
			if got := r.Get("Location"); got != c.want {
				t.Errorf("%s: location %s, want %s", c.target, got, c.want)
			}
		}
		if (r.Err() != nil) != (c.status == 500) {
			t.Errorf("%s: %v", c.target, r.Err())
		}
	}
	if r := plain.Serve(parsed(t, nil, "POST /a.txt HTTP/1.1\r\nHost: h\r\n\r\n")); r.Status != 405 || r.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d", r.Status)
	}
	if r := plain.Serve(parsed(t, &Options{}, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n")); r.Status != 405 {
		t.Errorf("OPTIONS: %d", r.Status)
	}
	if q, body := answered(t, plain.Serve(parsed(t, nil, "HEAD /a.txt HTTP/1.1\r\nHost: h\r\n\r\n")), "HEAD", ""); q.ContentLength != 1 || body != "" {
		t.Errorf("HEAD: %d", q.ContentLength)
	}
}

// TestDirFollowsADeployment turns the link that Root is to another directory.
func TestDirFollowsADeployment(t *testing.T) {
	root := tree(t, map[string]string{"one/a": "1", "two/a": "2"})
	link := filepath.Join(root, "current")
	d := &Dir{Root: link}
	for _, release := range []string{"one", "two"} {
		if err := os.Symlink(release, link+release); err != nil {
			t.Skip(err)
		}
		if err := os.Rename(link+release, link); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"one": "1", "two": "2"}[release]
		if _, body := answered(t, d.Serve(parsed(t, nil, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n")), "GET", ""); body != want {
			t.Errorf("%s: %q", release, body)
		}
	}
}

func TestPrecompressed(t *testing.T) {
	root := tree(t, map[string]string{
		"a.css": "plain", "a.css.gz": "gzip", "a.css.br": "brotli", "a.css.zst": "zstandard",
		"b.css": "plain", "b.css.gz": "gzip", "old.css": "plain", "old.css.gz": "stale", "index.html": "plain", "index.html.gz": "gzip",
	})
	past := time.Unix(1e9, 0)
	if err := os.Chtimes(filepath.Join(root, "old.css.gz"), past, past); err != nil {
		t.Fatal(err)
	}
	d := &Dir{Root: root, Precompressed: true}
	for _, c := range []struct{ path, accept, coding, body string }{
		{"/a.css", "gzip, deflate, br, zstd", "zstd", "zstandard"},
		{"/a.css", "gzip, br", "br", "brotli"},
		{"/a.css", "gzip, br;q=0.9", "gzip", "gzip"},
		{"/a.css", "", "", "plain"},
		{"/a.css", "identity, gzip;q=0.5", "", "plain"},
		{"/b.css", "gzip;q=0.1, br, zstd", "gzip", "gzip"},
		{"/b.css", "br, zstd", "", "plain"},
		{"/old.css", "gzip", "", "plain"},
		{"/", "gzip", "gzip", "gzip"},
	} {
		r := d.Serve(parsed(t, nil, "GET "+c.path+" HTTP/1.1\r\nHost: h\r\nAccept-Encoding: "+c.accept+"\r\n\r\n"))
		q, body := answered(t, r, "GET", "")
		kind := map[bool]string{true: "text/html; charset=utf-8", false: "text/css; charset=utf-8"}[c.path == "/"]
		if body != c.body || q.Header.Get("Content-Encoding") != c.coding || q.Header.Get("Vary") != "Accept-Encoding" || q.Header.Get("Content-Type") != kind {
			t.Errorf("%s for %q: %q, %v", c.path, c.accept, body, q.Header)
		}
	}
	if r := (&Dir{Root: root}).Serve(parsed(t, nil, "GET /a.css HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n")); r.Get("Vary")+r.Get("Content-Encoding") != "" {
		t.Error("siblings served unasked")
	}
}

func FuzzDir(f *testing.F) {
	root := tree(f, map[string]string{"a": "A", "d/b": "B"})
	if err := os.Symlink("..", filepath.Join(root, "up")); err != nil {
		f.Skip(err)
	}
	f.Add("/up/secret")
	f.Add("/d/%2e%2e/..\\/a")
	d := &Dir{Root: root, Hidden: true}
	f.Fuzz(func(t *testing.T, target string) {
		var p Parser
		var r Request
		if _, step, err := p.Parse(&r, []byte("GET "+target+" HTTP/1.1\r\nHost: h\r\n\r\n")); step != GotRequest || err != nil {
			return
		}
		out := string(d.Serve(&r).Append(nil, r.Exchange(), nil))
		if strings.Contains(out, "SECRET") || strings.Contains(out, "HTTP/1.1 5") || strings.Contains(out, "Location: /") {
			t.Fatalf("%q: %q", target, out)
		}
	})
}
