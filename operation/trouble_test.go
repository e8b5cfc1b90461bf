//go:build linux

package operation

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// nobody is the user without rights.
const nobody = 65534

// needRoot skips a test that changes users or mounts.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// asNobody is a command of a user without rights, who may run the program.
func (in *installation) asNobody(args ...string) *exec.Cmd {
	in.t.Helper()
	if err := os.Chmod(filepath.Dir(in.program), 0o755); err != nil {
		in.t.Fatal(err)
	}
	cmd := in.command(args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}

// bystander is a process that any signal would end.
func bystander(t *testing.T) (pid int, unharmed func() bool) {
	t.Helper()
	cmd := exec.Command("sleep", "3600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cmd.Wait()
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	return cmd.Process.Pid, func() bool {
		select {
		case <-ended:
			return false
		default:
			return true
		}
	}
}

// nothingRuns fails if something of the installation is left.
func (in *installation) nothingRuns() {
	in.t.Helper()
	in.until("no process is left", func() bool { return len(in.processes()) == 0 }) // the master leaves main after the stop
	for _, end := range []string{".pid", ".sock"} {
		if _, err := os.Lstat(in.program + end); err == nil {
			in.t.Errorf("%s is left", end)
		}
	}
}

func TestTwoStartsAtOnce(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.stopsSoon()
	results := make([]result, 6)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() { results[i] = in.finish(in.command("start", "-d")) })
	}
	wg.Wait()
	won := 0
	for _, r := range results {
		switch {
		case r.code == 0:
			won++
		case r.code != 1 || !strings.HasPrefix(r.errOut, "already running") || strings.Contains(r.errOut, "pid 0"):
			t.Errorf("exit code %d: %s", r.code, r.errOut)
		}
	}
	if won != 1 || len(in.processes()) != 2 {
		t.Errorf("%d of them have started, and %d processes run", won, len(in.processes()))
	}
}

func TestAddressInUse(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	in := install(t, "1")
	listen := "text://" + ln.Addr().String()
	for _, args := range [][]string{{"start", "-d"}, {"start"}, {}} {
		r := in.run(append(args, "-listen", listen)...)
		if missing := lacks(r.errOut, []string{`"orders"`, ln.Addr().String(), "address already in use"}); r.code != 1 || missing != "" {
			t.Errorf("%v: exit code %d, no %q in %s", args, r.code, missing, r.errOut)
		}
		if n := strings.Count(r.errOut, "address already in use"); n != 1 {
			t.Errorf("%v: it is told %d times: %s", args, n, r.errOut)
		}
		in.nothingRuns()
	}
}

func TestPrivilegedPort(t *testing.T) {
	t.Parallel()
	needRoot(t)
	in := install(t, "1")
	r := in.finish(in.asNobody("start", "-d", "-listen", "text://127.0.0.1:81"))
	if missing := lacks(r.errOut, []string{`"orders"`, "127.0.0.1:81", "permission denied"}); r.code != 1 || missing != "" {
		t.Errorf("exit code %d, no %q in %s", r.code, missing, r.errOut)
	}
	in.nothingRuns()
}

func TestUnknownUser(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.refuse(1, `there is no user "nosuchuser"`, "start", "-d", "-user", "nosuchuser")
	in.nothingRuns()
}

// An operator who is neither root nor the user of the service is told so.
func TestCommandOfAnotherUser(t *testing.T) {
	t.Parallel()
	needRoot(t)
	in := install(t, "1")
	in.daemon()
	for _, command := range []string{"status", "stop", "reload", "connections", "stack"} {
		r := in.finish(in.asNobody(command))
		if r.code != 1 || !strings.Contains(r.out+r.errOut, "permission denied: the program runs as another user") {
			t.Errorf("%s: exit code %d: %s%s", command, r.code, r.out, r.errOut)
		}
	}
	if r := in.finish(in.asNobody("start", "-d")); r.code != 1 {
		t.Errorf("start: exit code %d: %s", r.code, r.errOut)
	}
	if s := in.status(); s.State != "running" {
		t.Errorf("state %s", s.State)
	}
}

// The file of a running program may go: a copy gives commands, and crashes are mended.
func TestProgramFileDeleted(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon()
	copied := in.program + "-copy"
	if err := os.Link(in.program, copied); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(in.program); err != nil {
		t.Fatal(err)
	}
	defer os.Rename(copied, in.program) // for the commands that end the test
	with := func(args ...string) *exec.Cmd {
		cmd := in.command(args...)
		cmd.Path = copied
		cmd.Env = append(cmd.Env, "WORKERMAN_PID_FILE="+in.program+".pid")
		return cmd
	}
	var addr string
	{
		r := in.finish(with("status"))
		if r.code != 0 {
			t.Fatalf("exit code %d: %s", r.code, r.errOut)
		}
		for _, f := range strings.Fields(r.out) {
			if at, ok := strings.CutPrefix(f, "text://"); ok {
				addr = at
			}
		}
	}
	c := dial(t, addr)
	pid := c.number("pid")
	c.send("exit")
	c.closed()
	in.until("a successor serves", func() bool {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return false
		}
		conn.Close()
		return dial(t, addr).number("pid") != pid
	})
	if r := in.finish(with("reload")); r.code != 1 || !strings.Contains(r.out, in.program) {
		t.Errorf("reload: exit code %d: %s%s", r.code, r.out, r.errOut)
	}
	if got := dial(t, addr).ask("hi"); got != "hi" {
		t.Errorf("answer %q", got)
	}
	if r := in.finish(with("stop")); r.code != 0 {
		t.Errorf("stop: exit code %d: %s%s", r.code, r.out, r.errOut)
	}
}

// Commands do not wait for a master that is suspended.
func TestSuspendedDaemon(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon()
	pid := in.status().PID
	suspend(t, pid)
	defer syscall.Kill(pid, syscall.SIGCONT)
	text := fmt.Sprintf("the master, pid %d, is suspended: it goes on after fg in its terminal, or kill -CONT %d", pid, pid)
	for _, command := range []string{"status", "status -d", "connections", "connections -d", "stack", "reload", "stop", "stop -g", "restart -d"} {
		in.refuse(1, text, strings.Fields(command)...)
	}
	in.refuse(1, fmt.Sprintf("already running, pid %d", pid), "start", "-d")
	if r := in.must("logs"); !strings.Contains(r.out, "worker started") { // this is when they are wanted
		t.Errorf("logs: %s", r.out)
	}
	syscall.Kill(pid, syscall.SIGCONT)
	in.must("stop")
}

// Nothing of what the environment says to the program and its master reaches a child of a
// process: it may be such a program itself. Nor do sockets and ignored signals.
func TestEnvironmentOfChildren(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	seen := in.program + ".before"
	with := func(args ...string) *exec.Cmd {
		cmd := in.command(args...)
		cmd.Env = append(cmd.Env, "WORKERMAN_PID_FILE="+in.program+".pid") // the default; here it is said
		return cmd
	}
	if r := in.finish(with("start", "-d", "-before", "env | grep -c WORKERMAN_[RN] >>"+seen+" || true")); r.code != 0 {
		t.Fatalf("start: %s", r.errOut)
	}
	in.stopsSoon()
	c := dial(t, in.address("orders"))
	if got := c.ask("run env | grep WORKERMAN_ || echo none"); got != "none" {
		t.Errorf("a child of the process sees %s", got)
	}
	if got := c.ask("run ls -l /proc/self/fd | grep socket || echo none"); got != "none" {
		t.Errorf("a child of the process has sockets: %s", got)
	}
	if got := c.ask(`run kill -PIPE $$; echo survived`); !strings.Contains(got, "broken pipe") {
		t.Errorf("a child of the process ignores SIGPIPE: %s", got)
	}
	// main runs three times: in the command, in the master and in the process.
	if got := read(t, seen); got != "0\n0\n0\n" {
		t.Errorf("children of main see roles: %q", got)
	}
}

// ps shows what each process is, the program sees its own name.
func TestTitles(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-count", "2")
	if got := dial(t, in.address("orders")).ask("name"); got != in.program {
		t.Errorf("os.Args[0] is %s", got)
	}
	s := in.status()
	title := func(pid int) string {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(string(b), "\x00")
		comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if err != nil || string(comm) != "app\n" {
			t.Errorf("top shows %q, %v", comm, err)
		}
		return name
	}
	if got, want := title(s.PID), "workerman: master "+in.program; got != want {
		t.Errorf("master: %q, want %q", got, want)
	}
	for _, p := range s.Workers[0].Processes {
		if got, want := title(p.PID), fmt.Sprintf("workerman: worker orders %d text://127.0.0.1:0", p.Slot); got != want {
			t.Errorf("process: %q, want %q", got, want)
		}
	}
}

// Whatever the environment lacks, a daemon starts.
func TestStartWithoutEnvironment(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.stopsSoon()
	cmd := in.command("start", "-d")
	cmd.Env = []string{}
	if r := in.finish(cmd); r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.errOut)
	}
	if got := dial(t, in.address("orders")).ask("hi"); got != "hi" {
		t.Errorf("answer %q", got)
	}
}

// A callback that does not return holds a stop up for StopTimeout, and the log says why.
func TestStopWithStuckCallback(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-stop-timeout", "100ms")
	dial(t, in.address("orders")).send("sleep")
	in.until("the callback is seen", func() bool {
		p := in.worker("orders").Processes
		return len(p[0].Loops) == 1 && p[0].Loops[0].Callback != ""
	})
	in.must("stop")
	has(t, in.log(), "main.obey", "killed by the master: did not end within 2.1s of its stop", "stopped")
	in.nothingRuns()
}
