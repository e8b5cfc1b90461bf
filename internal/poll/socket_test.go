//go:build linux

package poll

import (
	"bytes"
	"errors"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/internal/socket"
)

func tcpListener(t *testing.T) int {
	t.Helper()
	ln, err := socket.Listen(socket.Address{Network: "tcp", Host: "127.0.0.1"}, socket.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	fd, err := socket.Descriptor(ln.(syscall.Conn))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Close(fd) })
	return fd
}

// connectTo returns a blocking client.
func connectTo(t *testing.T, listener int) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	to := socket.LocalAddr(listener)
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}); err != nil {
		t.Fatal(err)
	}
	return fd
}

// readAll reads until the other end has closed or nothing is left.
func readAll(t *testing.T, fd int) (got []byte, ended bool) {
	t.Helper()
	buf := make([]byte, 1<<20)
	for {
		n, err := Read(fd, buf)
		switch {
		case err == Again:
			return got, false
		case err != nil:
			t.Fatal(err)
		case n == 0:
			return got, true
		case n > MaxRawBytes:
			t.Fatalf("read %d bytes at once", n)
		}
		got = append(got, buf[:n]...)
	}
}

func TestAcceptTellsThePeer(t *testing.T) {
	listener := tcpListener(t)
	var sa unix.RawSockaddrAny
	if _, err := Accept(listener, &sa); err != Again {
		t.Fatalf("error %v with nobody there", err)
	}
	c := connectTo(t, listener)
	fd, err := Accept(listener, &sa)
	if err != nil {
		t.Fatal(err)
	}
	defer Close(fd)
	if got, want := socket.FromRaw(&sa), socket.LocalAddr(c); got != want {
		t.Errorf("peer %v, want %v", got, want)
	}
	flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	closeOnExec, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if flags&unix.O_NONBLOCK == 0 || closeOnExec&unix.FD_CLOEXEC == 0 {
		t.Error("not non-blocking, or not closed on exec")
	}
}

func TestReadAndWrite(t *testing.T) {
	a, b := pair(t)
	if n, err := Read(a, make([]byte, 10)); n != 0 || err != Again {
		t.Errorf("nothing there: %d, %v", n, err)
	}
	var sent []byte
	block := bytes.Repeat([]byte("0123456789"), 100_000) // more than one call takes
	for {
		n, err := Write(a, block)
		if err == Again {
			break
		}
		if err != nil || n > MaxRawBytes {
			t.Fatalf("wrote %d, %v", n, err)
		}
		sent = append(sent, block[:n]...)
	}
	if n := Unsent(a); n < len(sent) {
		t.Errorf("%d of %d bytes count as not taken", n, len(sent))
	}
	if n := Unread(b); n != len(sent) {
		t.Errorf("%d of %d bytes count as unread", n, len(sent))
	}
	if err := CloseWrite(a); err != nil {
		t.Fatal(err)
	}
	got, ended := readAll(t, b)
	if !bytes.Equal(got, sent) || !ended {
		t.Errorf("%d of %d bytes arrived, ended %v", len(got), len(sent), ended)
	}
	if n := Unsent(a); n != 0 {
		t.Errorf("%d bytes count as not taken", n)
	}
}

func TestWriteToAClosedPeer(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer Close(fds[0])
	Close(fds[1])
	if _, err := Write(fds[0], []byte("x")); !errors.Is(err, syscall.EPIPE) { // and no signal
		t.Errorf("Write: %v", err)
	}
	if _, err := Writev(fds[0], [][]byte{{1}, {2}}); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("Writev: %v", err)
	}
}

func TestWritev(t *testing.T) {
	many := make([][]byte, 3*MaxVector)
	for i := range many {
		many[i] = []byte{byte(i)}
	}
	for _, c := range []struct {
		name   string
		pieces [][]byte
		want   int // how many bytes one call may take
	}{
		{"nothing", nil, 0},
		{"empty pieces", [][]byte{{}, nil}, 0},
		{"empty ones between", [][]byte{nil, []byte("ab"), {}, []byte("c"), nil}, 3},
		{"more than a vector", many, MaxVector},
		{"empty ones do not count", append(make([][]byte, 2*MaxVector), []byte("abc")), 3},
	} {
		a, b := pair(t)
		n, err := Writev(a, c.pieces)
		if n != c.want || err != nil {
			t.Errorf("%s: %d, %v, want %d", c.name, n, err, c.want)
		}
		got, _ := readAll(t, b)
		if want := bytes.Join(c.pieces, nil)[:n]; !bytes.Equal(got, want) {
			t.Errorf("%s: % x arrived, want % x", c.name, got, want)
		}
	}
}

func TestWritevOfMoreThanOneCallTakes(t *testing.T) {
	a, b := pair(t)
	unix.SetsockoptInt(a, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 4<<20)
	large := bytes.Repeat([]byte("0123456789"), MaxRawBytes/8)
	n, err := Writev(a, [][]byte{[]byte("head"), large, []byte("tail")})
	if n > MaxRawBytes || n <= 4 || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	got, _ := readAll(t, b)
	if want := append([]byte("head"), large...)[:n]; !bytes.Equal(got, want) {
		t.Error("the beginning is not what arrived")
	}
}

func TestSocketError(t *testing.T) {
	listener := tcpListener(t)
	c := connectTo(t, listener)
	var sa unix.RawSockaddrAny
	fd, err := Accept(listener, &sa)
	if err != nil {
		t.Fatal(err)
	}
	defer Close(fd)
	if err := SocketError(fd); err != nil {
		t.Errorf("a healthy socket has the error %v", err)
	}
	e := newEpoll(t)
	if err := e.Add(fd, Token{1, 0}, 0, false); err != nil {
		t.Fatal(err)
	}
	unix.SetsockoptLinger(c, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.Shutdown(c, unix.SHUT_RD)
	dup, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dup)
	unix.Dup3(dup, c, unix.O_CLOEXEC) // closes the client with a reset; the number stays ours
	if events := wait(t, e); len(events) != 1 || events[0].Events&Failed == 0 {
		t.Fatalf("events %v", events)
	}
	if err := SocketError(fd); err != syscall.ECONNRESET {
		t.Errorf("error %v", err)
	}
	if err := SocketError(fd); err != nil {
		t.Errorf("the error is reported again: %v", err)
	}
	if SocketError(-1) == nil {
		t.Error("no socket has no error")
	}
}

func TestQueuesOfNoSocket(t *testing.T) {
	if Unsent(-1) != 0 || Unread(-1) != 0 {
		t.Error("no socket holds bytes")
	}
}
