//go:build unix

package web

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestPipesDoNotBlock would hang if a pipe were opened as a file is.
func TestPipesDoNotBlock(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Skip(err)
	}
	if q, _ := answered(t, File(filepath.Join(dir, "pipe")), "GET", ""); q.StatusCode != 404 {
		t.Errorf("status %d", q.StatusCode)
	}
	// Even one that takes the place of a file at the last moment.
	f, err := os.OpenFile(filepath.Join(dir, "pipe"), openFlags, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if r := (&Dir{Root: dir}).Serve(parsed(t, nil, "GET /pipe HTTP/1.1\r\nHost: h\r\n\r\n")); r.Status != 404 {
		t.Errorf("status %d", r.Status)
	}
}
