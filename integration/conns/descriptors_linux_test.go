package conns

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Two ends of a socket pair: both directions of one descriptor at the same time.
func TestReadableAndWritableOfOneDescriptor(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "tcp", nil)
		e := w.EventLoop()
		pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(pair[0])
		defer syscall.Close(pair[1])
		got, writable, ended := make(chan string, 1), make(chan struct{}, 1), make(chan struct{})
		fd := pair[0]
		onLoop(t, e, func() {
			if err := e.OnReadable(fd, func() {
				b := make([]byte, 100)
				n, _ := syscall.Read(fd, b)
				if n <= 0 {
					e.OffReadable(fd)
					close(ended)
					return
				}
				got <- string(b[:n])
			}); err != nil {
				t.Error(err)
			}
			if err := e.OnWritable(fd, func() {
				e.OffWritable(fd) // and reading goes on
				writable <- struct{}{}
			}); err != nil {
				t.Error(err)
			}
		})
		receive(t, writable, "OnWritable")
		syscall.Write(pair[1], []byte("hello"))
		if s := receive(t, got, "OnReadable"); s != "hello" {
			t.Errorf("%q", s)
		}
		syscall.Shutdown(pair[1], syscall.SHUT_WR)
		receive(t, ended, "the end of the input")
		onLoop(t, e, func() { e.OffReadable(fd); e.OffWritable(fd); e.OffReadable(1 << 20) }) // nothing to undo
	})
}

func TestDescriptorsThatCannotBeWatched(t *testing.T) {
	for _, portable := range []bool{false, true} {
		_, w := serve(t, kind{Portable: portable, Network: "tcp"}, "tcp", nil)
		e := w.EventLoop()
		file, err := os.Create(filepath.Join(t.TempDir(), "file"))
		if err != nil {
			t.Fatal(err)
		}
		onLoop(t, e, func() {
			if err := e.OnReadable(1<<20, func() {}); err == nil {
				t.Error("a descriptor that is not open is watched")
			}
			if err := e.OnReadable(int(file.Fd()), func() {}); err == nil || !strings.Contains(err.Error(), "always ready") {
				t.Errorf("portable=%v: a regular file: %v", portable, err)
				e.OffReadable(int(file.Fd()))
			}
		})
		file.Close()
	}
}
