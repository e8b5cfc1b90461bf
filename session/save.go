package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/workerman-go/workerman/web"
)

// answer is what the client has to be told about its cookie.
type answer uint8

const (
	sayNothing answer = iota
	setCookie
	deleteCookie
)

// Regenerate gives the session a new id when it is saved: do so at login and whenever else
// the client gains rights. The old id is deleted then or, without deleteOld, left as it is
// in the store until it expires, for requests of this client that are under way.
func (s *Session) Regenerate(deleteOld bool) {
	if s.stored {
		s.old, s.dropOld = s.id, false
	}
	s.dropOld = s.dropOld || deleteOld && s.old != ""
	s.id, s.stored, s.changed = "", false, true
}

// Destroy removes all values and, when it is saved, the session and the client's cookie: do
// so at logout. What is set afterwards begins a new session.
func (s *Session) Destroy() {
	s.Flush()
	s.Regenerate(true)
	s.changed = false
}

// Refresh prolongs the session when it is saved, even if it is not due.
func (s *Session) Refresh() { s.refresh = true }

// Attach saves the session, as Save does, and adds the cookie to resp if the client has to
// learn something: a new id, a longer life or the end. Such a response is for one client:
// without a Cache-Control field of its own it gets "private". resp must not be shared with
// other requests. If Attach fails, resp is as it was.
func (s *Session) Attach(ctx context.Context, resp *web.Response) error {
	if err := s.Save(ctx); err != nil {
		return err
	}
	c := s.settings.cookie
	c.Secure = s.secure
	switch s.cookie {
	case sayNothing:
		return nil
	case setCookie:
		c.Value = s.id
	case deleteCookie:
		c.MaxAge = -1
	}
	resp.AddCookie(c)
	if resp.Get("Cache-Control") == "" {
		resp.Set("Cache-Control", "private")
	}
	s.sent, s.cookie = s.cookie == setCookie, sayNothing
	return nil
}

// Save stores what has changed, and prolongs the session in the store if that is due. Call
// it yourself only where there is no response to attach to, as for a session that a
// WebSocket connection keeps: a client learns of a new id by Attach alone. It fails with
// ErrGone if the session is gone, or with an error of the store.
func (s *Session) Save(ctx context.Context) error {
	if !s.due() {
		return nil
	}
	if err := s.save(ctx); errors.Is(err, ErrGone) {
		return err
	} else if err != nil {
		return fmt.Errorf("session: the store cannot save: %w", err)
	}
	s.changed, s.refresh = false, false
	return nil
}

// due reports whether a save would call the store.
func (s *Session) due() bool {
	return s.changed || s.dropOld || s.stored && (s.refresh || s.aged())
}

// aged reports whether the session has to be prolonged.
func (s *Session) aged() bool { return s.settings.lifetime-s.left >= s.settings.touchEvery }

func (s *Session) save(ctx context.Context) error {
	store, ttl := s.settings.store, s.settings.lifetime
	data, err := s.encode()
	if err != nil {
		return err
	}
	switch {
	case data == nil:
		if s.stored {
			s.Regenerate(true)
		}
		s.cookie = sayNothing
		if s.sent {
			s.cookie = deleteCookie
		}
	case !s.stored:
		if err := store.Create(ctx, s.ID(), data, ttl); err != nil {
			return err
		}
		s.stored, s.left, s.cookie = true, ttl, setCookie
	default:
		if s.changed {
			err = store.Save(ctx, s.id, data, ttl)
		} else {
			err = store.Touch(ctx, s.id, ttl)
		}
		if err != nil {
			return err
		}
		s.left = ttl
		if s.settings.cookie.MaxAge > 0 {
			s.cookie = setCookie
		}
	}
	// The old id goes last: if the new one could not be stored, the client still has it.
	if s.dropOld {
		err = store.Delete(ctx, s.old)
	}
	if err == nil {
		s.old, s.dropOld = "", false
	}
	return err
}
