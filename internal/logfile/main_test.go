package logfile

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

// TestMain is also the program of the processes that append to a log.
func TestMain(m *testing.M) {
	if name := os.Getenv("LOGFILE_APPENDER"); name != "" {
		f := Share(os.NewFile(3, "log"))
		for i := range appenderLines {
			fmt.Fprintf(f, "%s %d\n", name, i)
		}
		if err := f.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(testkit.Main(m))
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("Write: %d, %v", n, err)
	}
}

// open opens a log whose reports are collected, and closes it at the end of the test.
func open(t *testing.T, path string, maxSize int64, keep int) (*File, *reports) {
	t.Helper()
	f, err := Open(path, maxSize, keep)
	if err != nil {
		t.Fatal(err)
	}
	return watched(t, f)
}

func watched(t *testing.T, f *File) (*File, *reports) {
	r := &reports{}
	f.diskMu.Lock()
	f.stderr, f.retryAfter = r.add, time.Millisecond
	f.diskMu.Unlock()
	t.Cleanup(func() { f.Close(); <-f.ended })
	return f, r
}

// reports are lines for the standard error.
type reports struct {
	mu   sync.Mutex
	list []string
}

func (r *reports) add(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, text)
}

func (r *reports) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.list...)
}

// linesOf reads the lines of the log, its rotated files included.
func linesOf(t *testing.T, path string) (list []string) {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		s := bufio.NewScanner(strings.NewReader(content(t, name)))
		for s.Scan() {
			list = append(list, s.Text())
		}
	}
	return list
}
