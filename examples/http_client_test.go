package examples

import (
	"io"
	nethttp "net/http"
	"strings"
	"testing"
)

// page is an answer to a request.
type page struct {
	status int
	header nethttp.Header
	body   string
}

// fetch sends a request without a body; fields are names and values of its header.
func fetch(t *testing.T, method, url string, fields ...string) page {
	t.Helper()
	request, err := nethttp.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(fields); i += 2 {
		request.Header.Set(fields[i], fields[i+1])
	}
	transport := &nethttp.Transport{DisableKeepAlives: true, ResponseHeaderTimeout: patience}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body strings.Builder
	if _, err := io.Copy(&body, answer.Body); err != nil {
		t.Fatal(err)
	}
	return page{answer.StatusCode, answer.Header, body.String()}
}
