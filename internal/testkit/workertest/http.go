package workertest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"
)

// Get is a request for a path, with lines of header fields.
func Get(path string, fields ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n"
}

// Talk sends a request as it is and returns what comes until the end of the connection.
func Talk(t *testing.T, w *workerman.Worker, request string) string {
	t.Helper()
	c := Dial(t, w)
	io.WriteString(c, request)
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("%q, %v", answer, err)
	}
	return string(answer)
}

// Reader reads answers of HTTP as a client does. Errors end the test.
type Reader struct {
	Buffer *bufio.Reader // holds what no answer was made of yet

	t *testing.T
}

// NewReader reads from a connection, which nobody else should read from then.
func NewReader(t *testing.T, c net.Conn) *Reader { return &Reader{bufio.NewReader(c), t} }

// Answer reads the answer to a request of that method, and its body.
func (r *Reader) Answer(method string) (*http.Response, string) {
	r.t.Helper()
	answer, err := http.ReadResponse(r.Buffer, &http.Request{Method: method})
	if err != nil {
		r.t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatalf("%q: %v", body, err)
	}
	return answer, string(body)
}

// Ends checks that nothing follows.
func (r *Reader) Ends() {
	r.t.Helper()
	if rest, err := io.ReadAll(r.Buffer); err != nil || len(rest) > 0 {
		r.t.Errorf("got %q, %v, want the end", rest, err)
	}
}

// Upgraded hijacks the connection, accepts an upgrade and passes the connection on.
func Upgraded(t testing.TB, fn func(c net.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, b, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		if n := b.Reader.Buffered(); n > 0 {
			t.Errorf("%d bytes are in the reader", n)
		}
		b.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		b.Flush()
		if _, err := w.Write([]byte("x")); err != http.ErrHijacked {
			t.Error(err)
		}
		fn(c)
	}
}

// Upgrade is the request for such an upgrade.
var Upgrade = Get("/", "Connection: Upgrade", "Upgrade: echo")
