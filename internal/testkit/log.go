package testkit

import (
	"bytes"
	"strings"
	"sync"
	"testing"
)

// Log is text that tests read while others write it, such as a log or the output of a program.
// Its zero value is empty. All methods may be called from any goroutine.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends p. It does not fail.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String is all that was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Lines are the lines that contain all the words, with their line ends.
func (l *Log) Lines(words ...string) (found []string) {
	for line := range strings.Lines(l.String()) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			found = append(found, line)
		}
	}
	return found
}

// Await waits for a line that contains all the words, and ends the test, telling what was
// written instead, if none comes within Patience.
func (l *Log) Await(t testing.TB, words ...string) {
	t.Helper()
	if !Within(Patience, func() bool { return len(l.Lines(words...)) > 0 }) {
		t.Fatalf("no line with %q within %v:\n%s", words, Patience, l)
	}
}
