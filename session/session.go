package session

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"time"
)

type values map[string]json.RawMessage

// A Session is what is kept for a client, as one request sees it. It belongs to that request:
// its methods must not be called from two goroutines at the same time.
type Session struct {
	settings *settings
	secure   bool

	id     string        // "" until there is one or somebody asks
	stored bool          // the store knows id
	left   time.Duration // until the store forgets it, when it was loaded
	sent   bool          // the client has the cookie of a session that is or was stored

	old     string // the id in the store before Regenerate or Destroy
	dropOld bool   // whether it has to be deleted

	values  values
	flash   map[string]bool // whether the value of a key is for the next request, too
	changed bool
	refresh bool
	cookie  answer // what Attach has to tell the client
}

// ID is the session's id. That of a new session is only then known to the store when it is
// saved, which it is if it has values. Treat it as a password.
func (s *Session) ID() string {
	if s.id == "" {
		s.id = newID()
	}
	return s.id
}

// Get returns the value of key as a T. If there is none, if it is null or no T, it returns
// fallback.
func Get[T any](s *Session, key string, fallback T) T {
	if !s.Has(key) {
		return fallback
	}
	var v T
	if json.Unmarshal(s.values[key], &v) != nil {
		return fallback
	}
	return v
}

// Pull is Get, and removes the value.
func Pull[T any](s *Session, key string, fallback T) T {
	v := Get(s, key, fallback)
	s.Delete(key)
	return v
}

// Has reports whether there is a value of key that is not null.
func (s *Session) Has(key string) bool {
	v, ok := s.values[key]
	return ok && string(v) != "null"
}

// Exists reports whether there is a value of key, which may be null.
func (s *Session) Exists(key string) bool {
	_, ok := s.values[key]
	return ok
}

// All are the keys and their values as JSON, sorted by key.
func (s *Session) All() iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		for _, key := range slices.Sorted(maps.Keys(s.values)) {
			if !yield(key, slices.Clone(s.values[key])) {
				return
			}
		}
	}
}

// Set keeps v as JSON, as it is now. It fails, and changes nothing, if v has no JSON. In JSON
// a string is UTF-8; other bytes are kept by a []byte.
func (s *Session) Set(key string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("session: the value of %q cannot be kept: %w", key, err)
	}
	s.put(key, raw)
	s.setFlash(key, false)
	return nil
}

// SetAll sets all of these values, or none if one of them has no JSON.
func (s *Session) SetAll(all map[string]any) error {
	encoded := make(values, len(all))
	for key, v := range all {
		raw, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("session: the value of %q cannot be kept: %w", key, err)
		}
		encoded[key] = raw
	}
	for key, raw := range encoded {
		s.put(key, raw)
		s.setFlash(key, false)
	}
	return nil
}

func (s *Session) put(key string, raw json.RawMessage) {
	if old, ok := s.values[key]; !ok || !bytes.Equal(old, raw) {
		s.values[key] = raw
		s.changed = true
	}
}

// Increment adds by to the integer of key, 0 if there is none, and returns the sum. It fails,
// and changes nothing, if the value is no integer or the sum too large for an int64. Of two
// requests at the same time one may be lost.
func (s *Session) Increment(key string, by int64) (int64, error) {
	var n int64
	if s.Has(key) {
		if err := json.Unmarshal(s.values[key], &n); err != nil {
			return 0, fmt.Errorf("session: the value of %q is no integer", key)
		}
	}
	if by > 0 && n > math.MaxInt64-by || by < 0 && n < math.MinInt64-by {
		return n, fmt.Errorf("session: the value of %q would be too large", key)
	}
	n += by
	raw, err := json.Marshal(n)
	s.put(key, raw)
	return n, err
}

// Delete removes the values of keys.
func (s *Session) Delete(keys ...string) {
	for _, key := range keys {
		if s.Exists(key) {
			delete(s.values, key)
			delete(s.flash, key)
			s.changed = true
		}
	}
}

// Flush removes all values. Destroy also gives up the id.
func (s *Session) Flush() {
	s.changed = s.changed || len(s.values) > 0
	clear(s.values)
	clear(s.flash)
}
