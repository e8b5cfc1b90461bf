package interop

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// TestLikeNetHTTP sends the same valid requests to package net/http's server, to ours, and to
// ours with a handler of net/http: what they make of them and how they answer must be the
// same.
func TestLikeNetHTTP(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		ours := serve(t, portable, "http", func(w *workerman.Worker) {
			w.OnRequest = func(c *workerman.Conn, r *web.Request) { c.Respond(describe(r)) }
		})
		mounted := serve(t, portable, "http", func(w *workerman.Worker) { w.Handle(http.HandlerFunc(described)) })
		theirs := netHTTP(t)
		pick := rand.New(rand.NewPCG(1, 2))
		n := 1000
		if testing.Short() {
			n = 200
		}
		requests := 0
		for range n {
			var in strings.Builder
			var methods []string
			for range 1 + pick.IntN(6) {
				methods = append(methods, writeRequest(&in, pick))
			}
			requests += len(methods)
			pieces := cut(in.String(), pick)
			want := converse(t, theirs, pieces, methods)
			for _, s := range []*server{ours, mounted} {
				got := converse(t, s.address(), pieces, methods)
				if slices.Equal(got, want) {
					continue
				}
				i := 0
				for i < min(len(got), len(want)) && got[i] == want[i] {
					i++
				}
				t.Fatalf("%.1000q:\nanswers from number %d on, OnRequest %v: %.1000q\nnet/http's: %.1000q", pieces, i, s == ours, got[i:], want[i:])
			}
		}
		t.Logf("%d requests", requests)
	})
}

// describe answers with what was understood. The query may say the status and that the
// connection is to end.
func describe(r *web.Request) *web.Response {
	var fields []string
	for name, value := range r.Headers() {
		fields = append(fields, http.CanonicalHeaderKey(name)+"="+value)
	}
	for name, value := range r.Trailers() {
		fields = append(fields, "trailer "+http.CanonicalHeaderKey(name)+"="+value)
	}
	answer := web.Text(description(r.Method(), r.Target(), r.Path(), r.Host(), fields, r.Body()))
	fmt.Sscan(r.Query("status"), &answer.Status)
	answer.Close = r.Query("close") != ""
	return answer
}

func description(method, target, path, host string, fields []string, body []byte) string {
	// What frames the message is no field to net/http.
	fields = slices.DeleteFunc(fields, func(f string) bool {
		return strings.HasPrefix(f, "Host=") || strings.HasPrefix(f, "Transfer-Encoding=") || strings.HasPrefix(f, "Trailer=")
	})
	slices.Sort(fields)
	return fmt.Sprintf("%s %q %q %q %q %s", method, target, path, host, fields, digest(body))
}

// netHTTP runs package net/http's server, which does the same as ours.
func netHTTP(t *testing.T) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(described), DisableGeneralOptionsHandler: true}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

// described is describe as a handler of package net/http.
func described(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var fields []string
	for name, values := range r.Header {
		for _, value := range values {
			fields = append(fields, name+"="+value)
		}
	}
	for name, values := range r.Trailer {
		for _, value := range values {
			fields = append(fields, "trailer "+name+"="+value)
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if r.URL.Query().Get("close") != "" {
		w.Header().Set("Connection", "close")
	}
	status := 200
	fmt.Sscan(r.URL.Query().Get("status"), &status)
	w.WriteHeader(status)
	io.WriteString(w, description(r.Method, r.RequestURI, r.URL.Path, r.Host, fields, body))
}

// writeRequest makes up a valid request and returns its method.
func writeRequest(b *strings.Builder, pick *rand.Rand) (method string) {
	one := func(s ...string) string { return s[pick.IntN(len(s))] }
	method = one("GET", "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE")
	target := one("/", "/a/b.c", "/%41%20%2f", "/a//b/../c;d", "/~u/é?x=ü", "http://h:80/p", "https://h/", "/'!$&()*+,:@")
	query := []string{one("a=b&c", "%20=+", "x;y", "")}
	if pick.IntN(5) == 0 {
		query = append(query, "status="+one("201", "204", "304", "404", "500"))
	}
	if pick.IntN(20) == 0 {
		query = append(query, "close=1")
	}
	if !strings.Contains(target, "?") {
		target += "?"
	} else {
		target += "&"
	}
	version := one("1.1", "1.1", "1.1", "1.1", "1.1", "1.0")
	fmt.Fprintf(b, "%s %s%s HTTP/%s\r\n", method, target, strings.Join(query, "&"), version)
	fields := []string{one("Host: h", "host: h:8080", "HOST:[::1]:1", "Host: \t127.0.0.1 ")}
	for range pick.IntN(5) {
		fields = append(fields, one("X-A: b", "x-a:c", "Accept: */*, a;q=0.5", "Cookie: a=b; c=d", "X-Empty:", "X-Latin: \xe9\xff", "X-Tabs:\t a\tb \t",
			"User-Agent: test/1.0 (of servers)", "!#$%&'*+-.^_`|~: name", "Accept-Encoding: gzip, zstd"))
	}
	switch {
	case pick.IntN(12) == 0:
		fields = append(fields, one("Connection: close", "connection: CLOSE, x", "Connection: keep-alive", "Connection: x"))
	case version == "1.0" && pick.IntN(2) == 0:
		fields = append(fields, "Connection: keep-alive")
	}
	body := ""
	switch pick.IntN(4) {
	case 0:
		body = strings.Repeat("0123456789", pick.IntN(300))
		fields = append(fields, fmt.Sprintf("Content-Length: %s%d", one("", "00"), len(body)))
	case 1:
		if version == "1.0" {
			break
		}
		fields = append(fields, "Transfer-Encoding: "+one("chunked", "Chunked", "CHUNKED "))
		trailer := pick.IntN(3) == 0
		if trailer {
			fields = append(fields, "Trailer: X-T")
		}
		for range pick.IntN(4) {
			n := 1 + pick.IntN(500)
			body += fmt.Sprintf(one("%x%s", "0%X%s"), n, one("", ";a", ";a=b;c=\"d e\"")) + "\r\n" + strings.Repeat("c", n) + "\r\n"
		}
		body += one("0", "000", "0;x") + "\r\n"
		if trailer {
			body += "X-T: end\r\n"
		}
		body += "\r\n"
	}
	pick.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	fmt.Fprintf(b, "%s\r\n\r\n%s", strings.Join(fields, "\r\n"), body)
	return method
}

// cut cuts a text into a few pieces.
func cut(s string, pick *rand.Rand) (pieces []string) {
	for range pick.IntN(4) {
		i := pick.IntN(len(s) + 1)
		pieces = append(pieces, s[:i])
		s = s[i:]
	}
	return append(pieces, s)
}

// converse sends pieces on a connection, ends its half and returns all answers, the last
// of which says how the connection ended.
func converse(t *testing.T, address string, pieces, methods []string) (answers []string) {
	t.Helper()
	c, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	for _, p := range pieces {
		if _, err := io.WriteString(c, p); err != nil {
			break // ended by an earlier request
		}
	}
	c.(*net.TCPConn).CloseWrite()
	in := bufio.NewReader(c)
	for _, method := range methods {
		if _, err := in.Peek(1); err != nil {
			break
		}
		r, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return append(answers, err.Error())
		}
		body, err := io.ReadAll(r.Body)
		answers = append(answers, fmt.Sprintf("%d %s %v", r.StatusCode, body, err))
	}
	rest, _ := io.ReadAll(in)
	return append(answers, fmt.Sprintf("end %q", rest))
}
