package session_test

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/session"
	"github.com/workerman-go/workerman/session/internal/storetest"
	"github.com/workerman-go/workerman/web"
)

// load loads the session of a cookie.
func load(t *testing.T, ss *session.Sessions, cookie string) *session.Session {
	t.Helper()
	s, err := ss.Load(background, storetest.Request(t, cookie))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// attach saves a session and returns the Set-Cookie field.
func attach(t *testing.T, s *session.Session) string {
	t.Helper()
	resp := web.Text("")
	if err := s.Attach(background, resp); err != nil || resp.Err() != nil {
		t.Fatal(err, resp.Err())
	}
	return resp.Get("Set-Cookie")
}

// begin makes a session with a value.
func begin(t *testing.T, ss *session.Sessions) (cookie string) {
	t.Helper()
	s := load(t, ss, "")
	s.Set("user", "ann")
	attach(t, s)
	return s.ID()
}

func TestCookieSettings(t *testing.T) {
	encrypted := func(*workerman.Conn, *web.Request) bool { return false }
	for _, c := range []struct {
		sessions *session.Sessions
		want     string // after the id, "" if the settings are wrong
	}{
		{&session.Sessions{}, "; Max-Age=1440; Path=/; HttpOnly; SameSite=Lax"},
		{&session.Sessions{Lifetime: 1500 * time.Millisecond}, "; Max-Age=2; Path=/; HttpOnly; SameSite=Lax"},
		{&session.Sessions{CookieLifetime: -1}, "; Path=/; HttpOnly; SameSite=Lax"},
		{&session.Sessions{CookieLifetime: time.Hour, Secure: true, SameSite: "None"}, "; Max-Age=3600; Path=/; Secure; HttpOnly; SameSite=None"},
		{&session.Sessions{Domain: "example.com", Path: "/a", SameSite: "Strict"}, "; Domain=example.com; Max-Age=1440; Path=/a; HttpOnly; SameSite=Strict"},
		{&session.Sessions{Cookie: "__Host-s", Secure: true}, "; Max-Age=1440; Path=/; Secure; HttpOnly; SameSite=Lax"},
		{&session.Sessions{Cookie: "__Secure-s", Encrypted: encrypted}, "; Max-Age=1440; Path=/; HttpOnly; SameSite=Lax"},
		{&session.Sessions{Cookie: "__Host-s"}, ""},
		{&session.Sessions{Cookie: "__Secure-s"}, ""},
		{&session.Sessions{Cookie: "__Host-s", Secure: true, Path: "/a"}, ""},
		{&session.Sessions{Cookie: "__Host-s", Secure: true, Domain: "a"}, ""},
		{&session.Sessions{Cookie: "a b"}, ""},
		{&session.Sessions{Path: "/;"}, ""},
		{&session.Sessions{Domain: "a\r\nb"}, ""},
		{&session.Sessions{SameSite: "lax"}, ""},
		{&session.Sessions{SameSite: "None"}, ""},
		{&session.Sessions{Lifetime: 1}, ""},
	} {
		s, err := c.sessions.Load(background, storetest.Request(t, ""))
		if (err == nil) != (c.want != "") {
			t.Errorf("%+v: %v", c.sessions, err)
			continue
		}
		if err != nil {
			continue
		}
		s.Set("a", 1)
		name := "session"
		if c.sessions.Cookie != "" {
			name = c.sessions.Cookie
		}
		if got, want := attach(t, s), name+"="+s.ID()+c.want; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestNobodyPlantsAnID(t *testing.T) {
	ss := new(session.Sessions)
	for _, cookie := range []string{rand.Text(), "A", strings.Repeat("A", 26), strings.Repeat("A", 1000)} {
		s := load(t, ss, cookie)
		s.Set("user", "ann")
		if got := attach(t, s); s.ID() == cookie || !strings.HasPrefix(got, "session="+s.ID()+";") {
			t.Errorf("%q: %q", cookie, got)
		}
		if session.Get(load(t, ss, cookie), "user", "") != "" {
			t.Errorf("%q was taken over", cookie)
		}
	}
	// An id that its owner has destroyed is unknown again.
	cookie := begin(t, ss)
	s := load(t, ss, cookie)
	s.Destroy()
	if got := attach(t, s); !strings.HasPrefix(got, "session=; Max-Age=0; Path=/;") {
		t.Errorf("%q", got)
	}
	if s = load(t, ss, cookie); s.ID() == cookie || s.Has("user") {
		t.Error("a destroyed session lives")
	}
}

func TestVisitorsCostNothing(t *testing.T) {
	ss := &session.Sessions{Store: failing{}}
	s := load(t, ss, "")
	s.ID()
	s.Set("a", 1)
	s.Delete("a")
	s.Destroy()
	s.Regenerate(true)
	s.Refresh()
	if got := attach(t, s); got != "" {
		t.Errorf("a session without values got %q", got)
	}
}

func TestSlidingLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &counting{Store: new(session.MemoryStore)}
		ss := &session.Sessions{Store: store, Lifetime: time.Hour}
		cookie := begin(t, ss)
		for range 30 {
			time.Sleep(5 * time.Minute) // on the test's clock
			s := load(t, ss, cookie)
			if s.ID() != cookie {
				t.Fatal("a session that is used has expired")
			}
			got := attach(t, s)
			if prolonged := store.touched > 0; prolonged != (got != "") {
				t.Errorf("touched %v, cookie %q", prolonged, got)
			}
			store.total += store.touched
			store.touched = 0
		}
		if store.total != 15 || store.saved != 0 {
			t.Errorf("touched %d times in 150 minutes, want one in 10; saved %d times", store.total, store.saved)
		}
		s := load(t, ss, cookie)
		s.Refresh()
		if attach(t, s) == "" || store.touched != 1 {
			t.Error("Refresh")
		}
		s = load(t, ss, cookie)
		s.Set("user", "ann")
		if attach(t, s) != "" || store.saved != 0 {
			t.Error("what did not change was saved")
		}
		s.Set("user", "bob")
		if attach(t, s) == "" || store.saved != 1 {
			t.Error("what changed was not saved once")
		}
		time.Sleep(time.Hour)
		if load(t, ss, cookie).Has("user") {
			t.Error("a session did not expire")
		}
	})
}

func TestFixedLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ss := &session.Sessions{Lifetime: time.Hour, TouchEvery: time.Hour, CookieLifetime: -1}
		cookie := begin(t, ss)
		for range 7 {
			s := load(t, ss, cookie)
			if s.ID() != cookie || attach(t, s) != "" {
				t.Fatal("a session ended early or its cookie was set again")
			}
			time.Sleep(10 * time.Minute)
			if cookie2 := load(t, ss, cookie); !cookie2.Has("user") {
				return
			}
		}
		t.Error("the session was prolonged")
	})
}

// A cookie that lasts until the browser is closed is set once.
func TestCookieOfTheBrowser(t *testing.T) {
	ss := &session.Sessions{CookieLifetime: -1}
	cookie := begin(t, ss)
	s := load(t, ss, cookie)
	s.Set("user", "bob")
	if got := attach(t, s); got != "" {
		t.Errorf("set again: %q", got)
	}
	if session.Get(load(t, ss, cookie), "user", "") != "bob" {
		t.Error("not saved")
	}
}

func TestGoneMeanwhile(t *testing.T) {
	ss := new(session.Sessions)
	cookie := begin(t, ss)
	slow, logout := load(t, ss, cookie), load(t, ss, cookie)
	logout.Destroy()
	attach(t, logout)
	slow.Set("late", true)
	resp := web.Text("")
	if err := slow.Attach(background, resp); !errors.Is(err, session.ErrGone) || resp.Get("Set-Cookie") != "" {
		t.Errorf("%v, %q", err, resp.Get("Set-Cookie"))
	}
	if load(t, ss, cookie).Has("user") {
		t.Error("a slow request brought a session back")
	}
}

func TestLastSaveWins(t *testing.T) {
	ss := new(session.Sessions)
	cookie := begin(t, ss)
	a, b := load(t, ss, cookie), load(t, ss, cookie)
	a.Set("a", 1)
	b.Set("b", 2)
	attach(t, a)
	attach(t, b)
	s := load(t, ss, cookie)
	if s.Has("a") || session.Get(s, "b", 0) != 2 || session.Get(s, "user", "") != "ann" {
		t.Error("not the session of the last save")
	}
}

func TestTypes(t *testing.T) {
	type user struct {
		Name string
		Tags []string
	}
	ss := new(session.Sessions)
	s := load(t, ss, "")
	tags := []string{"x"}
	err := s.SetAll(map[string]any{"user": user{"ann", tags}, "n": math.MaxInt64, "f": 0.5, "b": []byte{0, 255}, "t": true, "null": nil, "s": "ü"})
	if err != nil {
		t.Fatal(err)
	}
	tags[0] = "changed later"
	for range 2 {
		if u := session.Get(s, "user", user{}); u.Name != "ann" || u.Tags[0] != "x" {
			t.Errorf("%v", u)
		}
		if session.Get(s, "n", 0) != math.MaxInt64 || session.Get(s, "f", 0.) != 0.5 || string(session.Get(s, "b", []byte(nil))) != "\x00\xff" ||
			!session.Get(s, "t", false) || session.Get(s, "null", 7) != 7 || session.Get(s, "s", "") != "ü" {
			t.Error("a value has changed")
		}
		if session.Get(s, "s", 5) != 5 || session.Get(s, "user", 5) != 5 || session.Get(s, "n", "x") != "x" || session.Get(s, "none", "x") != "x" {
			t.Error("a value of another type")
		}
		for key, raw := range s.All() {
			clear(raw)
			if key == "b" {
				break
			}
		}
		attach(t, s)
		s = load(t, ss, s.ID())
	}
}

func TestIncrement(t *testing.T) {
	s := load(t, new(session.Sessions), "")
	s.SetAll(map[string]any{"null": nil, "text": "1", "half": 0.5, "max": math.MaxInt64, "min": math.MinInt64})
	for _, c := range []struct {
		key  string
		by   int64
		want int64
		ok   bool
	}{
		{"new", 2, 2, true}, {"new", -5, -3, true}, {"null", 1, 1, true}, {"text", 1, 0, false}, {"half", 1, 0, false},
		{"max", 0, math.MaxInt64, true}, {"max", 1, math.MaxInt64, false}, {"min", -1, math.MinInt64, false}, {"min", 1, math.MinInt64 + 1, true},
	} {
		if got, err := s.Increment(c.key, c.by); got != c.want || (err == nil) != c.ok {
			t.Errorf("%s + %d: %d, %v", c.key, c.by, got, err)
		}
	}
	if session.Get(s, "text", "") != "1" || session.Get(s, "max", 0) != math.MaxInt64 {
		t.Error("an increment that failed changed a value")
	}
}

func TestDamagedSession(t *testing.T) {
	store := new(session.MemoryStore)
	ss := &session.Sessions{Store: store}
	id := rand.Text()
	if err := store.Create(background, id, []byte("{"), time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := ss.Load(background, storetest.Request(t, id)); err == nil || strings.Contains(err.Error(), id) {
		t.Errorf("%v", err)
	}
	if s := load(t, ss, id); s.ID() == id {
		t.Error("a damaged session was not deleted")
	}
}

func TestStoreErrors(t *testing.T) {
	ss := &session.Sessions{Store: failing{}}
	if _, err := ss.Load(background, storetest.Request(t, rand.Text())); !errors.Is(err, errDown) {
		t.Error(err)
	}
	s := load(t, ss, "")
	s.Set("a", 1)
	resp := web.Text("")
	for range 2 {
		if err := s.Attach(background, resp); !errors.Is(err, errDown) || resp.Get("Set-Cookie") != "" {
			t.Errorf("%v, %q", err, resp.Get("Set-Cookie"))
		}
	}
}

// A new id that could be stored is not told to the client as long as the old one still
// works: a second try ends it.
func TestOldIDThatCannotBeDeleted(t *testing.T) {
	store := &counting{Store: new(session.MemoryStore)}
	ss := &session.Sessions{Store: store}
	cookie := begin(t, ss)
	s := load(t, ss, cookie)
	s.Regenerate(true)
	store.deleteErr = errDown
	resp := web.Text("")
	if err := s.Attach(background, resp); !errors.Is(err, errDown) || resp.Get("Set-Cookie") != "" {
		t.Fatalf("%v, %q", err, resp.Get("Set-Cookie"))
	}
	store.deleteErr = nil
	if got := attach(t, s); !strings.HasPrefix(got, "session="+s.ID()) || s.ID() == cookie {
		t.Errorf("%q", got)
	}
	if load(t, ss, cookie).Has("user") || !load(t, ss, s.ID()).Has("user") {
		t.Error("the old id works, or the new one does not")
	}
}

// Save without a response is remembered until a response can tell the client.
func TestSaveThenAttach(t *testing.T) {
	ss := new(session.Sessions)
	s := load(t, ss, "")
	s.Set("a", 1)
	if err := s.Save(background); err != nil {
		t.Fatal(err)
	}
	if !load(t, ss, s.ID()).Has("a") {
		t.Error("not saved")
	}
	if got := attach(t, s); !strings.HasPrefix(got, "session="+s.ID()) {
		t.Errorf("%q", got)
	}
	if got := attach(t, s); got != "" {
		t.Errorf("told twice: %q", got)
	}
	s.Delete("a")
	if got := attach(t, s); !strings.HasPrefix(got, "session=; Max-Age=0;") {
		t.Errorf("an empty session: %q", got)
	}
	own := web.Text("").Set("Cache-Control", "no-store")
	s.Set("a", 1)
	if err := s.Attach(background, own); err != nil || own.Get("Cache-Control") != "no-store" {
		t.Errorf("%v, %q", err, own.Get("Cache-Control"))
	}
}

var errDown = errors.New("store is down")

// failing is a store that is down.
type failing struct{}

func (failing) Load(context.Context, string) ([]byte, time.Duration, error) { return nil, 0, errDown }
func (failing) Create(context.Context, string, []byte, time.Duration) error { return errDown }
func (failing) Save(context.Context, string, []byte, time.Duration) error   { return errDown }
func (failing) Touch(context.Context, string, time.Duration) error          { return errDown }
func (failing) Delete(context.Context, string) error                        { return errDown }

// counting counts what a store has to do.
type counting struct {
	session.Store
	saved, touched, total int
	deleteErr             error
}

func (c *counting) Save(ctx context.Context, id string, data []byte, ttl time.Duration) error {
	c.saved++
	return c.Store.Save(ctx, id, data, ttl)
}

func (c *counting) Touch(ctx context.Context, id string, ttl time.Duration) error {
	c.touched++
	return c.Store.Touch(ctx, id, ttl)
}

func (c *counting) Delete(ctx context.Context, id string) error {
	if c.deleteErr != nil {
		return c.deleteErr
	}
	return c.Store.Delete(ctx, id)
}
