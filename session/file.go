package session

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// A FileStore keeps each session in a file of a directory, which all processes of a program
// may share and which outlasts them. A file is replaced as a whole, so it is never half
// written; after a crash of the machine the last changes may be missing. Each new session
// looks at two files and removes them if they have expired.
//
// Its calls take as long as the file system does: on a local disk some 10 microseconds to
// load a session and up to some hundred to save one. A busy site wants another store. The
// promise of Save not to bring back what was destroyed holds within a process; between two,
// a deletion in the instant before the file is replaced comes too early.
type FileStore struct {
	dir string

	mu    sync.Mutex
	sweep *os.File // the directory, as far as it was looked at
}

var (
	_ Store  = (*FileStore)(nil)
	_ nearby = (*FileStore)(nil)
)

const (
	filePrefix = "session_"
	tempPrefix = ".session-"
	stampSize  = 8 // a file begins with its expiry in milliseconds since 1970, big-endian
	sweepFiles = 2
	// staleTemp is when a temporary file can only be what a process left that died.
	staleTemp = time.Hour
)

// NewFileStore returns the store of a directory, which it makes if there is none. The names
// of the files are as secret as passwords: it fails if others than the owner may read the
// directory.
func NewFileStore(dir string) (*FileStore, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("session: the directory cannot be made: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("session: %s is open to other users (mode %03o): chmod 700 it", dir, mode)
	}
	return &FileStore{dir: dir}, nil
}

func (f *FileStore) nearby() {}

// Load is that of Store.
func (f *FileStore) Load(_ context.Context, id string) ([]byte, time.Duration, error) {
	name, err := f.name(id)
	if err != nil {
		return nil, 0, err
	}
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	left := remaining(b)
	if left <= 0 {
		return nil, 0, nil
	}
	return b[stampSize:], left, nil
}

// Create is that of Store.
func (f *FileStore) Create(_ context.Context, id string, data []byte, ttl time.Duration) error {
	name, err := f.name(id)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clean()
	return f.replace(name, data, ttl)
}

// Save is that of Store.
func (f *FileStore) Save(_ context.Context, id string, data []byte, ttl time.Duration) error {
	return f.change(id, func(name string, file *os.File) error {
		file.Close() // not every system replaces an open file
		return f.replace(name, data, ttl)
	})
}

// Touch is that of Store. It writes over the expiry in place, so that what another process
// saves at the same time stays.
func (f *FileStore) Touch(_ context.Context, id string, ttl time.Duration) error {
	return f.change(id, func(_ string, file *os.File) error {
		_, err := file.WriteAt(stamp(ttl), 0)
		return err
	})
}

// Delete is that of Store.
func (f *FileStore) Delete(_ context.Context, id string) error {
	name, err := f.name(id)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// change calls fn with the file of a session that has not expired.
func (f *FileStore) change(id string, fn func(name string, file *os.File) error) error {
	name, err := f.name(id)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrGone
	}
	if err != nil {
		return err
	}
	defer file.Close()
	if expired, err := hasExpired(file); err != nil {
		return err
	} else if expired {
		return ErrGone
	}
	return fn(name, file)
}

// replace writes a file beside the old one and then puts it into its place.
func (f *FileStore) replace(name string, data []byte, ttl time.Duration) error {
	temp, err := os.CreateTemp(f.dir, tempPrefix) // with mode 0600
	if err != nil {
		return err
	}
	_, err = temp.Write(append(stamp(ttl), data...))
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), name)
	}
	if err != nil {
		os.Remove(temp.Name())
	}
	return err
}

// clean looks at the next few files of the directory, and begins again at its end.
func (f *FileStore) clean() {
	if f.sweep == nil {
		f.sweep, _ = os.Open(f.dir)
	}
	if f.sweep == nil {
		return
	}
	names, err := f.sweep.Readdirnames(sweepFiles)
	if err != nil {
		f.sweep.Close()
		f.sweep = nil
	}
	for _, name := range names {
		f.cleanFile(filepath.Join(f.dir, name), name)
	}
}

// cleanFile removes a file that is no session any more.
func (f *FileStore) cleanFile(path, name string) {
	switch {
	case strings.HasPrefix(name, tempPrefix):
		if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > staleTemp {
			os.Remove(path)
		}
	case strings.HasPrefix(name, filePrefix) && validID(name[len(filePrefix):]):
		file, err := os.Open(path)
		if err != nil {
			return
		}
		expired, err := hasExpired(file)
		file.Close()
		if expired && err == nil {
			os.Remove(path)
		}
	}
}

// name is the name of a session's file. An id from elsewhere must not lead out of the
// directory.
func (f *FileStore) name(id string) (string, error) {
	if !validID(id) {
		return "", errors.New("session: no valid id")
	}
	return filepath.Join(f.dir, filePrefix+id), nil
}

func stamp(ttl time.Duration) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(time.Now().Add(ttl).UnixMilli()))
}

// remaining is how long a file with this beginning is valid; one that was cut off is not.
func remaining(b []byte) time.Duration {
	if len(b) < stampSize {
		return 0
	}
	return time.Until(time.UnixMilli(int64(binary.BigEndian.Uint64(b))))
}

func hasExpired(file *os.File) (bool, error) {
	b := make([]byte, stampSize)
	n, err := file.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return remaining(b[:n]) <= 0, nil
}
