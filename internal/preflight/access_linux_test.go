package preflight

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/internal/socket"
)

// TestMain is also a program that checks, or raises its limit, as another user and with
// other limits.
func TestMain(m *testing.M) {
	switch role := os.Getenv("PREFLIGHT_ROLE"); role {
	case "":
		os.Exit(m.Run())
	case "check":
		dir := os.Getenv("PREFLIGHT_DIR")
		Write(os.Stdout, Check(Options{
			PidFile: filepath.Join(dir, "a.pid"), LogFile: filepath.Join(dir, "logs", "a.log"), Users: []string{"", "root"},
			Listen: []Listener{{"web", addr("tcp", "127.0.0.1:7")}, {"local", socket.Address{Network: "unix", Path: filepath.Join(dir, "s")}}},
		}))
	case "raise":
		// Go has raised it at the start of this process.
		unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 200, Max: 300})
		soft, hard, err := RaiseFiles()
		var now unix.Rlimit
		unix.Getrlimit(unix.RLIMIT_NOFILE, &now)
		fmt.Println(soft, hard, err, now.Cur, now.Max)
	}
}

func addr(network, text string) socket.Address {
	a, err := socket.Parse(network, text)
	if err != nil {
		panic(err)
	}
	return a
}

func TestRaiseFiles(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PREFLIGHT_ROLE=raise")
	out, err := cmd.Output()
	if got, want := string(out), "300 300 <nil> 300 300\n"; got != want || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestFoldersAndFiles(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		o             Options
		level         Level
		subject, text string
	}{
		{Options{PidFile: filepath.Join(dir, "a.pid")}, OK, "pid file", "a.pid"},
		{Options{PidFile: filepath.Join(dir, "b", "a.pid")}, Error, "pid file", "does not exist"},
		{Options{PidFile: dir}, Error, "pid file", "is a folder"},
		{Options{LogFile: filepath.Join(dir, "b", "c", "a.log")}, OK, "log file", "a.log"},
		{Options{LogFile: filepath.Join(dir, "a.log")}, OK, "disk", dir},
		{Options{Users: []string{"no-such-user"}}, Error, "user no-such-user", "no such user"},
		{Options{Users: []string{"root:no-such-group"}}, Error, "user root:no-such-group", "no group no-such-group"},
	} {
		test.o.Root = tree(t, nil)
		expect(t, Check(test.o), test.level, test.subject, test.text, "")
	}
}

func TestSpace(t *testing.T) {
	for _, test := range []struct {
		free, files, freeFiles uint64
		want                   Level
	}{
		{20 << 30, 1000, 900, OK},
		{20 << 30, 0, 0, OK}, // btrfs counts none
		{20 << 30, 1000, 5, Warning},
		{100 << 20, 1000, 900, Warning},
		{1 << 20, 1000, 900, Error},
	} {
		if f := spaceFinding("/var/log", test.free, test.files, test.freeFiles); f.Level != test.want || (f.Advice == "") != (f.Level == OK) {
			t.Errorf("%+v: %+v", test, f)
		}
	}
}

func TestPorts(t *testing.T) {
	dir := t.TempDir()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	live, err := net.Listen("unix", filepath.Join(dir, "live"))
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	dead, err := net.Listen("unix", filepath.Join(dir, "dead"))
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	dead.Close()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(a socket.Address, level Level, text, advice string) {
		t.Helper()
		list := Check(Options{Root: tree(t, nil), Listen: []Listener{{"w", a}}})
		expect(t, list, level, `address of worker "w"`, text, advice)
	}
	used := addr("tcp", tcp.Addr().String())
	check(used, Error, "address already in use", "ss -lnp 'sport = :")
	check(addr("udp", udp.LocalAddr().String()), Error, "address already in use", "ss -lnp")
	check(addr("tcp", "192.0.2.1:80"), Error, "assign requested address", "ip address")
	check(addr("unix", filepath.Join(dir, "live")), Error, "another process serves", "another path")
	check(addr("unix", filepath.Join(dir, "file")), Error, "no socket", "another path")
	check(addr("unix", filepath.Join(dir, "dead")), OK, "free", "")
	check(addr("unix", filepath.Join(dir, "new")), OK, "free", "")
	check(addr("unix", filepath.Join(dir, "no", "folder")), Error, "no such file", "create the folder")
	list := Check(Options{Root: tree(t, nil), Running: true, Listen: []Listener{{"w", used}}})
	expect(t, list, OK, `address of worker "w"`, "by the service that runs", "")
	tcp.Close()
	check(used, OK, "is free", "")
	if _, err := os.Stat(filepath.Join(dir, "new")); err == nil {
		t.Error("a socket was left")
	}
}

// asRoot skips a test that changes users.
func asRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

func TestOfRoot(t *testing.T) {
	asRoot(t)
	dir := t.TempDir() // of mode 0755, below folders of others
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	o := Options{Root: tree(t, nil), Program: program, Users: []string{"daemon", "", "daemon:daemon"}}
	list := Check(o)
	expect(t, list, Advice, "user", "runs as root", "Worker.User")
	expect(t, list, Warning, "user daemon", "may not enter "+dir, "chmod a+x")
	if err := os.Chmod(program, 0o700); err != nil {
		t.Fatal(err)
	}
	list = Check(o)
	expect(t, list, Error, "user daemon", "may not execute", "chmod a+rx")
	expect(t, list, Error, "user daemon:daemon", "may not execute", "chmod a+rx")
	o.Program = "/bin/true"
	expect(t, Check(o), OK, "user daemon", "may run", "")
}

// A user without rights learns what he may not.
func TestOfAnotherUser(t *testing.T) {
	asRoot(t)
	// The program has to be where the other user can reach it.
	dir, err := os.MkdirTemp("/tmp", "preflight")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "test")
	if err := os.WriteFile(program, b, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "logs", "a.log"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PREFLIGHT_ROLE=check", "PREFLIGHT_DIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	wanted := []string{
		"no file can be created in " + dir + ": permission denied",
		"a.log cannot be written: permission denied",
		"only root can start a process of another user",
		"folder: permission denied",
	}
	if first, _ := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start"); strings.TrimSpace(string(first)) == strconv.Itoa(1024) {
		wanted = append(wanted, "127.0.0.1:7: permission denied", "ports below 1024 are root's")
	}
	for _, want := range wanted {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}
