package web

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// told is what a parser has said about its input: the requests, and the status of the
// refusal or 0.
type told struct {
	requests []string
	refused  int
	reason   string
	rest     int // bytes neither used nor refused
}

// feed gives input to a parser step bytes at a time, in memory that is spoilt after each
// call, as a loop does.
func feed(o *Options, input string, step int) (t told) {
	p := Parser{Options: o}
	var r Request
	var kept []byte
	var head, body string
	for len(input) > 0 {
		n := min(step, len(input))
		kept, input = append(kept, input[:n]...), input[n:]
		for {
			lent := slices.Clone(kept)
			used, s, err := p.Parse(&r, lent)
			if refusal := (*Error)(nil); errors.As(err, &refusal) {
				t.refused, t.reason = refusal.Status, refusal.Reason
				if _, _, again := p.Parse(&r, lent); again != err {
					t.reason = "forgotten: " + t.reason
				}
				return t
			}
			kept = kept[used:]
			switch s {
			case GotHead:
				head, body = describeHead(&r), ""
				spoil(&r)
			case GotPiece:
				body += string(r.Body())
				if !strings.HasPrefix(head, r.Method()+" ") || !strings.Contains(head, fmt.Sprintf(" %s host", r.Protocol())) || r.Path()+r.Host() != "" {
					panic("a piece of another request")
				}
			case GotRequest:
				if p.state != inHead || p.partial != nil {
					panic("the parser keeps something after a request")
				}
				if o == nil || o.Body == Collect {
					head, body = describeHead(&r), string(r.Body())
					if r.ContentLength() != int64(len(body)) {
						panic("a length that is not the body's")
					}
				}
				if !strings.HasPrefix(head, r.Method()+" ") || !strings.Contains(head, fmt.Sprintf(" keep=%v\n", r.KeepAlive())) {
					panic("the end of another request")
				}
				t.requests = append(t.requests, head+fmt.Sprintf("%q\n", body)+describeTrailers(&r))
			}
			clear(lent)
			if s == NeedMore || s == NeedContinue {
				break
			}
		}
	}
	t.rest = len(kept)
	return t
}

// spoil lets r serve another connection in between, as a loop does.
func spoil(r *Request) {
	var other Parser
	other.Parse(r, []byte("DELETE /other HTTP/1.0\r\nA: b\r\n\r\n"))
}

func describeHead(r *Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s host=%s path=%q query=%q keep=%v\n",
		r.Method(), r.Target(), r.Protocol(), r.Host(), r.Path(), r.RawQuery(), r.KeepAlive())
	for name, value := range r.Headers() {
		fmt.Fprintf(&b, "%s: %q\n", name, value)
	}
	return b.String()
}

func describeTrailers(r *Request) string {
	var b strings.Builder
	for name, value := range r.Trailers() {
		fmt.Fprintf(&b, "%s:: %q\n", name, value)
	}
	return b.String()
}

func (t told) String() string {
	return fmt.Sprintf("%s refused=%d (%s) rest=%d", strings.Join(t.requests, "---\n"), t.refused, t.reason, t.rest)
}

// agree checks that input says the same however it is cut, collected and streamed, and
// returns what it says collected.
func agree(t *testing.T, o *Options, input string, steps ...int) told {
	t.Helper()
	if o == nil {
		o = new(Options)
	}
	collect, stream := *o, *o
	collect.Body, stream.Body = Collect, Stream
	want := feed(&collect, input, len(input)+1)
	for _, step := range append(steps, 1) {
		if got := feed(&collect, input, step); got.String() != want.String() {
			t.Fatalf("%q in steps of %d:\n%v\nat once:\n%v", input, step, got, want)
		}
		got, whole := feed(&stream, input, step), feed(&stream, input, len(input)+1)
		if got.String() != whole.String() {
			t.Fatalf("%q streamed in steps of %d:\n%v\nat once:\n%v", input, step, got, whole)
		}
		if !slices.Equal(got.requests, want.requests) || got.refused != want.refused || got.reason != want.reason {
			t.Fatalf("%q streamed in steps of %d:\n%v\ncollected:\n%v", input, step, got, want)
		}
	}
	return want
}

func TestAccepted(t *testing.T) {
	const h = "Host: a\r\n"
	for _, c := range []struct{ in, want string }{
		{"GET / HTTP/1.1\r\n" + h + "\r\n", `GET / HTTP/1.1 host=a path="/" query="" keep=true` + "\n" + `Host: "a"` + "\n\"\"\n"},
		{"GET /a%20b?x=%20 HTTP/1.1\r\n" + h + "\r\n", `GET /a%20b?x=%20 HTTP/1.1 host=a path="/a b" query="x=%20" keep=true` + "\n" + `Host: "a"` + "\n\"\"\n"},
		{"GET /? HTTP/1.0\r\n\r\n", `GET /? HTTP/1.0 host= path="/" query="" keep=false` + "\n\"\"\n"},
		{"GET //x HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n", `GET //x HTTP/1.0 host= path="//x" query="" keep=true` + "\nConnection: \"x, Keep-Alive\"\n\"\"\n"},
		{"GET / HTTP/1.9\r\nConnection: keep-alive , CLOSE\r\n" + h + "\r\n", `GET / HTTP/1.1 host=a path="/" query="" keep=false` + "\nConnection: \"keep-alive , CLOSE\"\nHost: \"a\"\n\"\"\n"},
		{"GET HTTP://b:80/c HTTP/1.1\r\n" + h + "\r\n", `GET HTTP://b:80/c HTTP/1.1 host=b:80 path="/c" query="" keep=true` + "\n" + `Host: "a"` + "\n\"\"\n"},
		{"GET https://[::1]?q HTTP/1.1\r\n" + h + "\r\n", `GET https://[::1]?q HTTP/1.1 host=[::1] path="/" query="q" keep=true` + "\n" + `Host: "a"` + "\n\"\"\n"},
		{"OPTIONS http://b HTTP/1.1\r\n" + h + "\r\n", `OPTIONS http://b HTTP/1.1 host=b path="*" query="" keep=true` + "\n" + `Host: "a"` + "\n\"\"\n"},
		{"OPTIONS * HTTP/1.1\r\n" + h + "\r\n", `OPTIONS * HTTP/1.1 host=a path="*" query="" keep=true` + "\n" + `Host: "a"` + "\n\"\"\n"},
		{"CONNECT b:443 HTTP/1.1\r\n" + h + "\r\n", `CONNECT b:443 HTTP/1.1 host=b:443 path="" query="" keep=true` + "\n" + `Host: "a"` + "\n\"\"\n"},
		{"\r\n\r\nGET / HTTP/1.1\r\n" + h + "\r\n", `GET / HTTP/1.1 host=a path="/" query="" keep=true` + "\n" + `Host: "a"` + "\n\"\"\n"},
		{"PUT / HTTP/1.1\r\nhOST:a\t \r\nX:\r\nx: \t b \t c\xff\t\r\n\r\n", `PUT / HTTP/1.1 host=a path="/" query="" keep=true` + "\nhOST: \"a\"\nX: \"\"\nx: \"b \\t c\\xff\"\n\"\"\n"},
		{"POST / HTTP/1.1\r\n" + h + "Content-Length: 003\r\n\r\nabc", `POST / HTTP/1.1 host=a path="/" query="" keep=true` + "\n" + `Host: "a"` + "\nContent-Length: \"003\"\n\"abc\"\n"},
		{"POST / HTTP/1.1\r\n" + h + "Transfer-Encoding: Chunked\r\n\r\n1;x=\"y;\t\"\r\na\r\n00A; \t\r\n0123456789\r\n0\r\nT: u\r\n\r\n",
			`POST / HTTP/1.1 host=a path="/" query="" keep=true` + "\n" + `Host: "a"` + "\nTransfer-Encoding: \"Chunked\"\n\"a0123456789\"\nT:: \"u\"\n"},
		{"POST / HTTP/1.1\r\n" + h + "Transfer-Encoding: chunked\r\n\r\n0000000000000000\r\n\r\n",
			`POST / HTTP/1.1 host=a path="/" query="" keep=true` + "\n" + `Host: "a"` + "\nTransfer-Encoding: \"chunked\"\n\"\"\n"},
	} {
		// Twice, as what follows must be seen too.
		got := agree(t, nil, c.in+c.in, 2, 7)
		if got.refused != 0 || got.rest != 0 || len(got.requests) != 2 || got.requests[0] != c.want || got.requests[1] != c.want {
			t.Errorf("%q:\n%v\nwant twice:\n%v", c.in, got, c.want)
		}
	}
}

func TestIncompleteRequestsAskForMore(t *testing.T) {
	in := "\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nabPOST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;x\r\na\r\n0\r\nT: u\r\n\r\n"
	for n := range len(in) {
		got := agree(t, nil, in[:n])
		want := 0
		if n >= strings.Index(in, "abPOST")+2 {
			want = 1
		}
		if got.refused != 0 || len(got.requests) != want {
			t.Fatalf("%q: %v, want %d requests", in[:n], got, want)
		}
	}
}

func TestWantIsTheWholeRequest(t *testing.T) {
	in := "\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc"
	var p Parser
	var r Request
	used, step, err := p.Parse(&r, []byte(in))
	if used != 2 || step != NeedMore || err != nil || p.Want() != len(in)-2-3+100 {
		t.Errorf("%d, %v, %v, want %d", used, step, err, p.Want())
	}
}

func TestContinueIsAskedForOnce(t *testing.T) {
	for _, length := range []string{"Content-Length: 2", "Transfer-Encoding: chunked"} {
		head := "POST /up HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n" + length + "\r\n\r\n"
		var p Parser
		var r Request
		used, step, err := p.Parse(&r, []byte(head))
		if step != NeedContinue || err != nil || r.Path() != "/up" || !r.ExpectContinue() {
			t.Fatalf("%s: %v, %v, path %q", length, step, err, r.Path())
		}
		rest := head[used:] + "2\r"
		used, step, err = p.Parse(&r, []byte(rest)[:len(rest)-1])
		if step != NeedMore || err != nil || r.Path() != "" {
			t.Errorf("%s: then %d, %v, %v, path %q", length, used, step, err, r.Path())
		}
	}
	for _, in := range []string{
		"POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
		"POST / HTTP/1.0\r\nHost: a\r\nExpect: x\r\nContent-Length: 2\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\na",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n",
	} {
		var p Parser
		var r Request
		if _, step, err := p.Parse(&r, []byte(in)); step != NeedMore || err != nil {
			t.Errorf("%q: %v, %v", in, step, err)
		}
	}
}

func TestKeptChunkedRequestOutlivesTheBuffer(t *testing.T) {
	// One Request serves two connections whose chunked bodies arrive in turns.
	var a, b Parser
	var r Request
	in := func(s string) []byte {
		return []byte("POST /" + s + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n" + s + "\r\n")
	}
	a.Parse(&r, in("aa"))
	b.Parse(&r, in("bb"))
	for p, want := range map[*Parser]string{&a: "aaxyz", &b: "bbxyz"} {
		_, step, err := p.Parse(&r, []byte("3\r\nxyz\r\n0\r\n\r\n"))
		if step != GotRequest || err != nil || string(r.Body()) != want || r.Path() != "/"+want[:2] {
			t.Errorf("%v, %v, %s %q, want %q", step, err, r.Path(), r.Body(), want)
		}
	}
}
