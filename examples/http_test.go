package examples

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// page is an answer with its whole body.
type page struct {
	*http.Response
	body string
}

// browser is a client of HTTP that keeps no connection alive.
var browser = &http.Client{
	Timeout:       patience,
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// ask sends a request with fields as "Name: value".
func ask(t *testing.T, method, url, body string, fields ...string) page {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		request.Header.Add(name, value)
	}
	return read(t, request)
}

// read sends a request and reads the whole answer.
func read(t *testing.T, request *http.Request) page {
	t.Helper()
	answer, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%q, then %v", body, err)
	}
	return page{answer, string(body)}
}

// get is the body of a page that has to be there.
func get(t *testing.T, url string, fields ...string) string {
	t.Helper()
	p := ask(t, "GET", url, "", fields...)
	if p.StatusCode != 200 {
		t.Fatalf("GET %s: %s", url, p.Status)
	}
	return p.body
}

// decode reads a body of JSON.
func decode[T any](t *testing.T, body string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%q is no JSON: %v", body, err)
	}
	return v
}

// curl runs curl as a newcomer would and returns what it prints.
func curl(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("curl")
	if err != nil {
		const missing = "curl is not installed (Debian: apt-get install curl)"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	out, err := exec.Command(path, append([]string{"-sS", "--noproxy", "*", "--max-time", fmt.Sprint(patience.Seconds())}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl %q: %v: %s", args, err, out)
	}
	return string(out)
}

// listen opens a stream of events, which the end of the test closes.
func listen(t *testing.T, url string, fields ...string) *bufio.Reader {
	t.Helper()
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		request.Header.Add(name, value)
	}
	answer, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != 200 || kind != "text/event-stream" {
		t.Fatalf("%s of type %q", answer.Status, kind)
	}
	return bufio.NewReader(answer.Body)
}

// event reads the lines of the next event.
func event(t *testing.T, in *bufio.Reader) string {
	t.Helper()
	var lines strings.Builder
	for {
		line, err := in.ReadString('\n')
		switch {
		case err != nil:
			t.Fatalf("no event, but %q and %v", lines.String()+line, err)
		case line != "\n":
			lines.WriteString(line)
		case lines.Len() > 0:
			return lines.String()
		}
	}
}
