package systemd

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/internal/socket"
)

// TestMain is also the program that gets sockets: it prints what it has got.
func TestMain(m *testing.M) {
	if os.Getenv("SYSTEMD_ACTIVATED") == "" {
		os.Exit(m.Run())
	}
	os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid())) // as systemd, which knows it after the fork
	list, err := Sockets()
	for _, s := range list {
		flags, _ := unix.FcntlInt(s.File.Fd(), unix.F_GETFD, 0)
		fmt.Println(s.Name, s, flags&unix.FD_CLOEXEC != 0)
	}
	fmt.Println(err)
	fmt.Println(strings.Contains(strings.Join(os.Environ(), "\n"), "LISTEN_"))
	again, err := Sockets()
	fmt.Println(len(again), err)
}

type filer interface{ File() (*os.File, error) }

func fileOf(t *testing.T, s any, err error) *os.File {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.(filer).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestSocketsAreTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.sock")
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	local, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	client, err := net.Dial("tcp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()

	run := func(names string, files ...*os.File) string {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "SYSTEMD_ACTIVATED=1", "LISTEN_FDS="+strconv.Itoa(len(files)), "LISTEN_FDNAMES="+names)
		cmd.ExtraFiles = files
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	got := run("web:dns:", fileOf(t, tcp, nil), fileOf(t, udp, nil), fileOf(t, local, nil))
	want := fmt.Sprintf("web tcp://%s true\ndns udp://%s true\nunknown unix://%s true\n<nil>\nfalse\n0 <nil>\n", tcp.Addr(), udp.LocalAddr(), path)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	got = run("a:b:c", fileOf(t, client, nil), null, fileOf(t, tcp, nil))
	if !strings.HasPrefix(got, "c tcp://") || !strings.Contains(got, "systemd: socket 1 (b): is no socket") {
		t.Errorf("got\n%s", got)
	}
}

func TestSocketsOfOthers(t *testing.T) {
	for _, test := range []struct{ pid, count, want string }{
		{"", "", ""},
		{"1", "2", ""},
		{strconv.Itoa(os.Getpid()), "x", "no number"},
		{strconv.Itoa(os.Getpid()), "-1", "no number"},
		{strconv.Itoa(os.Getpid()), "0", ""},
	} {
		t.Setenv("LISTEN_PID", test.pid)
		t.Setenv("LISTEN_FDS", test.count)
		list, err := Sockets()
		if len(list) > 0 || (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, %v", test, list, err)
		}
		if os.Getenv("LISTEN_FDS") != "" {
			t.Error("the variable is left")
		}
	}
}

// taken makes a Socket of what package net has opened.
func taken(t *testing.T, s any, err error) Socket {
	t.Helper()
	var taken Socket
	if err := taken.examine(int(fileOf(t, s, err).Fd())); err != nil {
		t.Fatal(err)
	}
	return taken
}

func TestMatch(t *testing.T) {
	v4, err := net.Listen("tcp4", "127.0.0.1:0")
	list := []Socket{taken(t, v4, err)}
	defer v4.Close()
	dual, err := net.Listen("tcp", "[::]:0")
	if err != nil {
		t.Skip("no IPv6: ", err)
	}
	list = append(list, taken(t, dual, nil))
	defer dual.Close()
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	list = append(list, taken(t, udp, err))
	defer udp.Close()
	abstract, err := net.Listen("unix", "@workerman-match-"+strconv.Itoa(os.Getpid()))
	list = append(list, taken(t, abstract, err))
	defer abstract.Close()
	// Bound later than the one of [::], but more exactly what is asked for.
	_, port, _ := net.SplitHostPort(v4.Addr().String())
	only, err := net.Listen("tcp6", "[::1]:"+port)
	list = append(list, taken(t, only, err))
	defer only.Close()

	port4 := uint16(v4.Addr().(*net.TCPAddr).Port)
	portAny := uint16(dual.Addr().(*net.TCPAddr).Port)
	portUDP := uint16(udp.LocalAddr().(*net.UDPAddr).Port)
	for _, test := range []struct {
		a    socket.Address
		want int
	}{
		{socket.Address{Network: "tcp", Host: "127.0.0.1", Port: port4}, 0},
		{socket.Address{Network: "tcp", Host: "::1", Port: port4}, 4},
		{socket.Address{Network: "tcp", Host: "127.0.0.2", Port: port4}, -1},
		{socket.Address{Network: "tcp", Host: "0.0.0.0", Port: port4}, -1},
		{socket.Address{Network: "udp", Host: "127.0.0.1", Port: port4}, -1},
		{socket.Address{Network: "tcp", Host: "127.0.0.1"}, -1},
		{socket.Address{Network: "tcp", Host: "no such.name", Port: port4}, -1},
		{socket.Address{Network: "tcp", Host: "::", Port: portAny}, 1},
		{socket.Address{Network: "tcp", Host: "0.0.0.0", Port: portAny}, 1},
		{socket.Address{Network: "tcp", Host: "127.0.0.1", Port: portAny}, -1},
		{socket.Address{Network: "udp", Host: "127.0.0.1", Port: portUDP}, 2},
		{socket.Address{Network: "unix", Path: abstract.Addr().String()}, 3},
		{socket.Address{Network: "unix", Path: "/x"}, -1},
	} {
		if got := Match(list, test.a); got != test.want {
			t.Errorf("%+v: %d, want %d", test.a, got, test.want)
		}
	}
}
