package admin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

func TestWriteProfile(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // profiles that take time end at once
	gzip := []byte{0x1f, 0x8b}
	for _, test := range []struct {
		name, query string
		begin       []byte
	}{
		{"profile", "", gzip}, {"heap", "gc=1", gzip}, {"allocs", "", gzip}, {"goroutine", "", gzip}, {"block", "seconds=9", gzip},
		{"mutex", "seconds=9", gzip}, {"threadcreate", "", gzip}, {"trace", "", []byte("go 1.")},
		{"goroutine", "debug=1", []byte("goroutine profile: total ")}, {"goroutine", "debug=2", []byte("goroutine ")}, {"heap", "debug=1", []byte("heap profile: ")},
		{"cmdline", "", []byte(os.Args[0] + "\x00")},
	} {
		query, _ := url.ParseQuery(test.query)
		var b bytes.Buffer
		if err := WriteProfile(ctx, &b, test.name, query); err != nil || !bytes.HasPrefix(b.Bytes(), test.begin) {
			t.Errorf("%s?%s: %v, %.40q", test.name, test.query, err, b.Bytes())
		}
	}
	if fraction := runtime.SetMutexProfileFraction(-1); fraction != 0 {
		t.Errorf("the mutex profile goes on with fraction %d", fraction)
	}
}

func TestWriteProfileRefuses(t *testing.T) {
	for _, test := range []struct{ name, query, want string }{
		{"nothing", "", `unknown profile "nothing"`}, {"", "", `unknown profile ""`}, {"profile", "seconds=0", "seconds=0: not"}, {"profile", "seconds=NaN", "seconds=NaN"},
		{"trace", "seconds=301", "up to 300"}, {"heap", "seconds=-1", "seconds=-1"}, {"heap", "debug=x", "debug=x: not a number"},
	} {
		query, _ := url.ParseQuery(test.query)
		var b bytes.Buffer
		err := WriteProfile(context.Background(), &b, test.name, query)
		if err == nil || !strings.Contains(err.Error(), test.want) || b.Len() > 0 {
			t.Errorf("%s?%s: %v, %d bytes", test.name, test.query, err, b.Len())
		}
	}
}

func TestProfilePages(t *testing.T) {
	f := &fake{status: sample(), profile: func(_ context.Context, pid int, name string, query url.Values, w io.Writer) error {
		fmt.Fprintf(w, "%d %s %s", pid, name, query.Get("seconds"))
		return nil
	}}
	h := NewHandler(f)
	for target, want := range map[string]string{
		"/debug/pprof/profile?pid=73&seconds=5":      "73 profile 5",
		"/debug/pprof/heap?worker=chat":              "72 heap ", // the one that is ready, not its predecessor
		"/debug/pprof/heap?worker=chat&slot=1":       "73 heap ",
		"/debug/pprof/goroutine?worker=jobs&debug=2": "74 goroutine ",
	} {
		if w := get(t, h, target); w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	for target, want := range map[string]int{
		"/debug/pprof/heap?pid=70": 404, "/debug/pprof/heap?pid=x": 404, "/debug/pprof/heap?worker=x": 404, "/debug/pprof/heap?worker=chat&slot=2": 404,
		"/debug/pprof/heap?worker=chat&slot=x": 404, "/debug/pprof/x": 404, "/debug/pprof/profile?seconds=x": 400, "/debug/pprof/?pid=1": 404,
	} {
		if w := get(t, h, target); w.Code != want {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	// The master's own.
	if w := get(t, h, "/debug/pprof/goroutine?debug=1"); !strings.HasPrefix(w.Body.String(), "goroutine profile") || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%v %.60s", w.Header(), w.Body)
	}
	if w := get(t, h, "/debug/pprof/heap?pid="+strconv.Itoa(os.Getpid())); w.Header().Get("Content-Disposition") != `attachment; filename="heap"` || w.Body.Len() < 100 {
		t.Errorf("%v", w.Header())
	}
	index := get(t, h, "/debug/pprof/?worker=chat&slot=1").Body.String()
	for _, part := range []string{"<h1>Profiles of chat 1</h1>", `href="heap?pid=73"`, `href="?pid=74"`, `<a href="?pid=73" aria-current="page">`} {
		if !strings.Contains(index, part) {
			t.Errorf("no %s in\n%s", part, index)
		}
	}
}

func TestProfileFails(t *testing.T) {
	f := &fake{status: sample()}
	s := httptest.NewServer(NewHandler(f))
	defer s.Close()
	r, err := http.Get(s.URL + "/debug/pprof/heap?pid=73")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(r.Body)
	r.Body.Close()
	if r.StatusCode != 502 || string(text) != "no profile: no answer\n" || r.Header.Get("Content-Disposition") != "" {
		t.Errorf("%d %q %v", r.StatusCode, text, r.Header)
	}
	// What has begun is cut, not ended.
	f.profile = func(_ context.Context, _ int, _ string, _ url.Values, w io.Writer) error {
		io.WriteString(w, "half")
		return errors.New("broken")
	}
	r, err = http.Get(s.URL + "/debug/pprof/heap?pid=73")
	if err == nil {
		_, err = io.ReadAll(r.Body)
		r.Body.Close()
	}
	if err == nil {
		t.Error("half a profile came to a good end")
	}
}

// The runtime takes one CPU profile at a time; the second one is told so, and others may go on.
func TestProfilesOneAtATime(t *testing.T) {
	began, end := make(chan struct{}), make(chan struct{})
	f := &fake{status: sample(), profile: func(_ context.Context, pid int, name string, _ url.Values, w io.Writer) error {
		if pid == 73 && name == "profile" {
			close(began)
			<-end
		}
		_, err := io.WriteString(w, "done")
		return err
	}}
	h := NewHandler(f)
	first := make(chan int)
	go func() { first <- get(t, h, "/debug/pprof/profile?pid=73").Code }()
	<-began
	for target, want := range map[string]int{
		"/debug/pprof/profile?pid=73": 409, "/debug/pprof/profile?pid=72": 200, "/debug/pprof/trace?pid=73": 200, "/debug/pprof/heap?pid=73": 200,
	} {
		if w := get(t, h, target); w.Code != want {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	close(end)
	if code := <-first; code != 200 {
		t.Errorf("first: %d", code)
	}
	if w := get(t, h, "/debug/pprof/trace?pid=73"); w.Code != 200 {
		t.Errorf("after it: %d", w.Code)
	}
}

// The tool itself fetches a profile of a process.
func TestToolPprof(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not installed")
	}
	f := &fake{status: sample(), profile: func(ctx context.Context, _ int, name string, query url.Values, w io.Writer) error {
		return WriteProfile(ctx, w, name, query)
	}}
	s := httptest.NewServer(NewHandler(f))
	defer s.Close()
	for _, target := range []string{"/debug/pprof/goroutine?pid=73", "/debug/pprof/profile?worker=chat&slot=1&seconds=1"} {
		tool := exec.Command("go", "tool", "pprof", "-top", s.URL+target)
		tool.Env = append(os.Environ(), "PPROF_TMPDIR="+filepath.Join(t.TempDir()), "HOME="+t.TempDir(), "GOCACHE="+goCache(t))
		out, err := tool.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "flat%") {
			t.Errorf("%s: %v\n%s", target, err, out)
		}
	}
}

// goCache is the build cache of the user, as the tool may have to be built.
func goCache(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
