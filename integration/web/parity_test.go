package web

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// dump is what a handler sees of a request, before and after it has read the body.
func dump(r *http.Request) string {
	before := fmt.Sprintf("%q %+v %q %d %d\n%q\nhost %q length %d coding %q close %v uri %q trailer %q", r.Method, *r.URL, r.Proto,
		r.ProtoMajor, r.ProtoMinor, r.Header, r.Host, r.ContentLength, r.TransferEncoding, r.Close, r.RequestURI, r.Trailer)
	body, err := io.ReadAll(r.Body)
	return fmt.Sprintf("%s\nbody %q %v trailer %q\nTLS %v form %v", before, body, err, r.Trailer, r.TLS, r.Form)
}

// requestHeads are requests with all forms of targets and fields that mean something.
func requestHeads(t *testing.T) (heads []string) {
	t.Helper()
	text, err := os.ReadFile("../../internal/nethttp/testdata/requests.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if line[0] != '#' {
			head, err := strconv.Unquote(strings.TrimSpace(line))
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			heads = append(heads, head)
		}
	}
	return heads
}

func TestRequestsAreThoseOfNetHTTP(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, dump(r))
	}))
	for _, in := range requestHeads(t) {
		method, _, _ := strings.Cut(in, " ")
		if method == "CONNECT" {
			continue // the answer to it has no body for a client; see the fuzz target
		}
		theirs, _ := exchange(t, p.theirs, in, method)
		ours, _ := exchange(t, p.ours, in, method)
		theirs[0].Interim, ours[0].Interim = nil, nil // ours is not sent if the body is there already
		if !reflect.DeepEqual(theirs, ours) {
			t.Errorf("%q\nnet/http %+v\nours     %+v", in, theirs, ours)
		}
	}
}

func TestRequestsByteByByte(t *testing.T) {
	seen := make(chan string, 1)
	_, w := mount(t, kind{Network: "tcp"}, func(w http.ResponseWriter, r *http.Request) { seen <- dump(r) })
	for _, in := range requestHeads(t) {
		var at []string
		for _, step := range []int{1, len(in)} {
			c := dial(t, w)
			for b := []byte(in); len(b) > 0; b = b[min(step, len(b)):] {
				c.Write(b[:min(step, len(b))])
			}
			at = append(at, receive(t, seen, in))
			c.Close()
		}
		if at[0] != at[1] {
			t.Errorf("%q\nbyte by byte %s\nat once %s", in, at[0], at[1])
		}
	}
}

func TestOptionsAsteriskConcernsTheServer(t *testing.T) {
	_, w := mount(t, kind{Network: "tcp"}, func(w http.ResponseWriter, r *http.Request) { t.Error("called") })
	answer := talk(t, w, "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(answer, "HTTP/1.1 200 OK\r\n") || !strings.Contains(answer, "\r\nContent-Length: 0\r\n") {
		t.Errorf("%q", answer)
	}
}
