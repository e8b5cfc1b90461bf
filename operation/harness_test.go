//go:build linux

// Package operation tests what operators see: real programs with a master and processes,
// real signals and commands.
package operation

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/operation/siege"
)

// patience is how long a test waits for what should happen soon.
var patience = testkit.Patience

func TestMain(m *testing.M) {
	if order := os.Getenv(siege.HoldVariable); order != "" {
		if err := siege.HoldMain(order); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(testkit.Main(m))
}

// build returns a version of the program, which does something else if trouble says so.
func build(t testing.TB, version, trouble string) string {
	t.Helper()
	return filepath.Join(testkit.Build(t, "-ldflags=-X main.version="+version+" -X main.trouble="+trouble, "./program"), "program")
}

// installation is a program file in a folder of its own.
type installation struct {
	t       testing.TB
	program string
}

// install puts a version where the operator starts it.
func install(t testing.TB, version string) *installation {
	t.Helper()
	dir, err := os.MkdirTemp("", "app")
	if err != nil {
		t.Fatal(err)
	}
	in := &installation{t, filepath.Join(dir, "app")}
	in.deploy(version, "")
	t.Cleanup(func() {
		in.killAll()
		if t.Failed() {
			if b, err := os.ReadFile(in.program + ".log"); err == nil {
				t.Logf("log:\n%s", b)
			}
		}
		os.RemoveAll(dir)
	})
	return in
}

// deploy replaces the program file as a careful operator does, by a rename.
func (in *installation) deploy(version, trouble string) {
	in.t.Helper()
	b, err := os.ReadFile(build(in.t, version, trouble))
	if err != nil {
		in.t.Fatal(err)
	}
	syscall.ForkLock.RLock() // a child of another test must not hold the file open
	err = os.WriteFile(in.program+".new", b, 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		in.t.Fatal(err)
	}
	if err := os.Rename(in.program+".new", in.program); err != nil {
		in.t.Fatal(err)
	}
}

// killAll ends what a failed test has left: the master, whose end the processes notice.
func (in *installation) killAll() {
	for _, pid := range in.processes() {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// processes lists what runs of the installation, the master included.
func (in *installation) processes() (pids []int) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range dirs {
		exe, err := os.Readlink(d + "/exe")
		if err == nil && strings.TrimSuffix(exe, " (deleted)") == in.program {
			pid, _ := strconv.Atoi(filepath.Base(d))
			pids = append(pids, pid)
		}
	}
	return pids
}

// result is what a command did.
type result struct {
	code        int
	out, errOut string
}

func (in *installation) command(args ...string) *exec.Cmd {
	cmd := exec.Command(in.program, args...)
	cmd.Env = testkit.Environment("NO_COLOR=1")
	return cmd
}

// run runs a command to its end.
func (in *installation) run(args ...string) result {
	in.t.Helper()
	return in.finish(in.command(args...))
}

func (in *installation) finish(cmd *exec.Cmd) result {
	in.t.Helper()
	r := testkit.Run(in.t, cmd)
	return result{r.Code, r.Out, r.ErrOut}
}

// must runs a command that has to succeed.
func (in *installation) must(args ...string) result {
	in.t.Helper()
	r := in.run(args...)
	if r.code != 0 {
		in.t.Fatalf("%v: exit code %d\n%s%s", args, r.code, r.out, r.errOut)
	}
	return r
}

// refuse runs a command that has to fail with a code and a text.
func (in *installation) refuse(code int, text string, args ...string) {
	in.t.Helper()
	r := in.run(args...)
	if r.code != code || !strings.Contains(r.out+r.errOut, text) {
		in.t.Errorf("%v: exit code %d, want %d and %q\n%s%s", args, r.code, code, text, r.out, r.errOut)
	}
}

// status is what the command status --json prints.
func (in *installation) status() (s control.Status) {
	in.t.Helper()
	r := in.must("status", "--json")
	if err := json.Unmarshal([]byte(r.out), &s); err != nil {
		in.t.Fatalf("status: %v\n%s", err, r.out)
	}
	return s
}

// worker is a worker of the status.
func (in *installation) worker(name string) control.Worker {
	in.t.Helper()
	for _, w := range in.status().Workers {
		if w.Name == name {
			return w
		}
	}
	in.t.Fatalf("no worker %s", name)
	return control.Worker{}
}

// address is where a worker really listens.
func (in *installation) address(name string) string {
	in.t.Helper()
	_, at, _ := strings.Cut(in.worker(name).Listen, "://")
	return at
}

// daemon starts the program in the background, and stops it at the end of the test.
func (in *installation) daemon(args ...string) {
	in.t.Helper()
	in.must(append([]string{"start", "-d"}, args...)...)
	in.t.Cleanup(func() {
		if r := in.run("stop"); r.code != 0 && r.code != 3 {
			in.t.Errorf("stop: exit code %d: %s%s", r.code, r.out, r.errOut)
		}
		in.until("no process is left", func() bool { return len(in.processes()) == 0 })
	})
}

// until waits for what should happen.
func (in *installation) until(what string, fn func() bool) {
	in.t.Helper()
	until(in.t, what, fn)
}

func until(t testing.TB, what string, fn func() bool) {
	t.Helper()
	testkit.Eventually(t, what, fn)
}

// log is what the service has logged.
func (in *installation) log() string {
	b, _ := os.ReadFile(in.program + ".log")
	return string(b)
}

// logged waits for a line of the log.
func (in *installation) logged(pattern string) {
	in.t.Helper()
	re := regexp.MustCompile(pattern)
	in.until("log line "+pattern, func() bool { return re.MatchString(in.log()) })
}

// client is a client of the text protocol.
type client struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

func dial(t testing.TB, addr string) *client {
	t.Helper()
	network := "tcp"
	if strings.HasPrefix(addr, "/") {
		network = "unix"
	}
	c, err := net.DialTimeout(network, addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &client{t, c, bufio.NewReader(c)}
}

// send sends a line.
func (c *client) send(line string) {
	c.t.Helper()
	c.conn.SetDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprintln(c.conn, line); err != nil {
		c.t.Fatal(err)
	}
}

// ask sends a line and returns the answer.
func (c *client) ask(line string) string {
	c.t.Helper()
	c.send(line)
	answer, err := c.in.ReadString('\n')
	if err != nil {
		c.t.Fatalf("%s: %v", line, err)
	}
	return strings.TrimSuffix(answer, "\n")
}

// number asks for a number.
func (c *client) number(line string) int {
	c.t.Helper()
	n, err := strconv.Atoi(c.ask(line))
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// closed waits until the other side has closed.
func (c *client) closed() {
	c.t.Helper()
	c.conn.SetDeadline(time.Now().Add(patience))
	if _, err := c.in.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("the connection is open still: %v", err)
	}
}
