package workerman

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A full queue of a listener swallows what asks for a connection.
func TestClientTimeoutOfTheConnect(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, _ := serve(t, k, "tcp", nil)
		addr := fullListener(t)
		cl := s.master.NewClient("tcp://" + addr)
		cl.ConnectTimeout = 50 * time.Millisecond
		if _, err := failure(t, cl); !errors.Is(err, ErrConnectTimeout) || !strings.Contains(err.Error(), "connect not done within 50ms") {
			t.Errorf("%v", err)
		}
	})
}

// fullListener is an address whose queue of connections is full, and stays so.
func fullListener(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	sa := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if err := unix.Bind(fd, sa); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(bound.(*unix.SockaddrInet4).Port))
	for range 2 {
		c, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(c) })
		unix.Connect(c, bound)
	}
	return addr
}
