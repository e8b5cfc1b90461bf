package storetest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/session"
	"github.com/workerman-go/workerman/web"
)

// kept is what the model has in its store.
type kept struct {
	values map[string]string // as JSON
	flash  []string
}

// visit is a request of the model: a session, and what it should be like.
type visit struct {
	session *session.Session
	client  *client
	id      string // under which it was stored, "" if it was not
	sent    bool   // whether the client has its cookie
	drop    string
	values  map[string]string
	flash   map[string]bool // true: for the next request, too
	changed bool
}

// client is a browser: it has a cookie or none.
type client struct{ cookie string }

// Model does random things to random sessions and compares each step with a plain model,
// visits that overlap included.
func Model(t *testing.T, store session.Store, steps int) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := mathrand.New(mathrand.NewPCG(seed, 0))
	m := &model{T: t, rnd: rnd, stored: map[string]kept{}, sessions: &session.Sessions{Store: store, Lifetime: time.Hour}}
	clients := []*client{{}, {}, {}}
	var open []*visit
	for range steps {
		switch n := rnd.IntN(10); {
		case n < 2 || len(open) == 0:
			open = append(open, m.begin(clients[rnd.IntN(len(clients))]))
		case n < 7:
			m.change(open[rnd.IntN(len(open))])
		default:
			i := rnd.IntN(len(open))
			m.end(open[i])
			open = slices.Delete(open, i, i+1)
		}
		if t.Failed() {
			return
		}
	}
	for id := range m.stored {
		if err := store.Delete(context.Background(), id); err != nil {
			t.Error(err)
		}
	}
}

type model struct {
	*testing.T
	rnd      *mathrand.Rand
	stored   map[string]kept
	sessions *session.Sessions
}

// begin is a request of a client, which sometimes has thought up its id.
func (m *model) begin(c *client) *visit {
	switch m.rnd.IntN(30) {
	case 0:
		c.cookie = rand.Text()
	case 1:
		c.cookie = "../../../../etc/passwd"
	case 2:
		c.cookie = ""
	}
	s, err := m.sessions.Load(context.Background(), Request(m.T, c.cookie))
	if err != nil {
		m.Fatalf("Load: %v", err)
	}
	v := &visit{session: s, client: c, values: map[string]string{}, flash: map[string]bool{}}
	if k, ok := m.stored[c.cookie]; ok {
		v.id, v.sent, v.changed = c.cookie, true, len(k.flash) > 0
		maps.Copy(v.values, k.values)
		for _, key := range k.flash {
			v.flash[key] = false
		}
		if s.ID() != c.cookie {
			m.Fatalf("id %q, want %q", s.ID(), c.cookie)
		}
	} else if s.ID() == c.cookie {
		m.Fatalf("the client's id %q was taken over", c.cookie)
	}
	m.compare(v)
	return v
}

// change does one thing to a session.
func (m *model) change(v *visit) {
	key := string(rune('a' + m.rnd.IntN(5)))
	n := m.rnd.IntN(5)
	set := func(value string) {
		v.changed = v.changed || v.values[key] != value
		v.values[key] = value
	}
	remove := func(key string) {
		_, was := v.values[key]
		v.changed = v.changed || was
		delete(v.values, key)
		delete(v.flash, key)
	}
	old := v.values[key]
	var got, want any
	switch m.rnd.IntN(14) {
	case 0, 1, 2:
		got, want = v.session.Set(key, n), error(nil)
		set(fmt.Sprint(n))
		_, was := v.flash[key]
		v.changed = v.changed || was
		delete(v.flash, key)
	case 3:
		got, want = v.session.Set(key, nil), error(nil)
		set("null")
		_, was := v.flash[key]
		v.changed = v.changed || was
		delete(v.flash, key)
	case 4:
		if v.session.Set(key, func() {}) == nil || v.session.SetAll(map[string]any{"a": 1, "z": make(chan int)}) == nil {
			m.Fatal("a function was kept")
		}
	case 5:
		got, want = v.session.Flash(key, n), error(nil)
		set(fmt.Sprint(n))
		v.flash[key], v.changed = true, true
	case 6:
		v.session.Keep(key, "none")
		if was, ok := v.flash[key]; ok {
			v.flash[key], v.changed = true, v.changed || !was
		}
	case 7:
		v.session.Reflash()
		for key, was := range v.flash {
			v.flash[key], v.changed = true, v.changed || !was
		}
	case 8:
		got, want = session.Pull(v.session, key, -1), number(old, -1)
		remove(key)
	case 9:
		v.session.Delete(key, "none")
		remove(key)
	case 10:
		var err error
		got, err = v.session.Increment(key, int64(n))
		want = int64(number(old, 0) + n)
		if err != nil {
			m.Fatal(err)
		}
		set(fmt.Sprint(want))
	case 11:
		deleteOld := m.rnd.IntN(2) == 0
		v.session.Regenerate(deleteOld)
		m.regenerate(v, deleteOld)
	case 12:
		v.session.Flush()
		for key := range v.values {
			remove(key)
		}
	case 13:
		if m.rnd.IntN(3) == 0 {
			v.session.Destroy()
			clear(v.values)
			clear(v.flash)
			m.regenerate(v, true)
		}
	}
	if got != want {
		m.Fatalf("got %v, want %v", got, want)
	}
	m.compare(v)
}

func (m *model) regenerate(v *visit, deleteOld bool) {
	if v.id != "" {
		v.drop = "-" + v.id // kept, unless it is to be deleted
	}
	if deleteOld {
		v.drop = strings.TrimPrefix(v.drop, "-")
	}
	v.id, v.changed = "", true
}

// end answers a request and compares the cookie and the store.
func (m *model) end(v *visit) {
	ctx := context.Background()
	resp := web.Text("")
	err := v.session.Attach(ctx, resp)
	k := kept{values: map[string]string{}}
	for key, value := range v.values {
		stays, flash := v.flash[key]
		if !flash || stays {
			k.values[key] = value
		}
		if stays {
			k.flash = append(k.flash, key)
		}
	}
	cookie, attributes, _ := strings.Cut(resp.Get("Set-Cookie"), ";")
	cookie = strings.TrimPrefix(cookie, "session=")
	_, alive := m.stored[v.id]
	switch {
	case v.id != "" && v.changed && len(k.values) > 0 && !alive:
		if !errors.Is(err, session.ErrGone) || cookie != "" {
			m.Fatalf("saved what is gone: %v, cookie %q", err, cookie)
		}
		return
	case err != nil:
		m.Fatalf("Attach: %v", err)
	case len(k.values) == 0:
		if v.id != "" && v.changed {
			m.regenerate(v, true)
		}
		deleted := v.sent && (v.changed || v.drop != "" && v.drop[0] != '-')
		if got := strings.Contains(attributes, "Max-Age=0"); got != deleted || cookie != "" {
			m.Fatalf("cookie %q%s, deleted should be %v", cookie, attributes, deleted)
		}
		if deleted && v.client.cookie != "" {
			v.client.cookie = ""
		}
	case v.id == "":
		if cookie == "" || cookie != v.session.ID() || !strings.Contains(attributes, " Max-Age=3600; Path=/; HttpOnly; SameSite=Lax") {
			m.Fatalf("cookie %q%s", cookie, attributes)
		}
		if _, ok := m.stored[cookie]; ok {
			m.Fatalf("the id of another session")
		}
		m.stored[cookie], v.client.cookie = k, cookie
	case v.changed:
		if cookie != v.id {
			m.Fatalf("cookie %q, want %q prolonged", cookie, v.id)
		}
		m.stored[v.id], v.client.cookie = k, cookie
	case cookie != "":
		m.Fatalf("unasked cookie %q", cookie)
	}
	if cookie != "" && resp.Get("Cache-Control") != "private" {
		m.Fatal("a response with a cookie may be cached for others")
	}
	if v.drop != "" && v.drop[0] != '-' {
		delete(m.stored, v.drop)
	}
	for _, id := range []string{v.id, v.client.cookie, v.drop} {
		_, want := m.stored[id]
		if len(id) != 26 {
			continue
		}
		if s, err := m.sessions.Load(ctx, Request(m.T, id)); err != nil || (s.ID() == id) != want {
			m.Fatalf("stored: %v, %v, want %v", s.ID() == id, err, want)
		}
	}
}

// compare compares what the session says of itself.
func (m *model) compare(v *visit) {
	all := map[string]string{}
	for key, raw := range v.session.All() {
		all[key] = string(raw)
	}
	if !maps.Equal(all, v.values) {
		m.Fatalf("values %v, want %v", all, v.values)
	}
	for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
		raw, exists := v.values[key]
		if v.session.Exists(key) != exists || v.session.Has(key) != (exists && raw != "null") {
			m.Fatalf("%s: %q, but exists %v, has %v", key, raw, v.session.Exists(key), v.session.Has(key))
		}
		if got := session.Get(v.session, key, -1); got != number(raw, -1) {
			m.Fatalf("%s: %d, want %s", key, got, raw)
		}
	}
}

// number is a JSON number, or fallback if there is none.
func number(raw string, fallback int) int {
	if raw != "null" {
		json.Unmarshal([]byte(raw), &fallback)
	}
	return fallback
}

// Request is a request with this session cookie, if it is not empty.
func Request(t testing.TB, cookie string) *web.Request {
	t.Helper()
	head := "GET / HTTP/1.1\r\nHost: a\r\n"
	if cookie != "" {
		head += "Cookie: a=b; session=" + cookie + "\r\n"
	}
	var p web.Parser
	r := new(web.Request)
	if _, step, err := p.Parse(r, []byte(head+"\r\n")); step != web.GotRequest {
		t.Fatalf("%q: %v", head, err)
	}
	return r
}
