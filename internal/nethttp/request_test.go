package nethttp

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/workerman-go/workerman/web"
)

// dump is what a handler sees of the head of a request.
func dump(r *http.Request) string {
	return fmt.Sprintf("%q %+v %q %d %d\n%q\nhost %q length %d coding %q close %v uri %q trailer %q", r.Method, *r.URL, r.Proto,
		r.ProtoMajor, r.ProtoMinor, r.Header, r.Host, r.ContentLength, r.TransferEncoding, r.Close, r.RequestURI, r.Trailer)
}

// headOf is what the parser and newRequest make of in, nil if one refuses it.
func headOf(in []byte) *http.Request {
	p := web.Parser{Options: &web.Options{Body: web.Stream, AnyMethod: true, MaxBody: -1}}
	var r web.Request
	if _, step, err := p.Parse(&r, bytes.Clone(in)); err != nil || step != web.GotHead {
		return nil
	}
	h := &Handling{conn: new(fakeConn), context: context.Background()}
	request, err := h.newRequest(&r)
	if err != nil {
		return nil
	}
	return request
}

// FuzzRequestAsInNetHTTP compares the heads that are accepted with what net/http reads.
func FuzzRequestAsInNetHTTP(f *testing.F) {
	text, err := os.ReadFile("testdata/requests.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if line[0] != '#' {
			head, err := strconv.Unquote(strings.TrimSpace(line))
			if err != nil {
				f.Fatalf("%s: %v", line, err)
			}
			f.Add([]byte(head))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		ours := headOf(in)
		if ours == nil {
			return
		}
		theirs, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(bytes.TrimLeft(in, "\r\n"))))
		if err != nil {
			if !strings.Contains(err.Error(), "bad trailer key") {
				t.Fatalf("net/http: %v", err)
			}
			return // it refuses the announcement, which here has no effect
		}
		if theirs.ProtoMinor > 1 {
			return // it is read as HTTP/1.1
		}
		delete(theirs.Header, "Host")
		if a, b := dump(theirs), dump(ours); a != b {
			t.Errorf("net/http %s\nours     %s", a, b)
		}
	})
}
