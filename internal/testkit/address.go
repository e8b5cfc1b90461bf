package testkit

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// FreeAddress is an address of the loopback, with its port, where nobody listens over TCP. Somebody else
// may take it, so it is only for those who cannot be asked for port 0.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// SocketPath is the path of a Unix socket to come, in a folder that the end of the test removes.
// The path is short, unlike those of t.TempDir, because systems take no longer one than 104 bytes.
func SocketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}
