package master

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// PidFile is the file that says which process is the master. The master holds a lock on it
// as long as it lives, so that nobody takes another process with an old number for it.
type PidFile struct {
	path string
	mu   sync.Mutex
	file *os.File // nil when it is over
}

// RunningError says that the program runs already.
type RunningError struct{ PID int }

// Error names the process, if it has written its number already.
func (e *RunningError) Error() string {
	if e.PID == 0 {
		return "already running"
	}
	return fmt.Sprintf("already running, pid %d", e.PID)
}

// ErrNotRunning is returned where a running master is needed.
var ErrNotRunning = errors.New("not running")

// lockPatience is how long a start waits for a lock: a master that was killed holds it until
// its last thread has ended.
const lockPatience = 200 * time.Millisecond

// LockPidFile makes this process the master of path. The error is a *RunningError if there
// is one.
func LockPidFile(path string) (*PidFile, error) {
	for begin := time.Now(); ; {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0o644)
		if errors.Is(err, unix.ELOOP) {
			return nil, fmt.Errorf("pid file: %s is a symbolic link: remove it, or name the file that it points to", path)
		}
		if err != nil {
			return nil, fmt.Errorf("pid file: %w", err)
		}
		if err := lock(f, unix.F_WRLCK); err != nil {
			pid := readPID(path)
			f.Close()
			if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
				if time.Since(begin) < lockPatience {
					time.Sleep(5 * time.Millisecond) // nobody tells when a lock ends
					continue
				}
				return nil, &RunningError{pid}
			}
			return nil, fmt.Errorf("pid file %s: lock: %w", path, err)
		}
		if p := (&PidFile{path: path, file: f}); p.inPlace() {
			if err := p.write(); err != nil {
				p.Close()
				return nil, err
			}
			return p, nil
		}
		f.Close() // a master that ended just now has removed it
	}
}

// lock sets a lock of the open file, which ends with it.
func lock(f *os.File, kind int16) error {
	return unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind})
}

func (p *PidFile) write() error {
	err := p.file.Truncate(0)
	if err == nil {
		_, err = p.file.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	}
	if err != nil {
		return fmt.Errorf("pid file %s: %w", p.path, bareError(err))
	}
	return nil
}

// Keep writes the file again if somebody has removed or changed it. The error is a
// *RunningError if another master has taken its place.
func (p *PidFile) Keep() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file == nil {
		return nil
	}
	if p.inPlace() {
		if readPID(p.path) == os.Getpid() {
			return nil
		}
		return p.write()
	}
	again, err := LockPidFile(p.path)
	if err != nil {
		return err
	}
	p.file.Close()
	p.file = again.file
	return nil
}

// inPlace reports whether the file at the path is the one that is locked.
func (p *PidFile) inPlace() bool {
	mine, err1 := p.file.Stat()
	there, err2 := os.Lstat(p.path)
	return err1 == nil && err2 == nil && os.SameFile(mine, there)
}

// Close removes the file and frees the lock.
func (p *PidFile) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inPlace() {
		os.Remove(p.path)
	}
	p.file.Close()
	p.file = nil
}

// MasterOf returns the pid of the master of path. The error is an ErrNotRunning if nobody
// holds the lock.
func MasterOf(path string) (pid int, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, notRunning(path)
	}
	if err != nil {
		return 0, fmt.Errorf("pid file: %w", err)
	}
	defer f.Close()
	holder := unix.Flock_t{Type: unix.F_RDLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &holder); err != nil {
		return 0, fmt.Errorf("pid file %s: lock: %w", path, err)
	}
	if holder.Type == unix.F_UNLCK {
		return 0, notRunning(path)
	}
	return readPID(path), nil
}

// notRunning says whose master was looked for.
func notRunning(path string) error { return fmt.Errorf("%w (pid file %s)", ErrNotRunning, path) }

func readPID(path string) int {
	b, _ := os.ReadFile(path)
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return pid
}

func bareError(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// SocketPath is where the master of a pid file takes commands.
func SocketPath(pidFile string) string { return strings.TrimSuffix(pidFile, ".pid") + ".sock" }

// maxSocketPath is what fits into the kernel's address of a Unix socket.
const maxSocketPath = 107

// shortPath is a name for the file path that fits into an address whatever the folder is.
// It is good until done is called.
func shortPath(path string) (short string, done func(), err error) {
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	short = fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path))
	if len(short) > maxSocketPath {
		dir.Close()
		return "", nil, fmt.Errorf("socket for commands %s: the name is too long: set Master.PidFile", path)
	}
	return short, func() { dir.Close() }, nil
}

// ListenSocket opens the socket for commands. Only the owner may use it. The caller holds
// the pid file's lock, so a socket of a master that is there is old; others are left alone.
func ListenSocket(path string) (*net.UnixListener, error) {
	if err := removeOld(path); err != nil {
		return nil, fmt.Errorf("socket for commands %s: %w: set Master.PidFile", path, err)
	}
	short, done, err := shortPath(path)
	if err != nil {
		return nil, err
	}
	defer done()
	mask := syscall.Umask(0o177)
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
	syscall.Umask(mask)
	if err != nil {
		return nil, fmt.Errorf("socket for commands %s: %w", path, bareError(errors.Unwrap(err)))
	}
	ln.SetUnlinkOnClose(false)
	return ln, nil
}

// removeOld removes a socket that nobody serves.
func removeOld(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return bareError(err)
	case info.Mode()&fs.ModeSocket == 0:
		return errors.New("a file that is no socket is there")
	}
	if c, err := DialSocket(path); err == nil {
		c.Close()
		return errors.New("another program serves it")
	} else if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

// DialSocket connects to the socket for commands.
func DialSocket(path string) (*net.UnixConn, error) {
	short, done, err := shortPath(path)
	if err != nil {
		return nil, err
	}
	defer done()
	return net.DialUnix("unix", nil, &net.UnixAddr{Name: short, Net: "unix"})
}
