package logfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Defaults of Open.
const (
	DefaultMaxSize = 10 << 20
	DefaultKeep    = 5
)

const (
	maxWaiting  = 1 << 20               // bytes of lines that wait for the disk
	maxWait     = 50 * time.Millisecond // for which Write waits for them
	lookPeriod  = time.Second           // between looks at the file by its owner
	retryPeriod = time.Second           // after an error
)

// File is a log file. A goroutine of its own writes, so that a disk that hangs holds nobody
// up; what cannot be written is lost, counted and told. Its methods may be called from every
// goroutine.
type File struct {
	path    string // "" for one that is not the owner's
	maxSize int64  // 0 never rotates
	keep    int

	retryAfter time.Duration
	stderr     func(text string)
	wake       chan struct{}
	rotated    chan struct{}
	ended      chan struct{}

	diskMu sync.Mutex // guards what the disk is touched with; taken before mu
	file   *os.File
	disk   condition

	mu      sync.Mutex // guards what follows
	waiting []byte
	written chan struct{} // closed when waiting has been written
	slow    bool          // the disk keeps us waiting, so nobody waits any more
	dropped int           // lines that found waiting full
	closed  bool
}

// Open opens the log at path to append to it, with its folders if they are missing. At
// maxSize bytes it is renamed to path.1, path.1 to path.2 and so on; keep old files stay. 0
// means the defaults, below 0 never and none. What is no regular file, as /dev/stdout or a
// symbolic link, is not rotated. If another program moves or deletes the file, as logrotate
// does, a new one is begun within a second or two.
func Open(path string, maxSize int64, keep int) (*File, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("log file: %w", err)
	}
	f := newFile(path)
	f.maxSize, f.keep = maxSize, keep
	if f.maxSize == 0 {
		f.maxSize = DefaultMaxSize
	}
	if f.keep == 0 {
		f.keep = DefaultKeep
	}
	f.maxSize, f.keep = max(f.maxSize, 0), max(f.keep, 0)
	if f.file, err = create(path); err != nil {
		return nil, fmt.Errorf("log file: %w", err)
	}
	go f.run()
	return f, nil
}

// Share appends to a descriptor of the log that another process owns, and closes it with
// the File. It never rotates: see Replace.
func Share(file *os.File) *File {
	f := newFile("")
	f.file = file
	go f.run()
	return f
}

func newFile(path string) *File {
	return &File{
		path: path, retryAfter: retryPeriod, stderr: func(text string) { fmt.Fprintln(os.Stderr, text) },
		wake: make(chan struct{}, 1), rotated: make(chan struct{}, 1), ended: make(chan struct{}),
		written: make(chan struct{}),
	}
}

func create(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
}

// Path is where the file is, "" for a shared one.
func (f *File) Path() string { return f.path }

// Rotated gets a value after the file was replaced, by size or by Reopen: then the processes
// need a new descriptor of it (Dup).
func (f *File) Rotated() <-chan struct{} { return f.rotated }

// Dup returns a descriptor of the file for another process. The caller closes it.
func (f *File) Dup() (*os.File, error) {
	f.diskMu.Lock()
	defer f.diskMu.Unlock()
	if f.file == nil {
		return nil, os.ErrClosed
	}
	return duplicate(f.file)
}

// Write appends whole lines. In good order they are in the file when it returns, and survive
// the end of the process. It waits 50 ms for the disk at most; it fails only after Close.
func (f *File) Write(p []byte) (int, error) {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return 0, os.ErrClosed
	}
	if len(f.waiting)+len(p) > maxWaiting {
		f.dropped += countLines(p)
		f.mu.Unlock()
		return len(p), nil
	}
	f.waiting = append(f.waiting, p...)
	written, slow := f.written, f.slow
	f.mu.Unlock()
	f.signal()
	if !slow {
		f.await(written, maxWait)
	}
	return len(p), nil
}

// await waits for a batch of lines to be written, and notes if the disk is slow.
func (f *File) await(written <-chan struct{}, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-written:
	case <-timer.C:
		f.mu.Lock()
		defer f.mu.Unlock()
		select {
		case <-written:
		default:
			f.slow = true
		}
	}
}

func (f *File) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Reopen begins a new file at the path, for a program that has moved the old one away. If
// that fails the old one goes on.
func (f *File) Reopen() error {
	f.diskMu.Lock()
	defer f.diskMu.Unlock()
	return f.reopen()
}

// Replace goes on with another descriptor, which it closes later, after the owner has
// rotated.
func (f *File) Replace(file *os.File) {
	f.diskMu.Lock()
	defer f.diskMu.Unlock()
	if f.file == nil {
		file.Close()
		return
	}
	f.file.Close()
	f.file = file
	f.disk.since = time.Time{}
}

// Close writes what waits, for a second at most if the disk hangs, and closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return os.ErrClosed
	}
	f.closed = true
	f.mu.Unlock()
	f.signal()
	select {
	case <-f.ended:
		return nil
	case <-time.After(time.Second):
		return errors.New("log file: the disk does not take the last lines")
	}
}
