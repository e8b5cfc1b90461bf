package master

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
)

// Exit is the end of a process.
type Exit struct {
	Worker string
	Slot   int
	PID    int
	Cause  string
	Code   int // exit code, -1 after a signal
	Signal int // 0 without one
}

// crash keeps the beginning of what the runtime says when a process dies of a panic.
type crash struct {
	mu   sync.Mutex
	text []byte
	done chan struct{} // closed at the end of the text
}

// maxCrash is enough for the first lines; the whole text is in the process's output.
const maxCrash = 4096

// readCrash reads r to its end, so that a dying process does not wait for room in the pipe.
func readCrash(r *os.File) *crash {
	c := &crash{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		defer r.Close()
		buf := make([]byte, maxCrash)
		for {
			n, err := r.Read(buf)
			c.mu.Lock()
			c.text = append(c.text, buf[:min(n, maxCrash-len(c.text))]...)
			c.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return c
}

// line is the first line, as "panic: runtime error: index out of range", "" if there is none.
func (c *crash) line() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	first, _, _ := strings.Cut(string(c.text), "\n")
	return strings.TrimSpace(first)
}

// cause puts the end of a process into words.
func cause(state *os.ProcessState, crashed, killed string) string {
	status, ok := state.Sys().(syscall.WaitStatus)
	switch {
	case crashed != "":
		return crashed
	case !ok:
		return state.String()
	case status.Signaled() && status.Signal() == syscall.SIGKILL:
		if killed != "" {
			return "killed by the master: " + killed
		}
		return "killed (signal 9): by hand or for want of memory"
	case status.Signaled():
		return fmt.Sprintf("%s (signal %d)", status.Signal(), status.Signal())
	case status.ExitStatus() == 0:
		return "exit code 0"
	}
	return fmt.Sprintf("exit code %d", status.ExitStatus())
}
