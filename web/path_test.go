package web

import (
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

func TestFilePath(t *testing.T) {
	for in, want := range map[string]string{
		"/": "/srv", "//": "/srv", "/a": "/srv/a", "/a/b.html": "/srv/a/b.html", "/a//b/": "/srv/a/b", "/%61%20b": "/srv/a b", "/.well-known/x": "/srv/.well-known/x",
		"/...": "/srv/...", "/a..b": "/srv/a..b", "//etc/passwd": "/srv/etc/passwd", "/100%25": "/srv/100%", "/%252e%252e/x": "/srv/%2e%2e/x", "/ä": "/srv/ä", "/a?b": "/srv/a?b", "/a:b": "/srv/a:b",
	} {
		if got, err := FilePath("/srv", in); got != want || err != nil {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "a", "*", "../a", "/..", "/../a", "/a/..", "/a/../b", "/.", "/./a", "/%2e%2e/a", "/%2E./a", "/.%2e", "/%2e", "/a%2fb", "/..%2fa", "/%2f..", "/a%5cb", "/..\\a", "/a\\b",
		"/..%5c..%5cx", "/a%00.html", "/a\x00", "/%", "/%2", "/%zz", "\\a", "%2fa",
	} {
		if got, err := FilePath("/srv", in); err != ErrPath {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for root, want := range map[string]string{"": "a", ".": "a", "/": "/a", "x/": "x/a", "x/..": "a"} {
		if got, err := FilePath(root, "/a"); got != want || err != nil {
			t.Errorf("root %q: %q, %v, want %q", root, got, err, want)
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"/", "/a/b", "/..", "/%2e%2e/a", "/a%2f..", "/a\\..\\b", "/%00", "/a//b/./c", "/%252e", "/.../x", "/\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := FilePath("/srv/www", raw)
		if err != nil {
			if got != "" || err != ErrPath {
				t.Fatalf("%q: %q, %v", raw, got, err)
			}
			return
		}
		if got != "/srv/www" && !strings.HasPrefix(got, "/srv/www/") || filepath.Clean(got) != got || strings.ContainsAny(got, "\\\x00") {
			t.Fatalf("%q: %q", raw, got)
		}
		// An independent reading: decoded as a whole and cleaned, it is the same file.
		decoded, err := url.PathUnescape(raw)
		if err != nil {
			t.Fatalf("%q: net/url refuses it: %v", raw, err)
		}
		if want := path.Join("/srv/www", path.Clean(decoded)); got != want {
			t.Fatalf("%q: %q, want %q", raw, got, want)
		}
	})
}
