package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// Sessions are the sessions of a site: where they are kept, how long, and by which cookie.
// The zero value keeps them in memory. Its methods may be called from every goroutine; its
// fields must not be changed, nor it be copied, once one of them was called.
type Sessions struct {
	// Store keeps the sessions. Nil means a MemoryStore of this process alone.
	Store Store
	// Lifetime is how long a session lives after it was last used, 24 minutes by default.
	Lifetime time.Duration
	// TouchEvery is how often a session that is only read is prolonged in the store, a tenth
	// of Lifetime by default. So it may end that much earlier than its last use would say. If
	// it is as long as Lifetime, reading prolongs nothing.
	TouchEvery time.Duration

	// Cookie is the name of the cookie, "session" by default. With the prefix "__Host-",
	// which needs Secure and neither Path nor Domain, no other host of the domain can set it.
	Cookie string
	// CookieLifetime is how long the browser keeps the cookie, by default as long as
	// Lifetime, prolonged with the session. Below 0 it does until it is closed.
	CookieLifetime time.Duration
	// Path and Domain say which requests get the cookie: all of this host by default.
	Path, Domain string
	// SameSite is Lax, the default, Strict or None.
	SameSite string
	// Secure keeps the cookie out of unencrypted requests. Set it wherever all clients come
	// over TLS, here or at a proxy. Scripts never see the cookie: it is always HttpOnly.
	Secure bool
	// Encrypted, if not nil, is asked by Handle, on the loop, whether a client came over TLS;
	// its cookie is then Secure. It is for sites that are served both ways.
	Encrypted func(c *workerman.Conn, r *web.Request) bool

	// Timeout is how long Handle waits for a store on the network, 5 seconds by default.
	Timeout time.Duration
	// Logger gets what fails in Handle. Nil means slog.Default.
	Logger *slog.Logger

	once sync.Once
	err  error
	keep settings
}

// settings are the fields of Sessions with their defaults.
type settings struct {
	store                         Store
	lifetime, touchEvery, timeout time.Duration
	cookie                        web.Cookie
}

// Load returns the session of the client of r, a new one if it has none that the store
// knows. It fails if the store does, or if a setting is wrong. What is stored but cannot be
// read is deleted and reported once.
func (ss *Sessions) Load(ctx context.Context, r *web.Request) (*Session, error) {
	if err := ss.prepare(); err != nil {
		return nil, err
	}
	return ss.load(ctx, ss.requested(r))
}

// requested is the id that the client of r sent, "" if it could be none.
func (ss *Sessions) requested(r *web.Request) string {
	if id := r.Cookie(ss.keep.cookie.Name); validID(id) {
		return id
	}
	return ""
}

// load loads the session of an id that a client sent.
func (ss *Sessions) load(ctx context.Context, id string) (*Session, error) {
	s := &Session{settings: &ss.keep, secure: ss.Secure, values: values{}}
	if id == "" {
		return s, nil
	}
	data, left, err := ss.keep.store.Load(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("session: the store cannot load: %w", err)
	}
	if data == nil {
		return s, nil
	}
	if err := s.decode(data); err != nil {
		err = fmt.Errorf("session: what the store has is none and is deleted: %w", err)
		return nil, errors.Join(err, ss.keep.store.Delete(ctx, id))
	}
	s.id, s.stored, s.sent, s.left = id, true, true, left
	return s, nil
}

// prepare checks the settings once and fills in the defaults.
func (ss *Sessions) prepare() error {
	ss.once.Do(func() { ss.err = ss.check() })
	return ss.err
}

func (ss *Sessions) check() error {
	k := &ss.keep
	k.store = ss.Store
	if k.store == nil {
		k.store = new(MemoryStore)
	}
	k.lifetime = orDefault(ss.Lifetime, 24*time.Minute)
	k.touchEvery = orDefault(ss.TouchEvery, k.lifetime/10)
	k.timeout = orDefault(ss.Timeout, 5*time.Second)
	k.cookie = web.Cookie{Name: ss.Cookie, Path: ss.Path, Domain: ss.Domain, SameSite: ss.SameSite, HTTPOnly: true}
	if k.cookie.Name == "" {
		k.cookie.Name = "session"
	}
	if k.cookie.Path == "" {
		k.cookie.Path = "/"
	}
	if k.cookie.SameSite == "" {
		k.cookie.SameSite = "Lax"
	}
	switch life := ss.CookieLifetime; {
	case life == 0:
		k.cookie.MaxAge = seconds(k.lifetime)
	case life > 0:
		k.cookie.MaxAge = seconds(life)
	}
	if k.lifetime < time.Millisecond {
		return errors.New("session: Lifetime is below a millisecond")
	}
	return ss.checkCookie()
}

// checkCookie refuses what cannot be sent and what browsers ignore without a word (RFC
// 6265bis, sections 4.1.3 and 5.7).
func (ss *Sessions) checkCookie() error {
	c := ss.keep.cookie
	if new(web.Response).AddCookie(c).Err() != nil {
		return errors.New("session: Cookie, Path, Domain or SameSite is not fit for a cookie")
	}
	secure := ss.Secure || ss.Encrypted != nil
	host := strings.HasPrefix(c.Name, "__Host-")
	switch {
	case !secure && c.SameSite == "None":
		return errors.New("session: SameSite None needs Secure")
	case !secure && (host || strings.HasPrefix(c.Name, "__Secure-")):
		return fmt.Errorf("session: the name %s needs Secure", c.Name)
	case host && (c.Path != "/" || c.Domain != ""):
		return fmt.Errorf("session: the name %s allows neither Path nor Domain", c.Name)
	}
	return nil
}

func orDefault(d, fallback time.Duration) time.Duration {
	if d <= 0 {
		return fallback
	}
	return d
}

// seconds rounds up, as 0 would mean another thing in a cookie.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
