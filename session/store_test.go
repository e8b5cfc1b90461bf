package session_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/workerman-go/workerman/session"
	"github.com/workerman-go/workerman/session/internal/storetest"
)

var background = context.Background()

func TestMemoryStore(t *testing.T) { storetest.Run(t, new(session.MemoryStore)) }

func TestFileStore(t *testing.T) { storetest.Run(t, newFileStore(t, t.TempDir())) }

// newFileStore returns the store of a directory below dir.
func newFileStore(t *testing.T, dir string) *session.FileStore {
	t.Helper()
	store, err := session.NewFileStore(filepath.Join(dir, "sessions"))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// fill creates sessions with that data, one second of life more for each.
func fill(t *testing.T, store session.Store, n int, data string) (ids []string) {
	t.Helper()
	for i := range n {
		id := rand.Text()
		if err := store.Create(background, id, []byte(data), time.Minute+time.Duration(i)*time.Second); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// living counts the sessions that there are.
func living(t *testing.T, store session.Store, ids []string) (n int) {
	t.Helper()
	for _, id := range ids {
		data, _, err := store.Load(background, id)
		if err != nil {
			t.Fatal(err)
		}
		if data != nil {
			n++
		}
	}
	return n
}

func TestMemoryStoreIsBounded(t *testing.T) {
	store := &session.MemoryStore{MaxSessions: 10}
	ids := fill(t, store, 10, "x")
	if err := store.Touch(background, ids[0], time.Hour); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		id := rand.Text()
		if err := store.Create(background, id, []byte("x"), time.Hour); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if living(t, store, ids) != 10 || living(t, store, ids[1:3]) != 0 || living(t, store, ids[:1]) != 1 {
		t.Error("not those went that would have expired first")
	}
	store = &session.MemoryStore{MaxBytes: 100}
	ids = fill(t, store, 20, "1234567890")
	if n := living(t, store, ids); n != 10 {
		t.Errorf("%d sessions of 10 bytes in 100", n)
	}
	// One that grows displaces others and not itself, though it would expire first.
	if err := store.Save(background, ids[10], make([]byte, 55), time.Second); err != nil {
		t.Fatal(err)
	}
	if living(t, store, ids) != 5 || living(t, store, ids[10:11]) != 1 {
		t.Error("a session that grew")
	}
	if err := store.Save(background, ids[10], make([]byte, 101), time.Second); err == nil {
		t.Error("a session was larger than the store")
	}
	if living(t, store, ids) != 5 {
		t.Error("a refused session displaced others")
	}
	if store.Create(background, rand.Text(), make([]byte, 101), time.Second) == nil {
		t.Error("a session was larger than the store")
	}
}

// Nobody comes back for these sessions; their memory is free nevertheless.
func TestMemoryStoreForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &session.MemoryStore{MaxBytes: 1 << 40, MaxSessions: 1 << 40}
		const n, size = 1000, 64 << 10
		before := heapInUse()
		fill(t, store, n, strings.Repeat("x", size))
		if grown := heapInUse() - before; grown < n*size/2 {
			t.Fatalf("the sessions take only %d bytes", grown)
		}
		time.Sleep(24 * time.Hour) // on the test's clock, which does not wait
		fill(t, store, n/5, "x")
		if grown := heapInUse() - before; grown > n*size/10 {
			t.Errorf("%d bytes are still in use", grown)
		}
		runtime.KeepAlive(store)
	})
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestFileStoreFiles(t *testing.T) {
	dir := t.TempDir()
	store := newFileStore(t, dir)
	ids := fill(t, store, 3, "secret")
	entries, err := os.ReadDir(dir + "/sessions")
	if err != nil || len(entries) != 3 {
		t.Fatal(entries, err)
	}
	if runtime.GOOS != "windows" {
		modes := []string{}
		for _, name := range []string{dir + "/sessions", dir + "/sessions/session_" + ids[0]} {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			modes = append(modes, info.Mode().String())
		}
		if got := fmt.Sprint(modes); got != "[drwx------ -rw-------]" {
			t.Error(got)
		}
		for _, mode := range []os.FileMode{0o755, 0o710, 0o701} {
			if err := os.Chmod(dir+"/sessions", mode); err != nil {
				t.Fatal(err)
			}
			if _, err := session.NewFileStore(dir + "/sessions"); err == nil || !strings.Contains(err.Error(), "chmod 700") {
				t.Errorf("mode %o: %v", mode, err)
			}
		}
	}
	if _, err := session.NewFileStore(dir + "/sessions/session_" + ids[0]); err == nil {
		t.Error("a file as directory")
	}
	// Another store of the directory, as in another process, has the same sessions.
	os.Chmod(dir+"/sessions", 0o700)
	other := newFileStore(t, dir)
	if err := other.Save(background, ids[0], []byte("new"), time.Hour); err != nil {
		t.Fatal(err)
	}
	if data, _, err := store.Load(background, ids[0]); string(data) != "new" || err != nil {
		t.Errorf("%q, %v", data, err)
	}
	// Files that were cut off are no sessions.
	for n, content := range []string{"", "1234567"} {
		if err := os.WriteFile(dir+"/sessions/session_"+ids[n], []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if data, _, err := store.Load(background, ids[n]); data != nil || err != nil {
			t.Errorf("%q, %v", data, err)
		}
		if err := store.Touch(background, ids[n], time.Hour); !errors.Is(err, session.ErrGone) {
			t.Error(err)
		}
	}
}

func TestFileStoreIDsStayInTheDirectory(t *testing.T) {
	dir := t.TempDir()
	store := newFileStore(t, dir)
	outside := filepath.Join(dir, "x")
	if err := os.WriteFile(outside, []byte("\x7f2345678data"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", "x", "/../../x", "../x", strings.Repeat("A", 25), strings.Repeat("A", 27),
		strings.Repeat("a", 26), strings.Repeat("1", 26), strings.Repeat("8", 26), strings.Repeat("A", 25) + "/", strings.Repeat("A", 25) + "\x00"} {
		_, _, err := store.Load(background, id)
		for _, err := range []error{err, store.Create(background, id, nil, time.Hour), store.Save(background, id, nil, time.Hour),
			store.Touch(background, id, time.Hour), store.Delete(background, id)} {
			if err == nil || errors.Is(err, session.ErrGone) {
				t.Errorf("%q: %v", id, err)
			}
		}
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
}

// New sessions remove the files of old ones, but nobody else's.
func TestFileStoreCleansUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		store := newFileStore(t, dir)
		long := rand.Text()
		if err := store.Create(background, long, []byte("x"), 1000*time.Hour); err != nil {
			t.Fatal(err)
		}
		names := map[string]time.Time{".session-dead": time.Now().Add(-time.Hour), ".session-alive": time.Now().Add(25 * time.Hour), "readme": {}, "session_x": {}}
		for name, modified := range names {
			path := filepath.Join(dir, "sessions", name)
			if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chtimes(path, modified, modified)); err != nil {
				t.Fatal(err)
			}
		}
		fill(t, store, 100, "x")
		time.Sleep(24 * time.Hour) // on the test's clock
		fresh := fill(t, store, 120, "x")
		if n := living(t, store, append(fresh, long)); n != 121 {
			t.Errorf("%d of the living sessions are left", n)
		}
		entries, err := os.ReadDir(filepath.Join(dir, "sessions"))
		if err != nil {
			t.Fatal(err)
		}
		var others []string
		for _, e := range entries {
			if len(e.Name()) != len("session_")+26 {
				others = append(others, e.Name())
			}
		}
		if got := fmt.Sprint(others); got != "[.session-alive readme session_x]" {
			t.Error(got)
		}
		if n := len(entries) - len(others); n > 140 {
			t.Errorf("%d session files for 121 sessions", n)
		}
	})
}

// A store whose directory has gone says so instead of beginning new sessions.
func TestFileStoreReportsErrors(t *testing.T) {
	dir := t.TempDir()
	store := newFileStore(t, dir)
	id := fill(t, store, 1, "x")[0]
	if err := os.RemoveAll(dir + "/sessions"); err != nil {
		t.Fatal(err)
	}
	if err := store.Create(background, rand.Text(), nil, time.Hour); err == nil {
		t.Error("created in no directory")
	}
	if err := store.Save(background, id, nil, time.Hour); !errors.Is(err, session.ErrGone) {
		t.Error(err)
	}
	if err := os.Mkdir(dir+"/sessions", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir+"/sessions/session_"+id, 0o700); err != nil {
		t.Fatal(err)
	}
	_, _, err := store.Load(background, id)
	for _, err := range []error{err, store.Save(background, id, nil, time.Hour), store.Touch(background, id, time.Hour), store.Create(background, id, nil, time.Hour)} {
		if err == nil || errors.Is(err, session.ErrGone) {
			t.Errorf("a directory in place of the file: %v", err)
		}
	}
	if names, _ := filepath.Glob(dir + "/sessions/.session-*"); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
}
