package interop

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// follows is sent behind each request: who reads the request otherwise than it should be
// answers it, or does not.
const follows = "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

// smuggled hides behind the requests that two readers could read differently.
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

// attack is a request as it goes over the wire, and the statuses of all answers to it and
// to the one that follows.
type attack struct {
	name, request, want string
}

// attacks are the known ways to make two readers disagree on where a request ends or whom
// it is for, with the edges of what is allowed among them.
func attacks() []attack {
	const (
		get  = "GET / HTTP/1.1\r\nHost: a\r\n"
		post = "POST / HTTP/1.1\r\nHost: a\r\n"
		te   = "Transfer-Encoding: chunked\r\n"
		body = te + "\r\n"
		cl   = "Content-Length: "
	)
	x := func(n int) string { return strings.Repeat("x", n) }
	list := []attack{
		{"CL.TE", post + cl + "6\r\n" + te + "\r\n0\r\n\r\nG", "400"},
		{"TE.CL", post + te + cl + "4\r\n\r\n5c\r\n" + smuggled + "0\r\n\r\n", "400"},
		{"CL.TE with length 0", post + cl + "0\r\n" + te + "\r\n1\r\na\r\n0\r\n\r\n", "400"},
		{"CL.CL", post + cl + "0\r\n" + cl + "44\r\n\r\n" + smuggled, "400"},
		{"CL.CL alike", post + cl + "0\r\n" + cl + "0\r\n\r\n", "400"},
		{"CL list", post + cl + "0, 44\r\n\r\n" + smuggled, "400"},
		{"CL with sign", post + cl + "+0\r\n\r\n", "400"},
		{"CL negative", post + cl + "-1\r\n\r\n", "400"},
		{"CL hexadecimal", post + cl + "0x0\r\n\r\n", "400"},
		{"CL with junk", post + cl + "0x\r\n\r\n", "400"},
		{"CL empty", post + cl + "\r\n\r\n", "400"},
		{"CL in quotes", post + cl + "\"0\"\r\n\r\n", "400"},
		{"CL too large for 64 bits", post + cl + "99999999999999999999\r\n\r\n", "413"},
		{"CL over the limit", post + cl + "99999999\r\n\r\n", "413"},
		{"CL with zeros in front", post + cl + "0003\r\n\r\nabc", "200 200"},
		{"CL with underscore in the name", post + "Content_Length: 44\r\n\r\n", "200 200"},
		{"GET with a body", get + cl + "3\r\n\r\nabc", "200 200"},

		{"TE.TE two fields", post + te + "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n", "400"},
		{"TE.TE twice", post + te + te + "\r\n0\r\n\r\n", "400"},
		{"TE x", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "400"},
		{"TE identity", post + "Transfer-Encoding: identity\r\n\r\n", "400"},
		{"TE chunked, identity", post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "400"},
		{"TE chunked, chunked", post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "400"},
		{"TE gzip, chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
		{"TE space before colon", post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "400"},
		{"TE folded", post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "400"},
		{"TE behind a fold", post + "X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
		{"TE vertical tab", post + "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", "400"},
		{"TE NUL", post + "Transfer-Encoding: chunked\x00\r\n\r\n0\r\n\r\n", "400"},
		{"TE in quotes", post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", "400"},
		{"TE with parameter", post + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", "400"},
		{"TE empty", post + "Transfer-Encoding:\r\n\r\n0\r\n\r\n", "400"},
		{"TE behind bare LF", post + "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
		{"TE behind bare CR", post + "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
		{"TE with tab and capitals", post + "tRANSFER-eNCODING:\tCHUNKED \r\n\r\n0\r\n\r\n", "200 200"},
		{"TE in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\n" + te + "\r\n0\r\n\r\n", "400"},

		{"space in front of the line", " " + get + "\r\n", "400"},
		{"fold in the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400"},
		{"bare LF", "GET / HTTP/1.1\nHost: a\n\n", "400"},
		{"bare LF at the end", get + "\n", "400"},
		{"bare CR", "GET / HTTP/1.1\rHost: a\r\r", "400"},
		{"CR CR LF", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", "400"},
		{"NUL in a value", get + "X: a\x00b\r\n\r\n", "400"},
		{"NUL in a name", get + "X\x00: a\r\n\r\n", "400"},
		{"NUL in the target", "GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"no colon", get + "X\r\n\r\n", "400"},
		{"no name", get + ": x\r\n\r\n", "400"},
		{"space in a name", get + "X Y: z\r\n\r\n", "400"},
		{"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"tab instead of space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "400"},
		{"empty line in front", "\r\n" + get + "\r\n", "200 200"},

		{"no Host", "GET / HTTP/1.1\r\n\r\n", "400"},
		{"two Hosts", get + "Host: b\r\n\r\n", "400"},
		{"two Hosts alike", get + "Host: a\r\n\r\n", "400"},
		{"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
		{"Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400"},
		{"Host with a comma", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "400"},
		{"Host with a port too large", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", "400"},
		{"absolute target, other Host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "200 200"},
		{"absolute target, no Host", "GET http://b/ HTTP/1.1\r\n\r\n", "400"},
		{"absolute target, user", "GET http://u@b/ HTTP/1.1\r\nHost: b\r\n\r\n", "400"},
		{"absolute target, other scheme", "GET ftp://b/ HTTP/1.1\r\nHost: b\r\n\r\n", "400"},
		{"target without slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"fragment", "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"bad escape", "GET /%0 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"asterisk for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "400"},

		{"chunk size negative", post + body + "-1\r\n", "400"},
		{"chunk size with 0x", post + body + "0x1\r\na\r\n0\r\n\r\n", "400"},
		{"chunk size with space", post + body + "1 \r\na\r\n0\r\n\r\n", "400"},
		{"chunk size empty", post + body + "\r\n", "400"},
		{"chunk size overflowing", post + body + "10000000000000001\r\na\r\n0\r\n\r\n", "400"},
		{"chunk size over the limit", post + body + "ffffffff\r\n", "413"},
		{"chunk size with bare LF", post + body + "1\na\r\n0\r\n\r\n", "400"},
		{"chunk longer than its size", post + body + "1\r\nab\r\n0\r\n\r\n", "400"},
		{"chunk shorter than its size", post + body + "3\r\na\r\n0\r\n\r\n", "400"},
		{"chunk end with bare LF", post + body + "1\r\na\n0\r\n\r\n", "400"},
		{"extension with bare LF", post + body + "1;a\nb\r\na\r\n0\r\n\r\n", "400"},
		{"extension with NUL", post + body + "1;\x00\r\na\r\n0\r\n\r\n", "400"},
		{"extension too long", post + body + "1;" + x(5000) + "\r\na\r\n0\r\n\r\n", "400"},
		{"extension", post + body + "1;a=\"b\"\r\na\r\n0;c\r\n\r\n", "200 200"},
		{"trailer", post + body + "0\r\nX: y\r\n\r\n", "200 200"},
		{"trailer with length", post + body + "0\r\nContent-Length: 44\r\n\r\n", "400"},
		{"trailer with coding", post + body + "0\r\nTransfer-Encoding: chunked\r\n\r\n", "400"},
		{"trailer with Host", post + body + "0\r\nHost: b\r\n\r\n", "400"},
		{"trailer with bare LF", post + body + "0\r\nX: y\n\r\n", "400"},
		{"trailer folded", post + body + "0\r\nX: y\r\n z\r\n\r\n", "400"},
		{"trailer too long", post + body + "0\r\nX: " + x(5000) + "\r\n\r\n", "431"},

		{"line too long", "GET /" + x(9000) + " HTTP/1.1\r\nHost: a\r\n\r\n", "414"},
		{"head too long", get + "X: " + x(17000) + "\r\n\r\n", "431"},
		{"too many fields", get + strings.Repeat("X: y\r\n", 101) + "\r\n", "431"},
		{"unknown expectation", get + "Expect: x\r\n\r\n", "417"},
		{"unknown method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "501"},
		{"HTTP/0.9", "GET /\r\n", "400"},
		{"HTTP/0.9 in words", "GET / HTTP/0.9\r\n\r\n", "505"},
		{"HTTP/1.0 ends the connection", "GET / HTTP/1.0\r\n\r\n", "200"},
		{"HTTP/1.0 kept alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200 200"},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
		{"version in small letters", "GET / http/1.1\r\nHost: a\r\n\r\n", "400"},
		{"TLS hello", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03\n", "400"},
		{"SOCKS", "\x05\x01\x00\n", "400"},
		{"SSH", "SSH-2.0-OpenSSH_9.2\r\n", "400"},
	}
	return list
}

func TestSmuggling(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		var mu sync.Mutex
		seen := map[string]int{}
		s := serve(t, portable, "http", func(w *workerman.Worker) {
			w.MaxPackageSize = 1 << 20
			w.OnRequest = func(c *workerman.Conn, r *web.Request) {
				mu.Lock()
				seen[r.Path()]++
				mu.Unlock()
				c.Respond(web.Text(r.Method() + " " + r.Path() + " " + string(r.Body())))
			}
		})
		list := attacks()
		refusals := 0
		var sends sync.WaitGroup
		room := make(chan struct{}, 32) // connections at a time
		for _, a := range list {
			ways := a.ways()
			if a.refused() {
				refusals += len(ways)
			}
			answers := make([]string, len(ways))
			errs := make([]error, len(ways))
			var done sync.WaitGroup
			for i, pieces := range ways {
				room <- struct{}{}
				done.Add(1)
				sends.Go(func() {
					defer func() { <-room }()
					defer done.Done()
					answers[i], errs[i] = s.tell(pieces)
				})
			}
			sends.Go(func() {
				done.Wait()
				for i, got := range answers {
					if errs[i] != nil || got != answers[0] {
						t.Errorf("%s: in %d pieces, the first of %d bytes: %q, %v\nin one: %q", a.name, len(ways[i]), len(ways[i][0]), got, errs[i], answers[0])
						return
					}
				}
				if got, err := statuses(answers[0]); err != nil || got != a.want {
					t.Errorf("%s: %s, %v, want %s\n%q", a.name, got, err, a.want, answers[0])
				}
			})
		}
		sends.Wait()
		mu.Lock()
		if n := seen["/smuggled"]; n > 0 {
			t.Errorf("%d requests were smuggled in", n)
		}
		mu.Unlock()
		if got, err := s.tell([]string{follows}); err != nil || !strings.HasSuffix(got, "\r\n\r\nGET /next ") {
			t.Errorf("a good client is told %q, %v", got, err)
		}
		eventually(t, "all connections are gone", func() bool { return s.Stats().Connections == 0 })
		if n := len(s.log.Lines("connection closed", "reason=")); n != refusals {
			t.Errorf("%d lines for %d refusals", n, refusals)
		}
		t.Logf("%d requests, %d refusals", len(list), refusals)
	})
}

// refused reports whether the server closes because of the request.
func (a attack) refused() bool { return !strings.HasPrefix(a.want, "2") }

// ways are those to cut the request and the one that follows: not at all, byte by byte,
// and, if it is short, in two at every position.
func (a attack) ways() [][]string {
	in := a.request + follows
	var bytes []string
	for i := range len(in) {
		bytes = append(bytes, in[i:i+1])
	}
	ways := [][]string{{in}, bytes}
	if len(a.request) > 200 {
		return ways
	}
	for i := 1; i < len(a.request); i++ {
		ways = append(ways, []string{in[:i], in[i:]})
	}
	return ways
}

// tell sends pieces on a connection of their own and returns all that comes, without the
// dates.
func (e endpoint) tell(pieces []string) (string, error) {
	c, err := net.DialTimeout("tcp", e.address(), patience)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	for _, p := range pieces {
		if _, err := io.WriteString(c, p); err != nil {
			break // the server has heard enough
		}
		runtime.Gosched()
	}
	all, err := io.ReadAll(c)
	var b strings.Builder
	for line := range strings.Lines(string(all)) {
		if !strings.HasPrefix(line, "Date: ") {
			b.WriteString(line)
		}
	}
	return b.String(), err
}

// statuses are those of the answers, in order.
func statuses(answers string) (string, error) {
	var list []string
	in := bufio.NewReader(strings.NewReader(answers))
	for {
		if _, err := in.Peek(1); err == io.EOF {
			return strings.Join(list, " "), nil
		}
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			return "", err
		}
		if _, err := io.Copy(new(bytes.Buffer), r.Body); err != nil {
			return "", err
		}
		list = append(list, fmt.Sprint(r.StatusCode))
	}
}
