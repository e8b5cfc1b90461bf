package socket

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// unixAddress is a path short enough for a socket.
func unixAddress(t *testing.T) Address {
	t.Helper()
	dir, err := os.MkdirTemp("", "sock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return Address{Network: "unix", Path: filepath.Join(dir, "s")}
}

func TestStaleUnixSocketIsReplaced(t *testing.T) {
	a := unixAddress(t)
	old := listen(t, a, Options{})
	old.Close() // leaves the file, as a crash does
	if _, err := os.Lstat(a.Path); err != nil {
		t.Fatalf("closing removed the file: %v", err)
	}
	reaches(t, listen(t, a, Options{}), "unix", a.Path)
}

func TestLiveUnixSocketIsRefused(t *testing.T) {
	a := unixAddress(t)
	old := listen(t, a, Options{})
	refused(t, a, syscall.EADDRINUSE, "another process serves this socket")
	probe, err := old.Accept() // the question whether it is alive
	if err != nil {
		t.Fatal(err)
	}
	probe.Close()
	reaches(t, old, "unix", a.Path)
}

func TestRegularFileIsLeftAlone(t *testing.T) {
	a := unixAddress(t)
	if err := os.WriteFile(a.Path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, a, syscall.EADDRINUSE, "a file that is no socket is there")
	if b, err := os.ReadFile(a.Path); string(b) != "precious" || err != nil {
		t.Errorf("the file holds %q now, %v", b, err)
	}
}

func TestSymbolicLinkIsLeftAlone(t *testing.T) {
	a := unixAddress(t)
	if err := os.Symlink("nowhere", a.Path); err != nil {
		t.Fatal(err)
	}
	refused(t, a, syscall.EADDRINUSE, "a file that is no socket is there")
	if _, err := os.Lstat(a.Path); err != nil {
		t.Error(err)
	}
}

// A datagram socket cannot be asked with a stream connection; it may be alive.
func TestUnixSocketOfAnotherKindIsLeftAlone(t *testing.T) {
	a := unixAddress(t)
	pc, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: a.Path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	refused(t, a, syscall.EADDRINUSE, "cannot be asked")
	if _, err := os.Lstat(a.Path); err != nil {
		t.Error(err)
	}
}

func TestUnixSocketInMissingDirectory(t *testing.T) {
	a := unixAddress(t)
	a.Path = filepath.Join(a.Path, "no", "s")
	refused(t, a, syscall.ENOENT, "no such file")
}

func TestAbstractUnixSocket(t *testing.T) {
	dir := unixAddress(t) // a name that nobody else uses
	a := Address{Network: "unix", Path: "@" + dir.Path}
	reaches(t, listen(t, a, Options{}), "unix", a.Path)
}

func TestReusePortDoesNotShareAUnixSocket(t *testing.T) {
	a := unixAddress(t)
	listen(t, a, Options{})
	for range 2 {
		if ln, err := Listen(a, Options{ReusePort: true}); !errors.Is(err, syscall.EADDRINUSE) {
			if ln != nil {
				ln.Close()
			}
			t.Fatalf("a second listener: %v", err)
		}
	}
}
