package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

var client = &http.Client{Timeout: testkit.Patience}

// serve runs a handler on a workerman server of its own until the end of the test and
// returns the server's address as a URL.
func serve(t *testing.T, h http.Handler, portable bool) string {
	t.Helper()
	m := &workerman.Master{Portable: portable}
	w := m.NewWorker("http://127.0.0.1:0")
	w.Handle(h)
	started := make(chan struct{})
	w.OnWorkerStart = func(*workerman.Worker) error {
		close(started)
		return nil
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := testkit.Receive(t, ended, "the end of Run"); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	select {
	case <-started:
	case err := <-ended:
		t.Fatal(err)
	}
	return "http://" + w.Addr().String()
}

// onEveryServer runs a test on workerman's engines and, as the measure of all things, on
// the server of net/http.
func onEveryServer(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("net/http", func(t *testing.T) {
		server := httptest.NewServer(newRouter(20 * time.Millisecond))
		t.Cleanup(server.Close)
		test(t, server.URL)
	})
	t.Run("portable", func(t *testing.T) { test(t, serve(t, newRouter(20*time.Millisecond), true)) })
	if runtime.GOOS == "linux" {
		t.Run("native", func(t *testing.T) { test(t, serve(t, newRouter(20*time.Millisecond), false)) })
	}
}

// ask sends a request and returns status and body of the answer.
func ask(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestAnswers(t *testing.T) {
	onEveryServer(t, func(t *testing.T, url string) {
		for _, test := range []struct {
			method, path, body string
			status             int
			want               string
		}{
			{"GET", "/hello/Ann%20B", "", 200, "Hello, Ann B!\n"},
			{"HEAD", "/hello/Ann", "", 404, ""}, // gin has no route for HEAD
			{"GET", "/notes", "", 200, `{"notes":[]}`},
			{"POST", "/notes", `{"text":"one"}`, 201, `{"text":"one"}`},
			{"GET", "/notes", "", 200, `{"notes":[{"text":"one"}]}`},
			{"POST", "/notes", `{}`, 422, `{"error":"Key: 'note.Text' Error:Field validation for 'Text' failed on the 'required' tag"}`},
			{"GET", "/unknown", "", 404, "404 page not found"},
		} {
			status, body := ask(t, test.method, url+test.path, test.body)
			if status != test.status || body != test.want {
				t.Errorf("%s %s: %d %q, want %d %q", test.method, test.path, status, body, test.status, test.want)
			}
		}
		for range maxNotes {
			ask(t, "POST", url+"/notes", `{"text":"two"}`)
		}
		if _, body := ask(t, "GET", url+"/notes", ""); strings.Contains(body, "one") || strings.Count(body, "two") != maxNotes {
			t.Errorf("the notes are %.100q", body)
		}
	})
}

func TestEvents(t *testing.T) {
	onEveryServer(t, func(t *testing.T, url string) {
		answer, err := client.Get(url + "/events")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if kind := answer.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
			t.Errorf("the type is %q", kind)
		}
		in := bufio.NewScanner(answer.Body)
		for _, want := range []string{"event:clock", "data:", "", "event:clock"} {
			if !in.Scan() || !strings.HasPrefix(in.Text(), want) {
				t.Fatalf("got %q and %v, want %q", in.Text(), in.Err(), want)
			}
		}
	})
}

func TestWhoAmI(t *testing.T) {
	url := serve(t, newRouter(time.Second), false)
	if status, body := ask(t, "GET", url+"/whoami", ""); status != 200 || !strings.Contains(body, `"peer":"127.0.0.1:`) {
		t.Errorf("%d %s", status, body)
	}
}
