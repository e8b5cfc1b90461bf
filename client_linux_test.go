package workerman

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
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

// An address that does not answer holds the others up for no longer than its head start.
func TestClientDoesNotWaitForASilentAddress(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		addr := netip.MustParseAddrPort(fullListener(t))
		s := newTestService(t, k)
		w := s.master.NewWorker(fmt.Sprintf("text://127.0.0.2:%d", addr.Port()))
		echo(w)
		s.start()
		var count atomic.Int64
		lookUps(s, &count, addr.Addr(), netip.MustParseAddr("127.0.0.2"))
		cl := s.master.NewClient(fmt.Sprintf("text://server.test:%d", addr.Port()))
		cl.ConnectTimeout = patience
		h := make(happened, 10)
		h.watch(cl)
		connect(t, cl)
		h.expect(t, "connect")
		if got := cl.Conn().RemoteAddr().Addr().String(); got != "127.0.0.2" {
			t.Errorf("connected to %v", got)
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
