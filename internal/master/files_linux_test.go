package master

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestPidFileIsOfOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.pid")
	if _, err := MasterOf(path); !errors.Is(err, ErrNotRunning) {
		t.Errorf("without a file: %v", err)
	}
	p, err := LockPidFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); string(b) != strconv.Itoa(os.Getpid()) {
		t.Errorf("file holds %q", b)
	}
	var running *RunningError
	if _, err := LockPidFile(path); !errors.As(err, &running) || running.PID != os.Getpid() {
		t.Errorf("second lock: %v", err)
	}
	if pid, err := MasterOf(path); pid != os.Getpid() || err != nil {
		t.Errorf("master %d, %v", pid, err)
	}
	p.Close()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("file is left: %v", err)
	}
	if _, err := MasterOf(path); !errors.Is(err, ErrNotRunning) {
		t.Errorf("after the end: %v", err)
	}
}

// The number of a process that has nothing to do with us is no master.
func TestStalePidFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.pid")
	for _, content := range []string{"1", strconv.Itoa(os.Getppid()), "nonsense", ""} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if pid, err := MasterOf(path); !errors.Is(err, ErrNotRunning) {
			t.Errorf("%q: %d, %v", content, pid, err)
		}
		p, err := LockPidFile(path)
		if err != nil {
			t.Fatalf("%q: %v", content, err)
		}
		p.Close()
	}
}

func TestPidFileComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.pid")
	p, err := LockPidFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	os.Remove(path)
	if err := p.Keep(); err != nil {
		t.Fatal(err)
	}
	if pid, err := MasterOf(path); pid != os.Getpid() || err != nil {
		t.Errorf("master %d, %v", pid, err)
	}
}

func TestPidFileThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/dev/null", filepath.Join(dir, "link.pid")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"missing/app.pid", "link.pid", "."} {
		path := filepath.Join(dir, name)
		p, err := LockPidFile(path)
		if err == nil {
			p.Close()
			t.Errorf("%s worked", name)
		} else if !strings.HasPrefix(err.Error(), "pid file") || !strings.Contains(err.Error(), dir) {
			t.Errorf("error %q names not what and where", err)
		}
	}
}

// The socket for commands may lie deeper than an address of the kernel can say.
func TestSocketWithALongPath(t *testing.T) {
	dir := t.TempDir()
	for len(dir) < 2*maxSocketPath {
		dir = filepath.Join(dir, "a-folder-with-a-long-name")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := SocketPath(filepath.Join(dir, "app.pid"))
	ln, err := ListenSocket(path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	c, err := DialSocket(path)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	ln.Close()
	if _, err := DialSocket(path); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody there: %v", err)
	}
	again, err := ListenSocket(path) // an old one is replaced
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	path = filepath.Join(dir, strings.Repeat("x", maxSocketPath))
	if _, err := ListenSocket(path); err == nil || !strings.Contains(err.Error(), "too long: set Master.PidFile") {
		t.Errorf("a name that is too long: error %v", err)
	}
}

// What is not of an old master is left alone.
func TestSocketThatIsNotOurs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.sock")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenSocket(path); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("a file: error %v", err)
	}
	os.Remove(path)
	other, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := ListenSocket(path); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("a socket that is served: error %v", err)
	}
}
