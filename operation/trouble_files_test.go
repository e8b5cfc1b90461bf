//go:build linux

package operation

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A number in a file that no master holds means nothing, and its process is left alone.
func TestStalePidFile(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	pid, unharmed := bystander(t)
	write(t, in.program+".pid", strconv.Itoa(pid))
	for _, command := range []string{"status", "stop", "stop -g", "reload", "connections", "stack"} {
		in.refuse(3, "not running", strings.Fields(command)...)
	}
	in.must("restart", "-d")
	in.stopsSoon()
	write(t, in.program+".pid", strconv.Itoa(pid)) // while it runs
	in.refuse(1, "already running", "start", "-d")
	in.until("the master's own number is back", func() bool { return read(t, in.program+".pid") == strconv.Itoa(in.status().PID) })
	in.must("stop")
	if !unharmed() {
		t.Error("the process of the number was signalled")
	}
	in.nothingRuns()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOddPidFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		make    func(path string) error
		refused string // "" if it starts
	}{
		{"empty", func(path string) error { return os.WriteFile(path, nil, 0o644) }, ""},
		{"garbage", func(path string) error { return os.WriteFile(path, []byte("-1\x00\xff no number"), 0o644) }, ""},
		{"directory", func(path string) error { return os.Mkdir(path, 0o755) }, "is a directory"},
		{"symlink", func(path string) error { return os.Symlink("/etc/hostname", path) }, "is a symbolic link"},
		{"dangling symlink", func(path string) error { return os.Symlink(path+".none", path) }, "is a symbolic link"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := install(t, "1")
			in.stopsSoon()
			if err := c.make(in.program + ".pid"); err != nil {
				t.Fatal(err)
			}
			in.refuse(3, "not running", "status")
			in.refuse(3, "not running", "stop")
			if c.refused != "" {
				in.refuse(1, c.refused, "start", "-d")
				in.refuse(1, in.program+".pid", "start", "-d")
				if len(in.processes()) != 0 {
					t.Error("something runs")
				}
				return
			}
			in.must("start", "-d")
			in.must("status")
			in.must("stop")
		})
	}
}

// Files of a running master that somebody removes or replaces come back.
func TestFilesOfTheMasterComeBack(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon()
	number := strconv.Itoa(in.status().PID)
	pid, sock := in.program+".pid", in.program+".sock"
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"pid file removed", func() error { return os.Remove(pid) }},
		{"socket removed", func() error { return os.Remove(sock) }},
		{"both removed", func() error { os.Remove(sock); return os.Remove(pid) }},
		{"pid file replaced", func() error { os.Remove(pid); return os.WriteFile(pid, []byte("1"), 0o644) }},
		{"socket replaced by one that nobody serves", func() error {
			os.Remove(sock)
			ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: sock})
			if err == nil {
				ln.SetUnlinkOnClose(false)
				ln.Close()
			}
			return err
		}},
	} {
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		in.until(c.name+": status works", func() bool { return in.run("status").code == 0 })
		if got := read(t, pid); got != number {
			t.Errorf("%s: the pid file says %q, not %s", c.name, got, number)
		}
	}
	in.must("reload")
	in.must("stop")
	in.nothingRuns()
}

// A relative PidFile is one in the folder where the program was started, and stays it.
func TestRelativePidFile(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	dir := filepath.Join(filepath.Dir(in.program), "run")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	from := func(where string, args ...string) result {
		cmd := in.command(append(args, "-pid-file", "run/service.pid")...)
		cmd.Dir = where
		return in.finish(cmd)
	}
	if r := from(filepath.Dir(in.program), "start", "-d"); r.code != 0 {
		t.Fatalf("start: %s", r.errOut)
	}
	defer from(filepath.Dir(in.program), "stop")
	for _, name := range []string{"service.pid", "service.sock", "service.log"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if r := from(filepath.Dir(in.program), "status"); r.code != 0 || !strings.Contains(r.out, filepath.Join(dir, "service.pid")) {
		t.Errorf("status: exit code %d: %s%s", r.code, r.out, r.errOut)
	}
	if r := from("/", "status"); r.code != 3 || !strings.Contains(r.errOut, "/run/service.pid") {
		t.Errorf("status from another folder: exit code %d: %s%s", r.code, r.out, r.errOut)
	}
	if r := from(filepath.Dir(in.program), "stop"); r.code != 0 {
		t.Errorf("stop: exit code %d: %s%s", r.code, r.out, r.errOut)
	}
}

// Where the program's folder is not writable another one is found; one that was asked for is
// not exchanged.
func TestUnwritableFolders(t *testing.T) {
	t.Parallel()
	needRoot(t)
	in := install(t, "1")
	as := func(args ...string) result {
		cmd := in.asNobody(args...)
		cmd.Env = nil // no XDG_RUNTIME_DIR
		for _, v := range os.Environ() {
			if !strings.HasPrefix(v, "XDG_") {
				cmd.Env = append(cmd.Env, v)
			}
		}
		return in.finish(cmd)
	}
	for _, option := range []string{"-pid-file", "-log-file"} {
		path := in.program + ".other"
		r := as("start", "-d", option, path)
		if missing := lacks(r.errOut, []string{strings.ReplaceAll(option[1:], "-", " "), path, "permission denied"}); r.code != 1 || missing != "" {
			t.Errorf("%s: exit code %d, no %q in %s", option, r.code, missing, r.errOut)
		}
		in.nothingRuns()
	}
	if r := as("start", "-d"); r.code != 0 {
		t.Fatalf("start: exit code %d: %s", r.code, r.errOut)
	}
	if r := as("status"); r.code != 0 || !strings.Contains(r.out, fmt.Sprintf("pid file:%s/workerman-%d/", os.TempDir(), nobody)) {
		t.Errorf("status: exit code %d: %s%s", r.code, r.out, r.errOut)
	}
	if r := as("logs"); r.code != 0 || !strings.Contains(r.out, "worker started") {
		t.Errorf("logs: exit code %d: %s%s", r.code, r.out, r.errOut)
	}
	if r := as("stop"); r.code != 0 {
		t.Errorf("stop: exit code %d: %s%s", r.code, r.out, r.errOut)
	}
	in.nothingRuns()
}

// On a full disk nothing can be started, and what runs goes on without its log until there
// is room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	needRoot(t)
	in := install(t, "1")
	in.stopsSoon()
	disk := filepath.Join(filepath.Dir(in.program), "disk")
	if err := os.Mkdir(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	// A mount of its own: only the daemon and its processes see it.
	inside := func(script string) result {
		cmd := in.command()
		cmd.Path, cmd.Args = "/bin/sh", nil
		full := "mount -t tmpfs -o size=256k none " + disk + " && " + script
		path, err := exec.LookPath("unshare")
		if err != nil {
			t.Skip(err)
		}
		cmd.Path, cmd.Args = path, []string{"unshare", "-m", "sh", "-c", full}
		return in.finish(cmd)
	}
	fill := "dd if=/dev/zero of=" + disk + "/fill bs=1k 2>/dev/null"
	r := inside(fill + "; " + in.program + " start -d -pid-file " + disk + "/app.pid")
	if r.code != 1 || !strings.Contains(r.errOut, "app.pid: no space left on device") {
		t.Errorf("pid file: exit code %d: %s", r.code, r.errOut)
	}
	if n := len(in.processes()); n != 0 {
		t.Errorf("%d processes", n)
	}
	if r = inside(in.program + " start -d -count 2 -log-file " + disk + "/app.log"); r.code != 0 {
		t.Fatalf("start: exit code %d: %s", r.code, r.errOut)
	}
	c := dial(t, in.address("orders"))
	c.ask("run " + fill + " || true")
	for range 5 {
		if got := c.ask("log 1000"); got != "logged" {
			t.Errorf("answer %q", got)
		}
	}
	in.must("status")
	c.ask("run rm " + disk + "/fill")
	in.until("the log tells how many lines were lost", func() bool {
		c.ask("log 1")
		return strings.Contains(c.ask("run tail -n 3 "+disk+"/app.log"), "lines were lost: no space left on device")
	})
	in.must("reload")
	in.must("stop")
}

// A device that takes nothing is no reason not to serve.
func TestFullLogFile(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-log-file", "/dev/full")
	if got := dial(t, in.address("orders")).ask("log 10"); got != "logged" {
		t.Errorf("answer %q", got)
	}
	in.must("reload")
}

// What a daemon prints goes to StdoutFile, and to a new one when the old one was moved away
// and a reload told.
func TestStdoutFile(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	out := in.program + ".out"
	in.daemon("-stdout", out, "-reloadable=false")
	c := dial(t, in.address("orders"))
	c.ask("print one")
	if got := read(t, out); got != "one\n" {
		t.Errorf("output %q", got)
	}
	if err := os.Rename(out, out+".old"); err != nil {
		t.Fatal(err)
	}
	c.ask("print two")
	in.must("reload")
	in.until("the new output", func() bool {
		c.ask("print three")
		b, _ := os.ReadFile(out)
		return bytes.HasPrefix(b, []byte("three\n"))
	})
	if got := read(t, out+".old"); !strings.HasPrefix(got, "one\ntwo\n") {
		t.Errorf("old output %q", got)
	}
}

// While the log is rotated by its size no line of any process is lost.
func TestRotationOfTheLog(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-count", "2", "-log-size", "40000")
	addr := in.address("orders")
	const rounds, lines = 20, 50
	pids := make(map[string]int)
	for i := 0; i < rounds || len(pids) < 2; i++ {
		c := dial(t, addr)
		pid := c.ask("pid")
		if pids[pid] == rounds {
			continue // and try another
		}
		c.ask(fmt.Sprint("log ", lines))
		pids[pid]++
		c.conn.Close()
	}
	count := func(pid string) (n int) {
		files, _ := filepath.Glob(in.program + ".log*")
		for _, f := range files {
			n += strings.Count(read(t, f), " of process "+pid+"\n")
		}
		return n
	}
	for pid, n := range pids {
		if got := count(pid); got != n*lines {
			t.Errorf("process %s wrote %d lines, and the log has %d", pid, n*lines, got)
		}
	}
	in.until("a rotated file", func() bool { _, err := os.Stat(in.program + ".log.1"); return err == nil })
}
