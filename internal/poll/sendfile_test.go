package poll

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSendFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a, b := pair(t)
	for _, test := range []struct {
		offset int64
		size   int
		want   string
	}{{0, 4, "0123"}, {8, 100, "89"}, {10, 1, ""}, {3, 2, "34"}} {
		n, err := SendFile(a, int(f.Fd()), test.offset, test.size)
		if n != len(test.want) || err != nil {
			t.Errorf("%d from %d: wrote %d, %v", test.size, test.offset, n, err)
		}
		got := make([]byte, 20)
		if n > 0 {
			n, _ = Read(b, got)
		}
		if string(got[:n]) != test.want {
			t.Errorf("%d from %d: %q arrived", test.size, test.offset, got[:n])
		}
	}
	for err = error(nil); err == nil; {
		_, err = SendFile(a, int(f.Fd()), 0, 10)
	}
	if err != Again {
		t.Errorf("a full socket gives %v", err)
	}
	if n, err := SendFile(a, -1, 0, 10); n != 0 || err != unix.EBADF {
		t.Errorf("no file: %d, %v", n, err)
	}
}

func TestResetOnClose(t *testing.T) {
	listener := tcpListener(t)
	c := connectTo(t, listener)
	var sa unix.RawSockaddrAny
	fd, err := Accept(listener, &sa)
	if err != nil {
		t.Fatal(err)
	}
	if err := ResetOnClose(fd); err != nil {
		t.Fatal(err)
	}
	Close(fd)
	if n, err := unix.Read(c, make([]byte, 1)); err != unix.ECONNRESET {
		t.Errorf("read %d, %v after a reset", n, err)
	}
}
