package web

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// The same handlers and the same bytes on a server of net/http and on a worker: what comes
// back has to be the same.

// pair is a server of each kind with the same handler.
type pair struct {
	t      *testing.T
	theirs net.Addr
	ours   net.Addr
}

func newPair(t *testing.T, h http.Handler) *pair {
	t.Helper()
	_, w := mount(t, kind{Network: "tcp"}, h.ServeHTTP)
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return &pair{t, s.Listener.Addr(), w.Addr()}
}

// seen is what a client gets.
type seen struct {
	Interim []string
	Status  string
	Proto   string
	Header  http.Header
	Length  int64
	Coding  []string
	Body    string
	Error   string
	Trailer http.Header
	Close   bool
}

// exchange sends the bytes and reads as many answers as there are methods; then it says
// whether the connection goes on.
func exchange(t *testing.T, a net.Addr, in string, methods ...string) (all []seen, open bool) {
	t.Helper()
	c, err := net.Dial(a.Network(), a.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	io.WriteString(c, in)
	r := bufio.NewReader(c)
	for _, method := range methods {
		all = append(all, readSeen(r, method))
	}
	io.WriteString(c, "GET /open HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	rest, _ := io.ReadAll(r)
	return all, bytes.Contains(rest, []byte("it is open"))
}

func readSeen(r *bufio.Reader, method string) (s seen) {
	for {
		answer, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			s.Error = "head: " + err.Error()
			return s
		}
		if answer.StatusCode < 200 && answer.StatusCode != 101 {
			s.Interim = append(s.Interim, fmt.Sprint(answer.StatusCode, answer.Header))
			continue
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			s.Error = err.Error()
		}
		if d := answer.Header.Get("Date"); d != "" && d != "mine" {
			answer.Header.Set("Date", "now")
		}
		s.Status, s.Proto, s.Header, s.Length = answer.Status, answer.Proto, answer.Header, answer.ContentLength
		s.Coding, s.Body, s.Trailer, s.Close = answer.TransferEncoding, string(body), answer.Trailer, answer.Close
		return s
	}
}

// agree compares both servers.
func (p *pair) agree(name, in string, methods ...string) {
	p.t.Helper()
	theirs, theirOpen := exchange(p.t, p.theirs, in, methods...)
	ours, ourOpen := exchange(p.t, p.ours, in, methods...)
	if !reflect.DeepEqual(theirs, ours) || theirOpen != ourOpen {
		p.t.Errorf("%s\nnet/http %.800q open=%v\nours     %.800q open=%v", name, fmt.Sprintf("%+v", theirs), theirOpen, fmt.Sprintf("%+v", ours), ourOpen)
	}
}

// answers are handlers by path.
var answers = map[string]http.HandlerFunc{
	"nothing": func(w http.ResponseWriter, r *http.Request) {},
	"small":   func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") },
	"pieces": func(w http.ResponseWriter, r *http.Request) {
		for i := range 10 {
			fmt.Fprintf(w, "<p>%d", i)
		}
	},
	"large": func(w http.ResponseWriter, r *http.Request) { w.Write(numbered(1, 10_000)) },
	"huge":  func(w http.ResponseWriter, r *http.Request) { w.Write(numbered(2, 3<<20)) },
	"copied": func(w http.ResponseWriter, r *http.Request) {
		io.Copy(w, io.LimitReader(bytes.NewReader(numbered(3, 1<<20)), 300_000))
	},
	"copied with length": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "300000")
		io.Copy(w, io.LimitReader(bytes.NewReader(numbered(3, 1<<20)), 300_000))
	},
	"status": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-A", "1")
		w.Header().Add("X-B", "2")
		w.Header().Add("X-B", " 3\r\nX-Evil: 4 ")
		w.Header()["bad name"] = []string{"x"}
		w.Header()["not-Canonical"] = []string{"x"}
		w.WriteHeader(418)
		w.Header().Set("X-Late", "1")
		w.WriteHeader(500)
	},
	"unknown status": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(799) },
	"no content": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "3")
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(204)
		n, err := w.Write([]byte("abc"))
		w.Header().Set(http.TrailerPrefix+"X", fmt.Sprint(n, err == http.ErrBodyNotAllowed))
	},
	"not modified": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "3")
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Etag", `"x"`)
		w.WriteHeader(304)
	},
	"reset content": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(205) },
	"type": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "a/b")
		fmt.Fprint(w, "x")
	},
	"no type": func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = nil
		fmt.Fprint(w, "<html>")
	},
	"encoded": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		fmt.Fprint(w, "<html>")
	},
	"sniffed late": func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("\x89PNG"))
		w.Write(append([]byte("\r\n\x1a\n"), make([]byte, 9000)...))
	},
	"date":    func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Date", "mine") },
	"no date": func(w http.ResponseWriter, r *http.Request) { w.Header()["Date"] = nil },
	"length": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5")
		fmt.Fprint(w, "hello")
	},
	"length 0": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Length", "0") },
	"too much": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5")
		n, err := fmt.Fprint(w, "hello world")
		if n != 0 || err != http.ErrContentLength {
			panic(fmt.Sprint(n, err))
		}
		fmt.Fprint(w, "x")
	},
	"too little": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5")
		fmt.Fprint(w, "hel")
	},
	"too little, flushed": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5")
		fmt.Fprint(w, "hel")
		w.(http.Flusher).Flush()
	},
	"close": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		fmt.Fprint(w, "x")
	},
	"keep-alive": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "keep-alive")
		w.Header().Set("Content-Length", "1")
		fmt.Fprint(w, "x")
	},
	"other connection option": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "x-thing")
		fmt.Fprint(w, "x")
	},
	"identity": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Transfer-Encoding", "identity")
		fmt.Fprint(w, "until the end")
	},
	"chunked by name": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Transfer-Encoding", "chunked")
		fmt.Fprint(w, "x")
	},
	"flush": func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		fmt.Fprint(w, "a")
		http.NewResponseController(w).Flush()
		fmt.Fprint(w, "b")
	},
	"flush, head only": func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush() },
	"trailers": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum, x-other")
		w.Header().Add("Trailer", "Content-Length, X-Unset")
		fmt.Fprint(w, "body")
		w.Header().Set("X-Sum", "1")
		w.Header().Add("X-Other", "2")
		w.Header().Add("X-Other", "3")
		w.Header().Set("X-Not-Announced", "4")
	},
	"trailers by prefix": func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "body")
		w.(http.Flusher).Flush()
		w.Header().Set(http.TrailerPrefix+"X-Sum", "1")
	},
	"trailers, no body": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(http.TrailerPrefix+"X-Sum", "1")
	},
	"early hints": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a.css>")
		w.WriteHeader(103)
		w.Header().Set("Link", "</b.css>")
		w.WriteHeader(102)
		fmt.Fprint(w, "x")
	},
	"echo": func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%d %.20q %v %v", len(b), b, err, r.Trailer)
	},
	"unread": func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "no thanks") },
	"part":   func(w http.ResponseWriter, r *http.Request) { io.CopyN(w, r.Body, 3) },
	"closed": func(w http.ResponseWriter, r *http.Request) {
		r.Body.Close()
		_, err := r.Body.Read(make([]byte, 1))
		fmt.Fprint(w, err)
	},
	"form": func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.FormValue("a"), r.FormValue("b"), r.PostForm)
	},
	"error": func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "sorry", http.StatusServiceUnavailable)
	},
	"redirect": func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "../there?x=y", http.StatusFound)
	},
	"cookie": func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b c"})
	},
	"abort": func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
	"abort late": func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "some")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	},
	"deadline": func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		fmt.Fprint(w, rc.SetReadDeadline(time.Now().Add(time.Hour)), rc.SetWriteDeadline(time.Now().Add(time.Hour)), rc.EnableFullDuplex())
	},
	"timeout": http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	}), time.Millisecond, "too slow").ServeHTTP,
	"in time": http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-A", "b")
		fmt.Fprint(w, "fast")
	}), time.Hour, "too slow").ServeHTTP,
	"content": func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "a.txt", time.Unix(1e9, 0), bytes.NewReader(numbered(1, 20_000)))
	},
}

func answerByPath(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/open" {
		fmt.Fprint(w, "it is open")
		return
	}
	answers[r.URL.Path[1:]](w, r)
}

func TestHandlersAnswerAsInNetHTTP(t *testing.T) {
	p := newPair(t, http.HandlerFunc(answerByPath))
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		path := "/" + url.PathEscape(name)
		for _, line := range []string{
			"GET %s HTTP/1.1\r\nHost: a\r\n", "HEAD %s HTTP/1.1\r\nHost: a\r\n",
			"GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n",
			"GET %s HTTP/1.0\r\n", "GET %s HTTP/1.0\r\nConnection: keep-alive\r\n", "HEAD %s HTTP/1.0\r\nConnection: keep-alive\r\n",
		} {
			in := fmt.Sprintf(line, path) + "\r\n"
			if name == "early hints" && strings.Contains(in, "HTTP/1.0") {
				continue // HTTP/1.0 knows no interim responses (RFC 9110, section 15.2): here it gets none
			}
			method, _, _ := strings.Cut(in, " ")
			p.agree(fmt.Sprintf("%s: %q", name, in), in, method)
		}
	}
}

func TestHandlersReadBodiesAsInNetHTTP(t *testing.T) {
	p := newPair(t, http.HandlerFunc(answerByPath))
	body := strings.Repeat("0123456789", 1000)
	for _, name := range []string{"echo", "unread", "part", "closed", "nothing", "flush"} {
		for _, rest := range []string{
			"Content-Length: 5\r\n\r\nhello",
			"Content-Length: 0\r\n\r\n",
			"Content-Length: 10000\r\n\r\n" + body,
			"Content-Length: 250000\r\n\r\n" + strings.Repeat(body, 25),
			"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
			"Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
			"Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
			"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
			"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		} {
			in := "POST /" + name + " HTTP/1.1\r\nHost: a\r\n" + rest
			p.agree(fmt.Sprintf("%.200q", in), in, "POST")
			p.agree(fmt.Sprintf("twice: %.200q", in), in+in, "POST", "POST")
		}
	}
	in := "POST /form?a=1 HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\nb=2"
	p.agree("form", in, "POST")
	part := "GET /content HTTP/1.1\r\nHost: a\r\nRange: bytes=%s\r\n\r\n"
	for _, r := range []string{"0-9", "19990-", "-5", "30000-"} {
		p.agree("range "+r, fmt.Sprintf(part, r), "GET")
	}
}
