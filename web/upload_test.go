package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// uploaded is the form of a body with files of that content.
func uploaded(t testing.TB, o *Options, contents ...string) *Form {
	t.Helper()
	f, err := NewFormReader(formType, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range contents {
		head := fmt.Sprintf(`Content-Disposition: form-data; name="f%d"; filename="%d.txt"`, i, i)
		if err := f.Write([]byte(part(head, s))); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Write([]byte("--b--\r\n")); err != nil {
		t.Fatal(err)
	}
	form, err := f.Close()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Close(); err == nil {
		t.Error("a second Close gives a form again")
	}
	if err := f.Write([]byte("x")); err == nil {
		t.Error("a Write after Close")
	}
	f.Discard()
	return form
}

func TestFilesBeyondTheMemoryAreSpooled(t *testing.T) {
	dir := t.TempDir()
	o := &Options{UploadDir: dir, MaxUploadMemory: 100}
	content := []string{strings.Repeat("a", 60), strings.Repeat("b", 41), strings.Repeat("c", 40), strings.Repeat("d", 1<<20)}
	form := uploaded(t, o, content...)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d files, %v, want 2", len(entries), err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode() != 0o600 || !strings.HasPrefix(e.Name(), "workerman-upload-") {
			t.Errorf("%v, %v", info, err)
		}
	}
	for i, u := range form.Uploads {
		f, err := u.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Seek(1, io.SeekStart); err != nil {
			t.Error(err)
		}
		got, err := io.ReadAll(f)
		if err != nil || string(got) != content[i][1:] || u.Size != int64(len(content[i])) {
			t.Errorf("upload %d: %d bytes, %v", i, len(got), err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	form.Remove()
	form.Remove()
	noFilesIn(t, dir)
	for _, u := range form.Uploads {
		if _, err := u.Open(); err == nil {
			t.Error("open after Remove")
		}
		if _, err := u.Bytes(); err == nil {
			t.Error("bytes after Remove")
		}
		if err := u.SaveTo(filepath.Join(dir, "x")); err == nil {
			t.Error("saved after Remove")
		}
	}
}

func TestSaveTo(t *testing.T) {
	dir, home := t.TempDir(), t.TempDir()
	other := home
	if shm, err := os.MkdirTemp("/dev/shm", "workerman-test-"); err == nil { // another file system
		other = shm
		defer os.RemoveAll(shm)
	}
	for name, memory := range map[string]int64{"memory": 0, "disk": -1} {
		for _, where := range []string{home, other} {
			form := uploaded(t, &Options{UploadDir: dir, MaxUploadMemory: memory}, "content", "left")
			u := form.Uploads[0]
			taken, path := filepath.Join(where, "taken"), filepath.Join(where, "saved")
			if err := os.WriteFile(taken, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := u.SaveTo(taken); !errors.Is(err, fs.ErrExist) {
				t.Errorf("%s: saved over a file: %v", name, err)
			}
			if err := u.SaveTo(filepath.Join(where, "missing", "x")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: saved to nowhere: %v", name, err)
			}
			if b, err := os.ReadFile(taken); string(b) != "precious" {
				t.Errorf("%s: the file is %q, %v", name, b, err)
			}
			if err := u.SaveTo(path); err != nil {
				t.Fatal(name, err)
			}
			if err := u.SaveTo(path + "2"); err != nil {
				t.Fatal(name, err)
			}
			form.Remove()
			for _, p := range []string{path, path + "2"} {
				if b, err := os.ReadFile(p); string(b) != "content" {
					t.Errorf("%s: %q, %v", name, b, err)
				}
				if info, err := os.Stat(p); err != nil || info.Mode() != 0o600 {
					t.Errorf("%s: %v, %v", name, info, err)
				}
				os.Remove(p)
			}
			os.Remove(taken)
			noFilesIn(t, dir)
		}
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	dir := t.TempDir()
	o := &Options{UploadDir: dir, MaxUploadMemory: -1}
	head := part(`Content-Disposition: form-data; name="f"; filename="a"`, "1") + "--b\r\n" +
		`Content-Disposition: form-data; name="f"; filename="b"` + "\r\n\r\n" + strings.Repeat("2", 100)
	for name, end := range map[string]func(f *FormReader) error{
		"malformed": func(f *FormReader) error { return f.Write([]byte("\r\n--bb")) },
		"cut":       func(f *FormReader) error { _, err := f.Close(); return err },
		"discarded": func(f *FormReader) error {
			f.Discard()
			f.Discard()
			return f.Write(nil)
		},
	} {
		f, err := NewFormReader(formType, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Write([]byte(head)); err != nil {
			t.Fatal(err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 2 {
			t.Fatalf("%s: %d files on the way", name, len(entries))
		}
		if err := end(f); err == nil {
			t.Errorf("%s: accepted", name)
		}
		noFilesIn(t, dir)
	}
}

func TestDiskErrors(t *testing.T) {
	o := &Options{UploadDir: filepath.Join(t.TempDir(), "missing"), MaxUploadMemory: -1}
	f, err := NewFormReader(formType, o)
	if err != nil {
		t.Fatal(err)
	}
	var e *Error
	if err := f.Write([]byte(part(`Content-Disposition: form-data; name="f"; filename="a"`, "1"))); !errors.As(err, &e) || e.Status != 500 || !strings.Contains(e.Reason, "missing") {
		t.Errorf("%v", err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full to write to")
	}
	defer full.Close()
	_, err = full.Write([]byte("x"))
	if e := diskError(err); e == nil || e.Status != 507 {
		t.Errorf("full disk: %v", e)
	}
}

// multipartRequest is a request with body as its form.
func multipartRequest(body string, chunked bool) string {
	head := "POST /up HTTP/1.1\r\nHost: h\r\nContent-Type: " + formType + "\r\n"
	if !chunked {
		return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
	}
	b := []byte(head + "Transfer-Encoding: chunked\r\n\r\n")
	for piece := range slices.Chunk([]byte(body), 13) {
		b = AppendChunk(b, piece)
	}
	return string(AppendLastChunk(b, Field{"T", "u"}))
}

func TestMultipartRequests(t *testing.T) {
	body := part(named, "1") + part(named, "2") + part(`Content-Disposition: form-data; name="f"; filename="a.txt"`, "content") + "--b--\r\n"
	look := func(r *Request) string {
		s := r.Form("n") + r.Form("none")
		for name, value := range r.FormAll() {
			s += " " + name + "=" + value
		}
		for range r.FormAll() {
			break
		}
		for _, u := range r.Uploads() {
			b, _ := u.Bytes()
			s += " " + u.Field + ":" + string(b)
		}
		if u := r.Upload("f"); u == nil || u.Name != "a.txt" || r.Upload("n") != nil {
			s += " uploads differ"
		}
		return s
	}
	const want = "1 n=1 n=2 f:content"
	for _, chunked := range []bool{false, true} {
		r := parsed(t, nil, multipartRequest(body, chunked))
		c := r.Clone()
		if got := look(r); got != want {
			t.Errorf("collected: %s", got)
		}
		clear(r.Body())
		if got := look(c); got != want {
			t.Errorf("clone: %s", got)
		}
		if got := look(r.Clone()); got != want {
			t.Errorf("clone afterwards: %s", got)
		}
		for _, step := range []int{1, 10, 1 << 20} {
			if got, _ := drive(t, &Options{Uploads: true, UploadDir: t.TempDir(), MaxUploadMemory: 3}, multipartRequest(body, chunked), step, look); got != want {
				t.Errorf("streamed by %d: %s", step, got)
			}
		}
	}
	bad := parsed(t, nil, multipartRequest("--b--x", false))
	if _, err := bad.Multipart(); err == nil || err.(*Error).Status != 400 || bad.Form("n") != "" || bad.Uploads() != nil {
		t.Errorf("malformed: %v", err)
	}
	plain := parsed(t, nil, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab")
	if _, err := plain.Multipart(); err == nil || err.(*Error).Status != 415 || plain.Upload("f") != nil {
		t.Errorf("no form: %v", err)
	}
}

// drive reads a request as the owner of a connection with Uploads does. It returns what look
// says of the request, and the steps of the parser.
func drive(t *testing.T, o *Options, input string, step int, look func(*Request) string) (seen, steps string) {
	t.Helper()
	if o.UploadDir != "" {
		defer noFilesIn(t, o.UploadDir)
	}
	p := Parser{Options: o}
	var r Request
	var request *Request
	var form *FormReader
	var kept []byte
	for input != "" {
		n := min(step, len(input))
		kept, input = append(kept, input[:n]...), input[n:]
		for more := true; more; {
			used, s, err := p.Parse(&r, kept)
			if err != nil {
				t.Fatal(err)
			}
			switch s {
			case NeedMore:
				more = false
			case GotHead:
				steps += "H"
				request = r.Clone()
				if form, err = NewFormReader(request.Header("Content-Type"), o); err != nil {
					t.Fatal(err)
				}
			case GotPiece:
				if err := form.Write(r.Body()); err != nil {
					t.Fatal(err)
				}
			case GotRequest:
				steps += "R"
				if form == nil {
					request = r.Clone()
				} else {
					f, err := form.Close()
					if err != nil {
						t.Fatal(err)
					}
					defer f.Remove()
					request.AttachForm(f)
				}
				seen += look(request.Clone())
				form = nil
			}
			kept = bytes.Clone(kept[used:])
		}
	}
	return seen, steps
}

func TestOnlyFormsAreStreamed(t *testing.T) {
	post := func(kind, body string) string {
		return fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", kind, len(body), body)
	}
	o := &Options{Uploads: true}
	in := post("text/plain", "a") + post(formType, "--b--") + "GET / HTTP/1.1\r\nHost: h\r\n\r\n" + post("multipart/form-data", "b") + post("multipart/mixed; boundary=b", "c")
	for _, step := range []int{1, 1 << 20} {
		bodies, steps := drive(t, o, in, step, func(r *Request) string { return r.Method()[:1] + string(r.Body()) + " " })
		if bodies != "Pa P G Pb Pc " || steps != "RHRRRR" {
			t.Errorf("%q, %q", bodies, steps)
		}
	}
}
