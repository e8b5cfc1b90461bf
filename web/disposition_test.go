package web

import (
	"mime"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDispositions(t *testing.T) {
	const (
		bad   = "!a part of the form without a valid Content-Disposition"
		twice = "!a parameter of Content-Disposition twice"
	)
	for in, want := range map[string]string{
		`form-data; name="a"`:                                       "a",
		`FORM-DATA;NAME=a;`:                                         "a",
		`form-data; name=""`:                                        "",
		`form-data ; name="a" ; filename="b"`:                       "a|b",
		`form-data; filename=b; name=a`:                             "a|b",
		`form-data; name="a"; filename=""`:                          "a|",
		`form-data; name="a\"b\\c"`:                                 `a"b\c`,
		`form-data; name="a%22b%0D%0a%25"`:                          "a\"b\r\n%25",
		`form-data; name="ä"; filename="ü\x"`:                       `ä|ü\x`,
		`form-data; name=a; filename="C:\t\""`:                      `a|C:\t"`,
		`form-data; name=a; filename="\\s\a.b"`:                     `a|\s\a.b`,
		`form-data; name=a; filename*=UTF-8''%e2%82%ac.txt`:         "a|€.txt",
		`form-data; name=a; filename*=utf-8'en'x; filename="y"`:     "a|x",
		`form-data; name=a; filename="y"; filename*=utf-8'en'x`:     "a|x",
		`form-data; name=a; size=3; x="y z"`:                        "a",
		`form-data; name=a; filename*=iso-8859-1''%e4`:              "!filename* is not UTF-8 in the encoding of RFC 8187",
		`form-data; name=a; filename*=utf-8''%ff`:                   "!filename* is not UTF-8 in the encoding of RFC 8187",
		`form-data; name=a; filename*=utf-8''%4`:                    "!filename* is not UTF-8 in the encoding of RFC 8187",
		`form-data; name=a; filename*=utf-8'x`:                      "!filename* is not UTF-8 in the encoding of RFC 8187",
		`form-data; name=a; filename*=utf-8''x'y`:                   "!filename* is not UTF-8 in the encoding of RFC 8187",
		`form-data; name=a; NAME=b`:                                 twice,
		`form-data; name=a; filename=a; filename=b`:                 twice,
		`form-data; name=a; filename*=utf-8''a; filename*=utf-8''b`: twice,
		`form-data; name*=utf-8''a`:                                 bad,
		`form-data; name=a; filename*0=a`:                           bad,
		`form-data; filename=a`:                                     "!a part of the form without a name",
		`form-data; name=a;; filename=b`:                            bad,
		`form-data; name="a`:                                        bad,
		`form-data; name="a"b`:                                      bad,
		`form-data; name="a\"`:                                      bad,
		`form-data; name=`:                                          bad,
		`form-data; name = a`:                                       bad,
		`form-data; name=a b`:                                       bad,
		`form-data, name=a`:                                         bad,
		`attachment; name=a`:                                        bad,
		``:                                                          bad,
	} {
		d, e := parseDisposition(in)
		got := d.name
		if d.isFile {
			got += "|" + d.file
		}
		if e != nil {
			got = "!" + e.Reason
		}
		if got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func FuzzDisposition(f *testing.F) {
	f.Add(`form-data; name="a\"b"; filename="c\d"; filename*=UTF-8''%41`)
	f.Add(`form-data;name=a;filename="%22\\";x=y;`)
	f.Fuzz(func(t *testing.T, in string) {
		if !validBytes(in) {
			return
		}
		d, e := parseDisposition(in)
		if e != nil {
			return
		}
		kind, p, err := mime.ParseMediaType(in)
		if err != nil && strings.Contains(err.Error(), "duplicate") {
			return // of a parameter that we do not read
		}
		if err != nil || kind != "form-data" {
			t.Fatalf("%q: package mime says %q, %v", in, kind, err)
		}
		// Package mime takes a backslash away before more characters than two, and a name
		// in the encoding of RFC 2231 for what it cannot decode.
		if strings.Contains(in, `\`) || strings.Contains(in, "*") {
			return
		}
		file, isFile := p["filename"]
		if d.name != decodeBrowser(p["name"]) || d.isFile != isFile || d.file != decodeBrowser(file) {
			t.Fatalf("%q: %+v, package mime says %q", in, d, p)
		}
	})
}

func TestSafeNames(t *testing.T) {
	for in, want := range map[string]string{
		"a.txt":                               "a.txt",
		"my holiday (1).jpg":                  "my holiday (1).jpg",
		"Übung €.pdf":                         "Übung €.pdf",
		"":                                    noName,
		".":                                   noName,
		"..":                                  noName,
		"/":                                   noName,
		"a/":                                  noName,
		"../../etc/passwd":                    "passwd",
		`C:\Users\me\a.txt`:                   "a.txt",
		`\\server\x/..\b.txt`:                 "b.txt",
		`a:b*c?"<>|`:                          "a_b_c_____",
		"a\x00b\r\nc\x7f":                     "abc",
		"a\xff\xfeb":                          "a_b",
		"x\u202egpj.exe":                      "xgpj.exe",
		"\u200b":                              noName,
		".htaccess":                           "_htaccess",
		" . .a":                               "_ .a",
		"a.txt. . ":                           "a.txt",
		"CON":                                 "_CON",
		"con.tar.gz":                          "_con.tar.gz",
		"NUL .txt":                            "_NUL .txt",
		"com1":                                "_com1",
		"LPT².x":                              "_LPT².x",
		"com10":                               "com10",
		"console":                             "console",
		strings.Repeat("ä", 150) + ".jpeg":    strings.Repeat("ä", 97) + ".jpeg",
		strings.Repeat("a", 300):              strings.Repeat("a", 200),
		"a." + strings.Repeat("b", 300):       "a." + strings.Repeat("b", 198),
		strings.Repeat("a", 199) + "." + "b ": strings.Repeat("a", 198) + ".b",
	} {
		if got := safeName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzSafeName(f *testing.F) {
	f.Add("../a\\b.\x00txt ")
	f.Add("con.")
	f.Fuzz(func(t *testing.T, in string) {
		got := safeName(in)
		if got == "" || len(got) > maxName+1 || !utf8.ValidString(got) || strings.ContainsAny(got, "/\\:<>\"|?*\x00\r\n") || got[0] == '.' || strings.HasSuffix(got, ".") || strings.HasSuffix(got, " ") {
			t.Fatalf("%q: %q", in, got)
		}
		if again := safeName(got); again != got {
			t.Fatalf("%q: %q, then %q", in, got, again)
		}
	})
}

func TestAttachment(t *testing.T) {
	for in, want := range map[string]string{
		"":                "attachment",
		"a b.txt":         `attachment; filename="a b.txt"`,
		"€ rates.txt":     `attachment; filename="_ rates.txt"; filename*=UTF-8''%E2%82%AC%20rates.txt`,
		`a"b\c`:           `attachment; filename="a_b_c"; filename*=UTF-8''a%22b%5Cc`,
		"50%.txt":         `attachment; filename="50_.txt"; filename*=UTF-8''50%25.txt`,
		"a\r\nSet: b\x00": `attachment; filename="a__Set: b_"; filename*=UTF-8''a%0D%0ASet%3A%20b%00`,
		"../a\xff":        `attachment; filename=".._a_"; filename*=UTF-8''..%2Fa_`,
	} {
		r := Text("").Attachment(in)
		if got := r.Get("Content-Disposition"); got != want || r.Err() != nil {
			t.Errorf("%q: %s, %v, want %s", in, got, r.Err(), want)
		}
		if _, p, err := mime.ParseMediaType(want); err != nil || in != "" && p["filename"] != strings.ToValidUTF8(in, "_") {
			t.Errorf("%q: package mime reads %q, %v", in, p, err)
		}
	}
}
