// Package storetest checks that a session.Store keeps its promises, alone and under
// session.Sessions.
package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman/session"
)

// rounds is how often goroutines save that race with others.
const rounds = 100

// patience is how long something that must happen is waited for.
const patience = 20 * time.Second

// Run runs all checks. Sessions that the store has already do not matter.
func Run(t *testing.T, store session.Store) {
	t.Run("contract", func(t *testing.T) { contract(t, store) })
	t.Run("expiry", func(t *testing.T) { expiry(t, store) })
	t.Run("concurrent", func(t *testing.T) { concurrent(t, store) })
	t.Run("model", func(t *testing.T) { Model(t, store, 3000) })
}

func contract(t *testing.T, store session.Store) {
	ctx := context.Background()
	id, other := rand.Text(), rand.Text()
	load := func(id, want string) {
		t.Helper()
		data, left, err := store.Load(ctx, id)
		if err != nil || string(data) != want || (data == nil) != (want == "") {
			t.Fatalf("Load: %q, %v, want %q", data, err, want)
		}
		if want != "" && (left <= 0 || left > time.Hour) {
			t.Fatalf("left: %v", left)
		}
	}
	step := func(what string, got, want error) {
		t.Helper()
		if !errors.Is(got, want) {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
	}
	load(id, "")
	step("Save of an unknown one", store.Save(ctx, id, []byte("x"), time.Hour), session.ErrGone)
	step("Touch of an unknown one", store.Touch(ctx, id, time.Hour), session.ErrGone)
	step("Delete of an unknown one", store.Delete(ctx, id), nil)
	load(id, "")
	step("Create", store.Create(ctx, id, []byte("one"), time.Hour), nil)
	step("Create", store.Create(ctx, other, []byte("\x00\xff\r\n"), time.Hour), nil)
	load(id, "one")
	load(other, "\x00\xff\r\n")
	step("Save", store.Save(ctx, id, []byte("two and more"), time.Hour), nil)
	load(id, "two and more")
	step("Save", store.Save(ctx, id, []byte("3"), time.Hour), nil)
	load(id, "3")
	step("Touch", store.Touch(ctx, id, time.Minute), nil)
	load(id, "3")
	if _, left, _ := store.Load(ctx, id); left > time.Minute {
		t.Fatalf("touched for a minute, but there is %v left", left)
	}
	step("Save", store.Save(ctx, id, []byte("4"), time.Hour), nil)
	if _, left, _ := store.Load(ctx, id); left <= time.Minute {
		t.Fatalf("saved for an hour, but there is %v left", left)
	}
	step("Delete", store.Delete(ctx, id), nil)
	load(id, "")
	step("Save of a deleted one", store.Save(ctx, id, []byte("x"), time.Hour), session.ErrGone)
	step("Touch of a deleted one", store.Touch(ctx, id, time.Hour), session.ErrGone)
	load(id, "")
	load(other, "\x00\xff\r\n")
	step("Delete", store.Delete(ctx, other), nil)
}

func expiry(t *testing.T, store session.Store) {
	ctx := context.Background()
	short, saved, touched := rand.Text(), rand.Text(), rand.Text()
	for _, id := range []string{short, saved, touched} {
		if err := store.Create(ctx, id, []byte("x"), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(store.Save(ctx, short, []byte("x"), 10*time.Millisecond),
		store.Save(ctx, saved, []byte("x"), 10*time.Millisecond), store.Touch(ctx, touched, 10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	// The clock of the store may be that of another machine: it says when.
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		data, _, err := store.Load(ctx, short)
		if err != nil {
			t.Fatal(err)
		}
		if data == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a session does not expire")
		}
	}
	if err := store.Save(ctx, short, []byte("x"), time.Hour); !errors.Is(err, session.ErrGone) {
		t.Fatalf("Save of an expired one: %v", err)
	}
	for deadline := time.Now().Add(patience); store.Touch(ctx, touched, 10*time.Millisecond) == nil; {
		if time.Now().After(deadline) {
			t.Fatal("a touched session does not expire")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if data, _, err := store.Load(ctx, touched); data != nil || err != nil {
		t.Fatalf("expired, but %q, %v", data, err)
	}
	for _, id := range []string{short, saved, touched} {
		if err := store.Delete(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
}

// concurrent lets goroutines save a session at the same time: what is loaded must always be
// what one of them wrote.
func concurrent(t *testing.T, store session.Store) {
	const writers = 4
	ctx := context.Background()
	id := rand.Text()
	whole := func(w, n int) []byte { return bytes.Repeat(fmt.Appendf(nil, "%d;%03d.", w, n), 1+50*w) }
	if err := store.Create(ctx, id, whole(0, 0), time.Hour); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range rounds {
				if err := store.Save(ctx, id, whole(w, n), time.Hour); err != nil {
					t.Errorf("Save: %v", err)
					return
				}
				if err := store.Touch(ctx, id, time.Hour); err != nil {
					t.Errorf("Touch: %v", err)
					return
				}
				data, _, err := store.Load(ctx, id)
				var w, n int
				if _, scanErr := fmt.Sscanf(string(data), "%d;%d.", &w, &n); err != nil || scanErr != nil || !bytes.Equal(data, whole(w, n)) {
					t.Errorf("Load: %.40q, %v", data, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := store.Delete(ctx, id); err != nil {
		t.Error(err)
	}
	for range 20 {
		nobodyRevives(t, store)
	}
}

// nobodyRevives deletes a session while others save it.
func nobodyRevives(t *testing.T, store session.Store) {
	ctx := context.Background()
	id := rand.Text()
	if err := store.Create(ctx, id, []byte("x"), time.Hour); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range rounds {
				err := store.Save(ctx, id, []byte("y"), time.Hour)
				if errors.Is(err, session.ErrGone) {
					return
				}
				if err != nil {
					t.Errorf("Save: %v", err)
					return
				}
			}
		})
	}
	wg.Go(func() {
		// The others are at it when the data is theirs.
		for {
			data, _, err := store.Load(ctx, id)
			if err != nil || string(data) != "x" {
				break
			}
		}
		if err := store.Delete(ctx, id); err != nil {
			t.Errorf("Delete: %v", err)
		}
	})
	wg.Wait()
	if data, _, err := store.Load(ctx, id); data != nil || err != nil {
		t.Errorf("deleted, but %q, %v", data, err)
	}
}
