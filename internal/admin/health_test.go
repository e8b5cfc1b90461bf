package admin

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

func TestHealth(t *testing.T) {
	with := func(change func(*control.Status)) control.Status {
		s := sample()
		change(&s)
		return s
	}
	state := func(state string) control.Status { return with(func(s *control.Status) { s.State = state }) }
	jobs := func(state string) control.Status {
		return with(func(s *control.Status) { s.Workers[1].Processes[0].State = state })
	}
	for name, test := range map[string]struct {
		status        control.Status
		err           error
		health, ready string // "" for 200
	}{
		"running":         {status: state("running")},
		"reloading":       {status: state("reloading")},
		"starting":        {status: state("starting"), ready: "the service is starting"},
		"stopping":        {status: state("stopping"), ready: "the service is stopping"},
		"process starts":  {status: jobs(control.Starting), ready: "worker jobs (none) has no ready process"},
		"process is lost": {status: jobs(control.Lost), ready: "worker jobs (none) has no ready process"},
		"crash loop": {
			status: with(func(s *control.Status) { s.Workers[1].Processes, s.Workers[1].Backoff = nil, "2s" }),
			ready:  "worker jobs (none) has no ready process, as they keep dying; the next starts in 2s",
		},
		"no process at all": {
			status: control.Status{State: "running", Workers: []control.Worker{{Name: "a", Listen: "tcp://x", Count: 1}, {Name: "b", Count: 1}}},
			ready:  "worker a (tcp://x) has no ready process\nworker b () has no ready process",
		},
		"all are lost": {
			status: control.Status{State: "running", Workers: []control.Worker{{Name: "a", Count: 2, Processes: []control.Process{{State: control.Lost}, {State: control.Lost}}}}},
			health: "none of 2 processes answers", ready: "worker a () has no ready process",
		},
		"no answer": {err: errors.New("broken"), health: "no status: broken", ready: "no status: broken"},
	} {
		t.Run(name, func(t *testing.T) {
			h := NewHandler(&fake{status: test.status, err: test.err})
			for target, want := range map[string]string{"/healthz": test.health, "/readyz": test.ready} {
				code := 503
				if want == "" {
					code, want = 200, "ok"
				}
				w := get(t, h, target)
				if w.Code != code || strings.TrimSuffix(w.Body.String(), "\n") != want {
					t.Errorf("%s: %d %q, want %d %q", target, w.Code, w.Body, code, want)
				}
			}
		})
	}
}

func TestStatus(t *testing.T) {
	want := sample()
	w := get(t, NewHandler(&fake{status: want}), "/status")
	var got control.Status
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v\n%+v", err, got, want)
	}
	if kind := w.Header().Get("Content-Type"); kind != "application/json" {
		t.Error(kind)
	}
}

// Those who wait at the same time get the same answer, and nobody gets an older one.
func TestStatusIsShared(t *testing.T) {
	f := &fake{status: sample()}
	v := viewer{source: f}
	look := func(since time.Time) *view {
		t.Helper()
		got, err := v.view(t.Context(), since)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	since := time.Now()
	first := look(since)
	if look(since) != first || f.asked != 1 {
		t.Errorf("asked %d times", f.asked)
	}
	if look(v.asked.Add(1)) == first || f.asked != 2 {
		t.Errorf("an old status, asked %d times", f.asked)
	}
}

func TestGuard(t *testing.T) {
	h := NewHandler(&fake{status: sample()})
	for _, test := range []struct {
		method, target string
		header         map[string]string
		want           int
	}{
		{"GET", "/status", nil, 200},
		{"HEAD", "/status", nil, 200},
		{"HEAD", "/connections", nil, 200},
		{"HEAD", "/stack", nil, 200},
		{"HEAD", "/debug/pprof/profile?seconds=300", nil, 200},
		{"POST", "/status", nil, 405},
		{"DELETE", "/", nil, 405},
		{"OPTIONS", "/status", map[string]string{"Origin": "http://evil.example", "Access-Control-Request-Method": "GET"}, 405},
		{"GET", "/nothing", nil, 404},
		{"GET", "/web/style.css", nil, 404},
		{"GET", "/status", map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		{"GET", "/status", map[string]string{"Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document"}, 200},
		{"GET", "/status", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"GET", "/debug/pprof/profile", map[string]string{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "document"}, 403},
		{"GET", "/", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}, 200}, // a link
		{"GET", "/", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}, 403},
	} {
		r := httptest.NewRequest(test.method, test.target, nil)
		for name, value := range test.header {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != test.want {
			t.Errorf("%s %s %v: %d, want %d", test.method, test.target, test.header, w.Code, test.want)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Access-Control-Allow-Origin") != "" ||
			!strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s %s: header %v", test.method, test.target, w.Header())
		}
	}
}

func TestNamesLocal(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:6060": true, "127.0.0.1:6060": true, "127.0.0.1": true, "127.8.8.8": true, "[::1]:6060": true, "[::1]": true, "[::ffff:127.0.0.1]:1": true,
		"admin.internal:6060": true, "Admin.Internal": true,
		"evil.example:6060": false, "127.0.0.1.evil.example": false, "localhost.evil.example": false, "": true, "10.0.0.1:6060": false, ":6060": false, "[::]": false,
	} {
		if got := namesLocal(host, "admin.internal"); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
	if namesLocal(":6060", "") {
		t.Error("no name is the host that is not configured")
	}
}

func TestPage(t *testing.T) {
	h := NewHandler(&fake{status: sample()})
	kinds := map[string]string{"/": "text/html; charset=utf-8", "/style.css": "text/css; charset=utf-8", "/icon.svg": "image/svg+xml"}
	for _, name := range append(pageFiles, "") {
		want := kinds["/"+name]
		if want == "" {
			want = "text/javascript; charset=utf-8"
		}
		w := get(t, h, "/"+name)
		if w.Code != 200 || w.Header().Get("Content-Type") != want || w.Body.Len() < 100 {
			t.Errorf("%q: %d, %s, %d bytes", name, w.Code, w.Header().Get("Content-Type"), w.Body.Len())
		}
		r := httptest.NewRequest("GET", "/"+name, nil)
		r.Header.Set("If-None-Match", w.Header().Get("ETag"))
		again := httptest.NewRecorder()
		h.ServeHTTP(again, r)
		if again.Code != http.StatusNotModified {
			t.Errorf("%q is sent again: %d", name, again.Code)
		}
	}
	// Nothing is loaded from elsewhere, and no script or style stands in the page.
	text := get(t, h, "/").Body.String()
	for _, bad := range []string{"http://", "https://", "<style", "style=", "onclick", "<script>"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
}
