package session_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/session"
	"github.com/workerman-go/workerman/web"
)

// distant makes of any store one that might be on the network.
type distant struct{ session.Store }

// site is a running worker with sessions.
type site struct {
	t   *testing.T
	url string
	log bytes.Buffer // to be read when the worker has stopped
}

// newSite starts a worker that ends with the test.
func newSite(t *testing.T, ss *session.Sessions, blocking bool, fn session.Handler) *site {
	t.Helper()
	s := &site{t: t}
	logger := slog.New(slog.NewTextHandler(&s.log, nil))
	ss.Logger = logger
	master := &workerman.Master{PoisonLent: true, Logger: slog.New(slog.DiscardHandler)}
	w := master.NewWorker("http://127.0.0.1:0")
	w.Name, w.Blocking = "site", blocking
	w.OnRequest = ss.Handle(fn)
	listens := make(chan struct{})
	w.OnWorkerStart = func(*workerman.Worker) error {
		close(listens)
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- master.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := testkit.Receive(t, stopped, "the end of Run"); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	testkit.Receive(t, listens, "the worker listens")
	s.url = "http://" + w.Addr().String()
	return s
}

// newBrowser is a client that keeps cookies.
func newBrowser(t *testing.T) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: transport, Timeout: testkit.Patience}
}

// get is the status and the body of a page.
func (s *site) get(browser *http.Client, path string) string {
	s.t.Helper()
	resp, err := browser.Get(s.url + path)
	if err != nil {
		s.t.Error(err)
		return ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Error(err)
	}
	return fmt.Sprint(resp.StatusCode, " ", string(body))
}

// visits is a site that counts, welcomes and says goodbye.
func visits(c *workerman.Conn, r *web.Request, s *session.Session) *web.Response {
	switch r.Path() {
	case "/login":
		s.Regenerate(true)
		s.Set("user", r.Query("name"))
		s.Flash("notice", "welcome")
	case "/logout":
		s.Destroy()
	case "/self":
		c.Respond(web.Text("by myself"))
		return nil
	}
	n := session.Get(s, "visits", 0)
	if r.Path() == "/count" {
		n++
		s.Increment("visits", 1)
	}
	return web.Text(fmt.Sprintf("%d %s %s", n, session.Get(s, "user", "nobody"), session.Get(s, "notice", "-")))
}

func TestHandle(t *testing.T) {
	for name, store := range map[string]session.Store{
		"memory": nil, "file": newFileStore(t, t.TempDir()), "network": distant{new(session.MemoryStore)},
	} {
		for _, blocking := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/blocking=%v", name, blocking), func(t *testing.T) {
				site := newSite(t, &session.Sessions{Store: store}, blocking, visits)
				var wg sync.WaitGroup
				for i := range 8 {
					browser := newBrowser(t)
					wg.Go(func() {
						user := fmt.Sprint("user", i)
						for _, step := range []struct{ path, want string }{
							{"/", "200 0 nobody -"},
							{"/count", "200 1 nobody -"},
							{"/count", "200 2 nobody -"},
							{"/login?name=" + user, "200 2 " + user + " welcome"},
							{"/self", "200 by myself"},
							{"/", "200 2 " + user + " welcome"},
							{"/", "200 2 " + user + " -"},
							{"/count", "200 3 " + user + " -"},
							{"/logout", "200 0 nobody -"},
							{"/count", "200 1 nobody -"},
						} {
							if got := site.get(browser, step.path); got != step.want {
								t.Errorf("%s of %s: %q, want %q", step.path, user, got, step.want)
							}
						}
					})
				}
				wg.Wait()
			})
		}
	}
}

func TestHandleEncrypted(t *testing.T) {
	ss := &session.Sessions{Encrypted: func(_ *workerman.Conn, r *web.Request) bool { return r.Header("X-Forwarded-Proto") == "https" }}
	site := newSite(t, ss, false, visits)
	for _, proto := range []string{"http", "https"} {
		req, err := http.NewRequest("GET", site.url+"/count", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-Proto", proto)
		resp, err := newBrowser(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if cookies := resp.Cookies(); len(cookies) != 1 || cookies[0].Secure != (proto == "https") || !cookies[0].HttpOnly {
			t.Errorf("%s: %v", proto, cookies)
		}
	}
}

// broken is a store whose Load waits until its context ends, or panics.
type broken struct {
	session.Store
	panics bool
	loads  chan struct{}
}

func (b broken) Load(ctx context.Context, id string) ([]byte, time.Duration, error) {
	b.loads <- struct{}{}
	if b.panics {
		panic("store")
	}
	<-ctx.Done()
	return nil, 0, ctx.Err()
}

// While a store does not answer, the loop serves others; the client that waits for it gets a
// 503 in the end.
func TestStoreThatHangs(t *testing.T) {
	store := broken{Store: new(session.MemoryStore), loads: make(chan struct{}, 1)}
	site := newSite(t, &session.Sessions{Store: store, Timeout: 200 * time.Millisecond}, false, visits)
	hanging := make(chan string)
	go func() { hanging <- site.withCookie(rand.Text()) }()
	<-store.loads
	if got := site.get(newBrowser(t), "/count"); got != "200 1 nobody -" {
		t.Errorf("meanwhile: %q", got)
	}
	if got := <-hanging; got != "503" {
		t.Errorf("the request that waits: %q", got)
	}
}

func TestStoreThatFails(t *testing.T) {
	panics := broken{panics: true, loads: make(chan struct{}, 1)}
	for name, c := range map[string]struct {
		sessions *session.Sessions
		cookie   string
		logged   string
	}{
		"load":     {&session.Sessions{Store: failing{}}, rand.Text(), errDown.Error()},
		"save":     {&session.Sessions{Store: failing{}}, "", errDown.Error()},
		"panic":    {&session.Sessions{Store: panics}, rand.Text(), "panic"},
		"settings": {&session.Sessions{SameSite: "None"}, "", "needs Secure"},
	} {
		var s *site
		t.Run(name, func(t *testing.T) {
			s = newSite(t, c.sessions, false, visits)
			if got := s.withCookie(c.cookie); got != "503" {
				t.Errorf("%q", got)
			}
		})
		if log := s.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, c.logged) || !strings.Contains(log, "worker=site peer=127.0.0.1:") {
			t.Errorf("%s: %q", name, log)
		}
	}
}

// withCookie is the status of /count with that cookie.
func (s *site) withCookie(cookie string) string {
	req, err := http.NewRequest("GET", s.url+"/count", nil)
	if err != nil {
		return err.Error()
	}
	if cookie != "" {
		req.AddCookie(&http.Cookie{Name: "session", Value: cookie})
	}
	client := newBrowser(s.t)
	resp, err := client.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	if resp.Header.Get("Set-Cookie") != "" {
		return "a cookie"
	}
	return fmt.Sprint(resp.StatusCode)
}

// A logout that overtakes a slow request: the slow one is answered, and brings nothing back.
func TestAnswerOfASessionThatIsGone(t *testing.T) {
	store := new(session.MemoryStore)
	ss := &session.Sessions{Store: distant{store}}
	site := newSite(t, ss, false, func(_ *workerman.Conn, r *web.Request, s *session.Session) *web.Response {
		s.Increment("visits", 1)
		if err := store.Delete(background, s.ID()); err != nil {
			t.Error(err)
		}
		return web.Text("answered")
	})
	browser := newBrowser(t)
	for range 2 {
		if got := site.get(browser, "/"); got != "200 answered" {
			t.Errorf("%q", got)
		}
	}
}
