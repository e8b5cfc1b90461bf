package session

import (
	"context"
	"crypto/rand"
	"errors"
	"time"
)

// ErrGone is a session that was destroyed or has expired since it was loaded. What the
// request changed is lost, which is right after a logout: answer without it.
var ErrGone = errors.New("session: gone since it was loaded")

// A Store keeps the data of sessions until they expire. Its methods are called from several
// goroutines at the same time. An id is 26 letters A to Z and digits 2 to 7, which is safe in
// file names and keys. Data may be kept, as nobody changes it, and must not be changed.
type Store interface {
	// Load returns the data of a session and how long it has left, or nil without an error
	// if there is none of that id.
	Load(ctx context.Context, id string) (data []byte, left time.Duration, err error)
	// Create keeps data for ttl under an id that is new.
	Create(ctx context.Context, id string, data []byte, ttl time.Duration) error
	// Save replaces the data and lets it live for ttl from now. If there is no session of
	// that id, it must not make one: it returns ErrGone.
	Save(ctx context.Context, id string, data []byte, ttl time.Duration) error
	// Touch lets a session live for ttl from now, or returns ErrGone.
	Touch(ctx context.Context, id string, ttl time.Duration) error
	// Delete removes a session. It is no error if there is none.
	Delete(ctx context.Context, id string) error
}

// nearby is a Store that never waits for a network, so that Handle may use it on the loop.
type nearby interface{ nearby() }

// idLength is that of rand.Text, which has 130 random bits.
const idLength = 26

func newID() string { return rand.Text() }

// validID reports whether id could be one that newID made.
func validID(id string) bool {
	if len(id) != idLength {
		return false
	}
	for _, c := range []byte(id) {
		if c-'A' >= 26 && c-'2' >= 6 {
			return false
		}
	}
	return true
}
