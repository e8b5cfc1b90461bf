package workerman

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/workerman-go/workerman/web"
)

// dump is what a handler sees of a request, before and after it has read the body.
func dump(r *http.Request) string {
	before := fmt.Sprintf("%q %+v %q %d %d\n%q\nhost %q length %d coding %q close %v uri %q trailer %q", r.Method, *r.URL, r.Proto,
		r.ProtoMajor, r.ProtoMinor, r.Header, r.Host, r.ContentLength, r.TransferEncoding, r.Close, r.RequestURI, r.Trailer)
	body, err := io.ReadAll(r.Body)
	return fmt.Sprintf("%s\nbody %q %v trailer %q\nTLS %v form %v", before, body, err, r.Trailer, r.TLS, r.Form)
}

// requestHeads are requests with all forms of targets and fields that mean something.
var requestHeads = []string{
	"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /a%20b//c/../d?x=1&y=%20z HTTP/1.1\r\nHost: example.com:8080\r\n\r\n",
	"GET /%2Fa%3f?%3f HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /a;b=c,d:e@f!$&'()*+= HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /ä\"<>^`{|}\\ HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /? HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET //host/path HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /a:b HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET http://other.example:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET HTTPS://other.example HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET http://[::1]:81?q HTTP/1.1\r\nHost: a\r\n\r\n",
	"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n",
	"CONNECT [::1]:443 HTTP/1.1\r\nHost: x\r\n\r\n",
	"OPTIONS /x HTTP/1.1\r\nHost: a\r\n\r\n",
	"PROPFIND /x HTTP/1.1\r\nHost: a\r\n\r\n",
	"get / HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET / HTTP/1.0\r\n\r\n",
	"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Y\r\nX-y: 1\r\n\r\n",
	"GET / HTTP/1.1\r\nhOST: a\r\nACCEPT-encoding: gzip\r\nx_under: 1\r\naccept: a\r\nAccept: b,c\r\nx: \r\nX:\t y \r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nPragma: no-cache\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nPragma: no-cache\r\nCache-Control: max-age=1\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b; c=d\r\nCookie: e=f\r\nAuthorization: Basic YTpi\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nTrailer: X-A\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 003\r\n\r\nabc",
	"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
	"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nTrailer: x-sum, X-Other,\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\nX-New: 3\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
	"GET /x HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
}

func TestRequestsAreThoseOfNetHTTP(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, dump(r))
	}))
	for _, in := range requestHeads {
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
	_, w := mount(t, kind{network: "tcp"}, func(w http.ResponseWriter, r *http.Request) { seen <- dump(r) })
	for _, in := range requestHeads {
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
	_, w := mount(t, kind{network: "tcp"}, func(w http.ResponseWriter, r *http.Request) { t.Error("called") })
	answer := talk(t, w, "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(answer, "HTTP/1.1 200 OK\r\n") || !strings.Contains(answer, "\r\nContent-Length: 0\r\n") {
		t.Errorf("%q", answer)
	}
}

// headOf is what the parser and newRequest make of in, nil if one refuses it.
func headOf(in []byte) *http.Request {
	p := web.Parser{Options: &web.Options{Body: web.Stream, AnyMethod: true, MaxBody: -1}}
	var r web.Request
	if _, step, err := p.Parse(&r, bytes.Clone(in)); err != nil || step != web.GotHead {
		return nil
	}
	c := new(Conn)
	g := &handling{conn: c, context: connContext{c}}
	request, err := g.newRequest(&r)
	if err != nil {
		return nil
	}
	return request
}

// FuzzRequestAsInNetHTTP compares the heads that are accepted with what net/http reads.
func FuzzRequestAsInNetHTTP(f *testing.F) {
	for _, in := range requestHeads {
		f.Add([]byte(in))
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
		ours.Body, theirs.Body = http.NoBody, http.NoBody
		if a, b := dump(theirs), dump(ours); a != b {
			t.Errorf("net/http %s\nours     %s", a, b)
		}
	})
}
