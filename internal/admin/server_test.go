package admin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// serve serves at an address until the test ends, or stop is called.
func serve(t *testing.T, address string, h http.Handler) (s *Server, stop func()) {
	t.Helper()
	s, err := Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, h, slog.New(slog.DiscardHandler)) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return s, stop
}

func TestServeLoopback(t *testing.T) {
	s, stop := serve(t, "127.0.0.1:0", NewHandler(&fake{status: sample()}))
	if strings.HasSuffix(s.Address(), ":0") {
		t.Error(s.Address())
	}
	fetch := func(host string) int {
		r, err := http.NewRequest("GET", "http://"+s.Address()+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	if got := fetch(""); got != 200 {
		t.Error(got)
	}
	if got := fetch("localhost:1"); got != 200 {
		t.Error(got)
	}
	if got := fetch("rebound.example:6060"); got != 403 {
		t.Error(got)
	}
	if _, err := Listen(s.Address()); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), s.Address()) {
		t.Errorf("the same address: %v", err)
	}
	stop()
	if c, err := net.Dial("tcp", s.Address()); err == nil {
		c.Close()
		t.Error("it listens after the end")
	}
}

func TestServeUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	s, stop := serve(t, "unix:"+path, NewHandler(&fake{status: sample()}))
	if s.Address() != "unix:"+path {
		t.Error(s.Address())
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	r, err := client.Get("http://anything/healthz")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(r.Body)
	r.Body.Close()
	if string(text) != "ok\n" {
		t.Errorf("%d %q", r.StatusCode, text)
	}
	if _, err := Listen("unix:" + path); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a socket that is served: %v", err)
	}
	stop()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket stays: %v", err)
	}
	// What a master that was killed left is replaced.
	stale, err := Listen("unix://" + path)
	if err != nil {
		t.Fatal(err)
	}
	stale.listener.Close()
	serve(t, "unix:"+path, NewHandler(&fake{status: sample()}))
}

// A page that takes long does not hold a stop up.
func TestServeStops(t *testing.T) {
	began := make(chan struct{})
	s, stop := serve(t, "127.0.0.1:0", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
	}))
	result := make(chan error, 1)
	go func() {
		r, err := http.Get("http://" + s.Address())
		if err == nil {
			r.Body.Close()
		}
		result <- err
	}()
	<-began
	stop()
	if <-result == nil {
		t.Error("an answer of a page that had none")
	}
}

func TestCheck(t *testing.T) {
	for _, test := range []struct{ address, warning, err string }{
		{address: "127.0.0.1:6060"}, {address: "localhost:6060"}, {address: "[::1]:6060"}, {address: "127.9.9.9:0"}, {address: "unix:/run/x.sock"}, {address: "unix:///run/x.sock"},
		{address: "0.0.0.0:6060", warning: "no password"}, {address: "[::]:6060", warning: "no password"}, {address: "10.0.0.5:6060", warning: "no password"},
		{address: "admin.internal:6060", warning: "unless it is one of loopback"},
		{address: ":6060", err: "missing host"}, {address: "6060", err: "no HOST:PORT"}, {address: "", err: "no HOST:PORT"}, {address: "127.0.0.1:http", err: "port"},
		{address: "unix:", err: "missing path"}, {address: "unix:@admin", err: "open to every user"}, {address: "http://127.0.0.1:6060", err: "Admin \"http"},
	} {
		warning, err := Check(test.address)
		message := ""
		if err != nil {
			message = err.Error()
		}
		if (warning == "") != (test.warning == "") || !strings.Contains(warning, test.warning) || (message == "") != (test.err == "") || !strings.Contains(message, test.err) {
			t.Errorf("%q: warning %q, error %q", test.address, warning, message)
		}
		if _, err := Listen(test.address); test.err != "" && err == nil {
			t.Errorf("%q was opened", test.address)
		}
	}
}

// Load balancers ask in HTTP/1.0, without a Host.
func TestServeOldRequest(t *testing.T) {
	s, _ := serve(t, "127.0.0.1:0", NewHandler(&fake{status: sample()}))
	c, err := net.Dial("tcp", s.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET /readyz HTTP/1.0\r\n\r\n")
	if answer, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.0 200 ") {
		t.Errorf("%q %v", answer, err)
	}
}
