package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"mime/multipart"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"

	"github.com/klauspost/compress/zstd"

	"github.com/workerman-go/workerman/web"
)

func TestHTTPFiles(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		content := numbered(5, 5<<20)
		path := filepath.Join(t.TempDir(), "big.txt")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, w := serve(t, k, "http", func(w *workerman.Worker) {
			w.MaxSendBuffer = 256 << 10
			w.OnRequest = func(c *workerman.Conn, r *web.Request) { c.Respond(web.File(path)) }
		})
		c := dial(t, w)
		io.WriteString(c, get("/")+get("/", "Range: bytes=10-19")+strings.Replace(get("/"), "GET", "HEAD", 1)+
			get("/", "Range: bytes=0-99999,4000000-4099999")+get("/", "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT")+
			get("/", "Range: bytes=99999999-")+get("/", "Connection: close"))
		r := newReader(t, c)
		for _, test := range []struct {
			method, status, body string
		}{
			{"GET", "200", string(content)}, {"GET", "206", string(content[10:20])}, {"HEAD", "200", ""},
			{"GET", "206", "multipart"}, {"GET", "304", ""}, {"GET", "416", "416 Range Not Satisfiable"}, {"GET", "200", string(content)},
		} {
			answer, body := r.Answer(test.method)
			if test.body == "multipart" {
				if !strings.Contains(body, string(content[:100_000])) || !strings.Contains(body, string(content[4_000_000:4_100_000])) {
					t.Error("a part is missing")
				}
				body = "multipart"
			}
			if !strings.HasPrefix(answer.Status, test.status) || body != test.body {
				t.Errorf("%s %v: %s, %d bytes", test.method, answer.Status, answer.Header, len(body))
			}
		}
		r.Ends()
	})
}

// A file whose client leaves is closed: checkLeaks sees descriptors.
func TestHTTPFileOfAClientThatLeaves(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	_, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
		w.OnRequest = func(c *workerman.Conn, r *web.Request) { c.Respond(web.File(path)) }
	})
	c := dial(t, w)
	io.WriteString(c, get("/"))
	io.ReadFull(c, make([]byte, 1000))
	c.Close()
	eventually(t, "the connection is gone", func() bool { return w.Stats().Connections == 0 })
}

// form is a multipart request with files of these sizes.
func form(path string, sizes ...int) (string, []string) {
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	m.WriteField("name", "value")
	var sums []string
	for i, size := range sizes {
		part, _ := m.CreateFormFile("file", fmt.Sprintf("../%d.bin", i))
		part.Write(numbered(i, size))
		sums = append(sums, fmt.Sprintf("%d.bin %d %x", i, size, sha256.Sum256(numbered(i, size))))
	}
	m.Close()
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", path, m.FormDataContentType(), b.Len(), &b), sums
}

func TestHTTPUploads(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		for _, blocking := range []bool{false, true} {
			dir := t.TempDir()
			_, w := serve(t, k, "http", func(w *workerman.Worker) {
				w.Blocking = blocking
				w.HTTP.UploadDir = dir
				w.MaxPackageSize = 8 << 20
				w.OnRequest = func(c *workerman.Conn, r *web.Request) {
					lines := []string{r.Form("name")}
					for _, u := range r.Uploads() {
						f, err := u.Open()
						if err != nil {
							t.Error(err)
							return
						}
						sum := sha256.New()
						io.Copy(sum, f)
						f.Close()
						lines = append(lines, fmt.Sprintf("%s %d %x", u.Name, u.Size, sum.Sum(nil)))
					}
					c.Respond(web.Text(strings.Join(lines, "\n")))
				}
			})
			c := dial(t, w)
			r := newReader(t, c)
			small, smallSums := form("/", 10, 0, 1000)
			large, largeSums := form("/", 3<<20, 100, 2<<20)
			go io.WriteString(c, small+large+small)
			for _, sums := range [][]string{smallSums, largeSums, smallSums} {
				if _, body := r.Answer("POST"); body != "value\n"+strings.Join(sums, "\n") {
					t.Errorf("%.200q", body)
				}
			}
			huge, _ := form("/", 9<<20)
			refused := dial(t, w)
			go io.WriteString(refused, huge)
			if answer, _ := newReader(t, refused).Answer("POST"); answer.StatusCode != 413 {
				t.Error(answer)
			}
			broken := dial(t, w)
			io.WriteString(broken, large[:4<<20])
			eventually(t, "a file is there", func() bool { return len(files(t, dir)) > 0 })
			broken.Close()
			eventually(t, "no file is left", func() bool { return len(files(t, dir)) == 0 })
		}
	})
}

func files(t *testing.T, dir string) []os.DirEntry {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestHTTPCompressesWhenAsked(t *testing.T) {
	page := strings.Repeat("the same again and again\n", 4000)
	_, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
		w.HTTP.Compress.Enabled = true
		w.OnRequest = func(c *workerman.Conn, r *web.Request) {
			if r.Path() == "/page" {
				c.Respond(web.Text(page))
				return
			}
			st, _ := c.Stream(web.Text(page[:100]))
			for i := 100; i < len(page); i += 9999 {
				st.Write([]byte(page[i:min(i+9999, len(page))]))
			}
			st.End()
		}
	})
	for _, path := range []string{"/page", "/stream"} {
		for _, encoding := range []string{"gzip", "zstd", "identity"} {
			c := dial(t, w)
			io.WriteString(c, get(path, "Accept-Encoding: "+encoding, "Connection: close"))
			answer, body := newReader(t, c).Answer("GET")
			var plain io.Reader = strings.NewReader(body)
			var err error
			switch got := answer.Header.Get("Content-Encoding"); got {
			case "gzip":
				plain, err = gzip.NewReader(plain)
			case "zstd":
				var d *zstd.Decoder
				d, err = zstd.NewReader(plain, zstd.WithDecoderConcurrency(1))
				defer d.Close()
				plain = d
			case "":
				if encoding != "identity" {
					t.Errorf("%s: not compressed", encoding)
				}
			default:
				t.Errorf("%s: %s", encoding, got)
			}
			if err != nil {
				t.Fatal(err)
			}
			if all, err := io.ReadAll(plain); err != nil || string(all) != page {
				t.Errorf("%s %s: %d bytes, %v", path, encoding, len(all), err)
			}
			if encoding != "identity" && len(body) > len(page)/10 {
				t.Errorf("%s: %d bytes", encoding, len(body))
			}
		}
	}
}
