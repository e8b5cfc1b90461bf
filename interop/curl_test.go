package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// curl runs curl with input and returns what it prints.
func curl(t *testing.T, input string, args ...string) string {
	t.Helper()
	return run(t, input, "curl", append([]string{"-sS", "--max-time", "25"}, args...)...)
}

// file is a file of the test with a content.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// written is what curl is told to report behind a body.
const written = "\n%{http_code} %{num_connects}"

func TestCurl(t *testing.T) {
	need(t, "curl")
	s := serve(t, false, "http", site(t))
	url := "http://" + s.address()
	upload := string(large()[:2_000_000])
	path := file(t, "two megabytes.bin", upload)
	for _, x := range []struct {
		name  string
		input string
		args  []string
		want  string
	}{
		{"GET", "", []string{url + "/echo?a=b&c=%20"}, `GET HTTP/1.1 "a=b&c=%20" ""`},
		{"HEAD", "", []string{"-I", "-o", os.DevNull, "-w", "%{http_code} %header{content-length} %{size_download}", url + "/page"}, fmt.Sprintf("200 %d 0", len(page))},
		{"POST", "", []string{"-d", "a=b", url + "/echo"}, `POST HTTP/1.1 "" "a=b"`},
		{"PUT", "", []string{"-X", "PUT", "-d", "x", url + "/echo"}, `PUT HTTP/1.1 "" "x"`},
		{"DELETE", "", []string{"-X", "DELETE", url + "/echo"}, `DELETE HTTP/1.1 "" ""`},
		{"not found", "", []string{"-w", written, url + "/nowhere"}, "404 Not Found\n404 1"},
		{"chunked request", upload, []string{"-H", "Transfer-Encoding: chunked", "--data-binary", "@-", url + "/digest"}, digest([]byte(upload))},
		{"Expect: 100-continue", "", []string{"-H", "Expect: 100-continue", "--expect100-timeout", "20", "--data-binary", "@" + path, url + "/digest"}, digest([]byte(upload))},
		{"upload of a file", "", []string{"-T", path, url + "/digest"}, digest([]byte(upload))},
		{"upload of a pipe", upload, []string{"-T", "-", url + "/digest"}, digest([]byte(upload))},
		{"multipart form", "", []string{"-F", "note=ä & b", "-F", "one=@" + path + ";type=image/png", "-F", "two=@" + file(t, "b.txt", "hello"), url + "/upload"},
			"note=ä & b\none two megabytes.bin image/png " + digest([]byte(upload)) + "\ntwo b.txt text/plain " + digest([]byte("hello"))},
		{"range", "", []string{"-r", "100-199", "-w", "%{http_code}", url + "/files/large.bin"}, string(large()[100:200]) + "206"},
		{"range at the end", "", []string{"-r", "-50", url + "/files/large.bin"}, string(large()[len(large())-50:])},
		{"range behind the end", "", []string{"-r", "99999999-", "-o", os.DevNull, "-w", "%{http_code} %header{content-range}", url + "/files/large.bin"}, fmt.Sprintf("416 bytes */%d", len(large()))},
		{"chunked answer", "", []string{url + "/chunks"}, "one,two,three"},
		{"HTTP/1.0", "", []string{"--http1.0", url + "/echo"}, `GET HTTP/1.0 "" ""`},
		{"stream to HTTP/1.0", "", []string{"--http1.0", url + "/chunks"}, "one,two,three"},
		{"HTTP/1.0 with keep-alive", "", []string{"--http1.0", "-H", "Connection: keep-alive", "-w", written + "\n", url + "/echo", url + "/echo"},
			"GET HTTP/1.0 \"\" \"\"\n200 1\nGET HTTP/1.0 \"\" \"\"\n200 0\n"},
		{"one connection for several requests", "", []string{"-w", written + "\n", url + "/echo?1", "--next", "-sS", "-d", "x", "-w", written + "\n", url + "/echo?2", "--next", "-sS", "-I", "-o", os.DevNull, "-w", written + "\n", url + "/page", "--next", "-sS", "-w", written, url + "/echo?4"},
			"GET HTTP/1.1 \"1\" \"\"\n200 1\nPOST HTTP/1.1 \"2\" \"x\"\n200 0\n\n200 0\nGET HTTP/1.1 \"4\" \"\"\n200 0"},
		{"gzip", "", []string{"--compressed", "-H", "Accept-Encoding: gzip", "-w", "%header{content-encoding}", url + "/page"}, page + "gzip"},
		{"zstd", "", []string{"--compressed", "-H", "Accept-Encoding: zstd", "-w", "%header{content-encoding}", url + "/page"}, page + "zstd"},
		{"h2c is not taken", "", []string{"--http2", "-w", " %{http_version}", url + "/echo"}, `GET HTTP/1.1 "" "" 1.1`},
	} {
		t.Run(x.name, func(t *testing.T) {
			if x.name == "zstd" && !strings.Contains(run(t, "", "curl", "-V"), "zstd") {
				t.Skip("this curl has no zstd")
			}
			if got := curl(t, x.input, x.args...); got != x.want {
				t.Errorf("%s\nwant\n%s", tail(got), tail(x.want))
			}
		})
	}
	t.Run("download", func(t *testing.T) {
		if got := curl(t, "", url+"/files/large.bin"); got != string(large()) {
			t.Errorf("%d bytes of %d came", len(got), len(large()))
		}
	})
	t.Run("refused upload", func(t *testing.T) {
		// curl asks before it sends, and is told no.
		huge := file(t, "huge", strings.Repeat("x", 65<<20))
		got := curl(t, "", "-H", "Expect: 100-continue", "--expect100-timeout", "20", "-w", "%{http_code} %{size_upload}", "-o", os.DevNull, "--data-binary", "@"+huge, url+"/digest")
		if got != "413 0" {
			t.Errorf("%q, want 413 and nothing sent", got)
		}
	})
	t.Run("resumed download", func(t *testing.T) {
		half := file(t, "half", string(large()[:1_000_000]))
		curl(t, "", "-C", "-", "-o", half, url+"/files/large.bin")
		if got, err := os.ReadFile(half); err != nil || string(got) != string(large()) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
	t.Run("not modified", func(t *testing.T) {
		tag := filepath.Join(t.TempDir(), "etag")
		curl(t, "", "--etag-save", tag, "-o", os.DevNull, url+"/files/large.bin")
		if got := curl(t, "", "--etag-compare", tag, "-w", "%{http_code}", url+"/files/large.bin"); got != "304" {
			t.Errorf("%d bytes, want 304 alone", len(got))
		}
	})
	t.Run("cookies", func(t *testing.T) {
		jar := filepath.Join(t.TempDir(), "jar")
		curl(t, "", "-c", jar, url+"/login")
		if got := curl(t, "", "-b", jar, url+"/whoami"); got != "a b;c" {
			t.Errorf("the cookie is %q", got)
		}
	})
	t.Run("events", func(t *testing.T) { watchEvents(t, url) })
}

// watchEvents sees with curl that the first event arrives before there is a second.
func watchEvents(t *testing.T, url string) {
	out := start(t, "curl", "-sSN", "--max-time", "25", url+"/events")
	const first = "event: tick\nid: 1\ndata: first\ndata: event\n\n"
	eventually(t, "the first event", func() bool { return strings.Contains(out.Output.String(), first) })
	curl(t, "", url+"/go-on")
	eventually(t, "the second event", func() bool { return out.Output.String() == first+"id: 2\ndata: second\n\n" })
}
