package serve

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/logfile"
)

// serviceLog is where the lines of a supervised program go, if it has no Logger: to the
// terminal, to the log file, or to both. It is never closed: main may log behind RunAll, and a
// line is in the file when it has been logged.
type serviceLog struct {
	terminal io.Writer // nil in a daemon

	mu   sync.Mutex // guards what follows
	file *logfile.File
	copy *os.File // a descriptor of the file for processes
}

// Write passes a line on. What one of the two does not take is no matter of the other.
func (l *serviceLog) Write(line []byte) (int, error) {
	if l.terminal != nil {
		l.terminal.Write(line)
	}
	l.mu.Lock()
	file := l.file
	l.mu.Unlock()
	if file != nil {
		file.Write(line)
	}
	return len(line), nil
}

// install makes the log that of slog and package log, unless the program has chosen another.
func (l *serviceLog) install(name string) {
	if fmt.Sprintf("%T", slog.Default().Handler()) == "*slog.defaultHandler" {
		slog.SetDefault(slog.New(logfile.NewHandler(l, logfile.HandlerOptions{Name: name})))
	}
}

// newLog is the log of this process, without a file yet.
func newLog(daemon bool) *serviceLog {
	l := new(serviceLog)
	if !daemon {
		l.terminal = os.Stderr
	}
	return l
}

// open opens the master's log file.
func (l *serviceLog) open(path string, maxSize int64) (err error) {
	if l.file, err = logfile.Open(path, maxSize, 0); err != nil {
		return err
	}
	l.copy, err = l.file.Dup()
	return err
}

// descriptors are copies for processes, which the caller closes.
func (l *serviceLog) descriptors() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.copy == nil {
		return nil
	}
	fd, err := unix.FcntlInt(l.copy.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	return []int{fd}
}

// follow calls fn after each rotation, when there is another file for processes.
func (l *serviceLog) follow(fn func()) {
	for range l.file.Rotated() {
		file, err := l.file.Dup()
		if err != nil {
			return
		}
		l.mu.Lock()
		l.copy.Close()
		l.copy = file
		l.mu.Unlock()
		fn()
	}
}

// inherit goes on with the file that the master sent, if it did.
func (l *serviceLog) inherit(fds []int) {
	if len(fds) == 0 {
		return
	}
	file := os.NewFile(uintptr(fds[0]), "log")
	control.CloseAll(fds[1:])
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		l.file = logfile.Share(file)
	} else {
		l.file.Replace(file)
	}
}

// replaceOutput makes fd this process's standard output and error.
func replaceOutput(fd int) error {
	for _, std := range []int{1, 2} {
		if err := unix.Dup3(fd, std, 0); err != nil {
			return fmt.Errorf("standard output: %w", err)
		}
	}
	return nil
}
