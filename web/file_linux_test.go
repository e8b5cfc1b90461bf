package web

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// The answer is made on a thread that has no rights to files, as root may read everything.
func TestUnreadableFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	if err := os.WriteFile(path, nil, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // it is the file that is closed
		t.Fatal(err)
	}
	const nobody = 65534
	status := make(chan int)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		if os.Geteuid() == 0 {
			syscall.Setfsuid(nobody)
		}
		p := File(path).Plan(parsed(t, nil, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").Exchange())
		p.Close()
		status <- p.Response.Status
	}()
	if got := <-status; got != 403 {
		t.Errorf("status %d", got)
	}
}
