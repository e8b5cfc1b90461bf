package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"os"
	"strings"
	"testing"
)

const formType = "multipart/form-data; boundary=b"

// readForm gives body to a FormReader step bytes at a time, in memory that is spoilt
// afterwards, and describes the form, or the refusal.
func readForm(t testing.TB, contentType, body string, o *Options, step int) string {
	t.Helper()
	f, err := NewFormReader(contentType, o)
	if err != nil {
		return err.Error()
	}
	for body != "" {
		piece := []byte(body[:min(step, len(body))])
		body = body[len(piece):]
		err := f.Write(piece)
		for i := range piece {
			piece[i] = '!'
		}
		if err != nil {
			if _, again := f.Close(); again != err {
				t.Errorf("%v, and then %v", err, again)
			}
			return err.Error()
		}
	}
	form, err := f.Close()
	if err != nil {
		return err.Error()
	}
	defer form.Remove()
	return describeForm(t, form)
}

func describeForm(t testing.TB, form *Form) string {
	t.Helper()
	var s strings.Builder
	for _, f := range form.Fields {
		fmt.Fprintf(&s, "%q=%q ", f.Name, f.Value)
	}
	for _, u := range form.Uploads {
		b, err := u.Bytes()
		if err != nil || int64(len(b)) != u.Size {
			t.Errorf("%q: %d bytes of %d, %v", u.Name, len(b), u.Size, err)
		}
		fmt.Fprintf(&s, "%q:%q(%s)=%q ", u.Field, u.Name, u.Type, b)
	}
	return s.String()
}

// agreeForm reads body in several ways, which must not differ.
func agreeForm(t testing.TB, contentType, body string, o *Options, steps ...int) string {
	t.Helper()
	want := readForm(t, contentType, body, o, max(1, len(body)))
	for _, step := range steps {
		if got := readForm(t, contentType, body, o, step); got != want {
			t.Fatalf("%q by %d: %s\nat once: %s", body, step, got, want)
		}
	}
	return want
}

// part is a part of a form with the boundary b.
func part(head, content string) string {
	return "--b\r\n" + head + "\r\n\r\n" + content + "\r\n"
}

const named = `Content-Disposition: form-data; name="n"`

func TestForms(t *testing.T) {
	file := `Content-Disposition: form-data; name="f"; filename="a.txt"`
	for _, c := range []struct{ name, body, want string }{
		{"a field", part(named, "v") + "--b--\r\n", `"n"="v" `},
		{"nothing behind the last hyphens", part(named, "v") + "--b--", `"n"="v" `},
		{"padding", "--b \t\r\n" + named + "\r\n\r\nv\r\n--b-- \r\n", `"n"="v" `},
		{"an empty line before", "\r\n" + part(named, "v") + "--b--\r\n", `"n"="v" `},
		{"an epilogue", part(named, "v") + "--b--\r\n--b\r\nx", `"n"="v" `},
		{"no parts", "--b--\r\n", ""},
		{"an empty value", part(named, "") + "--b--", `"n"="" `},
		{"a part without content", "--b\r\n" + named + "\r\n\r\n--b--", `"n"="" `},
		{"names repeated, in order", part(named, "1") + part(named, "2") + "--b--", `"n"="1" "n"="2" `},
		{"beginnings of the boundary", part(named, "--\r\n\r\n--\r\n-\r--b\n--b \r\r\n--c\r") + "--b--", `"n"="--\r\n\r\n--\r\n-\r--b\n--b \r\r\n--c\r" `},
		{"a boundary's beginning first", part(named, "--c") + "--b--", `"n"="--c" `},
		{"a file", part(file+"\r\nContent-Type: Text/Plain; charset=x", "1\x00\r\n2") + "--b--", `"f":"a.txt"(text/plain)="1\x00\r\n2" `},
		{"a file of no type", part(file+"\r\ncontent-type: bad", "1") + "--b--", `"f":"a.txt"(application/octet-stream)="1" `},
		{"no file chosen", part(`Content-Disposition: form-data; name="f"; filename=""`, "") + "--b--", ""},
		{"a file without a name", part(`Content-Disposition: form-data; name="f"; filename=""`, "x") + "--b--", `"f":"unnamed"(application/octet-stream)="x" `},
		{"other fields of the part", part(named+"\r\nX: y\r\nContent-Transfer-Encoding: binary", "v") + "--b--", `"n"="v" `},
		{"an empty body", "", "http: 400: multipart without its last boundary"},

		{"no last boundary", part(named, "v"), "http: 400: multipart without its last boundary"},
		{"half a last boundary", part(named, "v") + "--b-", "http: 400: multipart without its last boundary"},
		{"half a line end", part(named, "v") + "--b--\r", "http: 400: multipart without its last boundary"},
		{"cut in a head", "--b\r\n" + named, "http: 400: multipart without its last boundary"},
		{"a preamble", "x\r\n" + part(named, "v") + "--b--", "http: 400: multipart that does not begin with its boundary"},
		{"two empty lines before", "\r\n\r\n" + part(named, "v") + "--b--", "http: 400: multipart that does not begin with its boundary"},
		{"a wrong boundary", "--c--\r\n", "http: 400: multipart that does not begin with its boundary"},
		{"a longer boundary", "--bc\r\n", "http: 400: malformed line of the multipart boundary"},
		{"a longer boundary in a value", part(named, "x\r\n--bc") + "--b--", "http: 400: malformed line of the multipart boundary"},
		{"one hyphen", "--b-\r\n", "http: 400: malformed line of the multipart boundary"},
		{"hyphens behind padding", "--b --\r\n", "http: 400: malformed line of the multipart boundary"},
		{"text behind the last boundary", part(named, "v") + "--b--x", "http: 400: malformed line of the multipart boundary"},
		{"line feed behind the boundary", "--b\n" + named + "\n\nv\n--b--\n", "http: 400: malformed line of the multipart boundary"},
		{"line feed in a head", "--b\r\n" + named + "\n\r\nv\r\n--b--", "http: 400: line feed without carriage return"},
		{"line feed as an empty line", "--b\r\n" + named + "\r\n\nv\r\n--b--", "http: 400: line feed without carriage return"},
		{"a folded line", part(named+";\r\n filename=x", "v"), "http: 400: folded header line"},
		{"a bad field", part("a b: c\r\n"+named, "v"), "http: 400: space before the colon of a field"},
		{"no head", "--b\r\n\r\nv\r\n--b--", "http: 400: a part of the form without a valid Content-Disposition"},
		{"no disposition", part("Content-Type: text/plain", "v"), "http: 400: a part of the form without a valid Content-Disposition"},
		{"two dispositions", part(named+"\r\n"+named, "v"), "http: 400: a part of the form without a valid Content-Disposition"},
		{"an attachment", part(`Content-Disposition: attachment; name="n"`, "v"), "http: 400: a part of the form without a valid Content-Disposition"},
		{"no name", part("Content-Disposition: form-data", "v"), "http: 400: a part of the form without a name"},
		{"base64", part(named+"\r\nContent-Transfer-Encoding: base64", "dg=="), "http: 400: a part of the form with a Content-Transfer-Encoding"},
		{"many head fields", part(strings.Repeat("a: b\r\n", 16)+named, "v"), "http: 413: head of a part of the form too long"},
	} {
		if got := agreeForm(t, formType, c.body, nil, 1, 2, 3, 7); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestFormTypes(t *testing.T) {
	for in, want := range map[string]string{
		"multipart/form-data; boundary=b":                           "",
		`Multipart/Form-Data;charset=utf-8 ; BOUNDARY="b"`:          "",
		`multipart/form-data; boundary="b";`:                        "",
		"multipart/mixed; boundary=b":                               "http: 415: not a multipart form",
		"":                                                          "http: 415: not a multipart form",
		"multipart/form-data":                                       "http: 400: multipart without a valid boundary",
		"multipart/form-data; boundary=":                            "http: 400: multipart without a valid boundary",
		`multipart/form-data; boundary=""`:                          "http: 400: multipart without a valid boundary",
		`multipart/form-data; boundary="b `:                         "http: 400: multipart without a valid boundary",
		`multipart/form-data; boundary="b "`:                        "http: 400: multipart without a valid boundary",
		"multipart/form-data; boundary=b; boundary=b":               "http: 400: multipart without a valid boundary",
		"multipart/form-data; boundary=b, multipart/form-data":      "http: 400: multipart without a valid boundary",
		"multipart/form-data; boundary = b":                         "http: 400: multipart without a valid boundary",
		"multipart/form-data; boundary=b\x80":                       "http: 400: multipart without a valid boundary",
		"multipart/form-data; boundary=" + strings.Repeat("b", 71):  "http: 400: multipart without a valid boundary",
		`multipart/form-data; boundary="b;"`:                        "http: 400: multipart without a valid boundary",
		`multipart/form-data; boundary="` + `a'()+_,-./:=? b` + `"`: "http: 400: multipart that does not begin with its boundary",
	} {
		if want == "" {
			want = `"n"="v" `
		}
		if got := readForm(t, in, part(named, "v")+"--b--", nil, 5); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	long := strings.Repeat("b", 70)
	body := "--" + long + "\r\n" + named + "\r\n\r\n\r\n--" + long[1:] + "\r\n--" + long + "--"
	if got, want := agreeForm(t, "multipart/form-data; boundary="+long, body, nil, 1, 9), fmt.Sprintf("%q=%q ", "n", "\r\n--"+long[1:]); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestFormLimits(t *testing.T) {
	file := func(name string) string {
		return `Content-Disposition: form-data; name="f"; filename="` + name + `"`
	}
	// Files go to the disk, so that the directory must be empty after each.
	dir := t.TempDir()
	o := Options{MaxPartHead: len(named) + 4, MaxFormFields: 2, MaxFormMemory: 10, MaxUploads: 2, MaxUploadMemory: 4, UploadDir: dir}
	wide := o
	wide.MaxPartHead = 200
	for _, c := range []struct {
		name string
		o    Options
		body string
		want string
	}{
		{"a head of exactly that size", o, part(named, "v"), `"n"="v" `},
		{"a longer head", o, part(named+" ", "v"), "http: 413: head of a part of the form too long"},
		{"two fields", o, part(named, "1") + part(named, "2"), `"n"="1" "n"="2" `},
		{"three fields", o, part(named, "1") + part(named, "2") + part(named, "3"), "http: 413: too many fields in the form"},
		{"a value of exactly that size", o, part(named, "123456789"), `"n"="123456789" `},
		{"a longer value", o, part(named, "1234567890"), "http: 413: names and values of the form too long"},
		{"long values", o, part(named, "1234") + part(named, "12345"), "http: 413: names and values of the form too long"},
		{"long names of files", wide, part(file("a"), ""), "http: 413: names and values of the form too long"},
	} {
		if got := agreeForm(t, formType, c.body+"--b--", &c.o, 1, 2, 5); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	wide.MaxFormMemory = 0
	three := part(file("a"), "12345") + part(file("b"), "12345") + part(file("c"), "1")
	if got := agreeForm(t, formType, three+"--b--", &wide, 1, 7); got != "http: 413: too many files in the form" {
		t.Error(got)
	}
	noFilesIn(t, dir)
}

func noFilesIn(t testing.TB, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("left behind: %s", e.Name())
	}
}

// standardForm reads the same with mime/multipart, as far as we accept it.
func standardForm(t *testing.T, boundary, body string) string {
	t.Helper()
	var fields, files strings.Builder
	r := multipart.NewReader(strings.NewReader(body), boundary)
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return fields.String() + files.String()
		}
		if err != nil {
			t.Fatalf("%q: mime/multipart refuses it: %v", body, err)
		}
		content, err := io.ReadAll(p)
		if err != nil {
			t.Fatalf("%q: mime/multipart refuses it: %v", body, err)
		}
		d, e := parseDisposition(p.Header.Get("Content-Disposition"))
		if e != nil || len(p.Header["Content-Disposition"]) != 1 {
			t.Fatalf("%q: disposition %q, %v", body, p.Header["Content-Disposition"], e)
		}
		if !d.isFile {
			fmt.Fprintf(&fields, "%q=%q ", d.name, content)
		} else if d.file != "" || len(content) > 0 {
			kind, _, _ := strings.Cut(p.Header.Get("Content-Type"), ";")
			fmt.Fprintf(&files, "%q:%q(%s)=%q ", d.name, safeName(d.file), validType(kind), content)
		}
	}
}

func FuzzMultipart(f *testing.F) {
	file := "Content-Disposition: form-data; name=f; filename=\"a.txt\"\r\nContent-Type: text/plain"
	f.Add(part(named, "v")+part(file, "\r\n--\r\n\r--b\n--b")+"--b--\r\n", 3)
	f.Add("\r\n--b \r\n"+named+"\r\n\r\n--b\r\n"+file+"\r\n\r\n--c\r\n--b-- \t\r\nepilogue", 1)
	f.Add(part(named, "v\n--b\r\n")+"--b--", 2)
	f.Add("x\n--b\r\n"+named+"\r\n\r\nv\r\n--b--", 5)
	f.Add("--b\n"+named+"\n\nv\n--b--", 1)
	o := &Options{UploadDir: f.TempDir(), MaxUploadMemory: 8}
	f.Fuzz(func(t *testing.T, body string, step int) {
		got := agreeForm(t, formType, body, o, 1, max(1, min(step, len(body))))
		noFilesIn(t, o.UploadDir)
		if strings.HasPrefix(got, "http: ") {
			return
		}
		// net/textproto takes a colon at the end of a head for a key without a value, and
		// trims more than spaces and tabs, but what we accept it reads alike.
		if want := standardForm(t, "b", body); got != want {
			t.Fatalf("%q: %s\nmime/multipart: %s", body, got, want)
		}
	})
}

// BenchmarkUpload reads a form with a file of 4 MiB from pieces of the size of a loop's
// read buffer.
func BenchmarkUpload(b *testing.B) {
	content := bytes.Repeat([]byte("0123456789abcdef\r\n--x\n\x00\xff..........."), 4<<20/36)
	body := []byte(part(named, "v") + part(`Content-Disposition: form-data; name="f"; filename="a"`, string(content)) + "--b--\r\n")
	for name, memory := range map[string]int64{"memory": 16 << 20, "disk": -1} {
		b.Run(name, func(b *testing.B) {
			o := &Options{UploadDir: b.TempDir(), MaxUploadMemory: memory}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				f, err := NewFormReader(formType, o)
				if err != nil {
					b.Fatal(err)
				}
				for rest := body; len(rest) > 0; {
					n := min(64<<10, len(rest))
					if err := f.Write(rest[:n]); err != nil {
						b.Fatal(err)
					}
					rest = rest[n:]
				}
				form, err := f.Close()
				if err != nil || len(form.Uploads) != 1 {
					b.Fatal(err)
				}
				form.Remove()
			}
		})
	}
}
