//go:build linux

package operation

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// get returns the status and the body of a page.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	c := &http.Client{Timeout: patience}
	defer c.CloseIdleConnections()
	r, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// The admin pages show what the processes do.
func TestAdminPages(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-count", "2", "-admin", "127.0.0.1:0")
	s := in.status()
	if s.Admin == "" {
		t.Fatalf("no address in the status: %+v", s)
	}
	base := "http://" + s.Admin
	c := dial(t, in.address("orders"))
	for range 10 {
		c.ask("hi")
	}
	for page, want := range map[string]string{
		"/": "<html", "/healthz": "ok", "/readyz": "ok", "/status": `"workers"`,
		"/metrics":     "workerman_requests_total{",
		"/connections": c.conn.LocalAddr().String(),
		"/stack":       "orders",
		fmt.Sprintf("/debug/pprof/goroutine?debug=1&pid=%d", s.Workers[0].Processes[0].PID): "workerman",
		"/debug/pprof/goroutine?debug=1": "goroutine profile",
	} {
		if code, body := get(t, base+page); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d, no %q in\n%.400s", page, code, want, body)
		}
	}
	if code, _ := get(t, base+"/debug/pprof/goroutine?pid=1"); code != 404 {
		t.Errorf("a profile of a process that is not ours: %d", code)
	}
}
