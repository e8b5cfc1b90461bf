//go:build linux

package operation

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

func TestStartStatusStop(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.refuse(3, "not running", "status")
	in.refuse(3, "not running", "stop")
	in.refuse(3, "not running", "reload")
	in.daemon("-count", "2")
	in.refuse(1, "already running", "start", "-d")
	in.refuse(1, "already running")
	s := in.status()
	if s.State != "running" || !s.Daemon || s.PID == 0 || len(s.Workers) != 1 || len(s.Workers[0].Processes) != 2 {
		t.Fatalf("status %+v", s)
	}
	if got := len(in.processes()); got != 3 {
		t.Errorf("%d processes, want a master and two", got)
	}
	c := dial(t, in.address("orders"))
	if got := c.ask("hello"); got != "hello" {
		t.Errorf("answer %q", got)
	}
	if got := c.ask("args"); !strings.HasPrefix(got, "-count 2") {
		t.Errorf("the program sees the arguments %q", got)
	}
	in.must("stop")
	c.closed()
	in.until("the processes have ended", func() bool { return len(in.processes()) == 0 })
	for _, end := range []string{".pid", ".sock"} {
		if _, err := os.Lstat(in.program + end); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", end, err)
		}
	}
	in.refuse(3, "not running", "status")
	if !strings.Contains(in.log(), "OnWorkerStop in version 1") {
		t.Error("OnWorkerStop was not called")
	}
}

// The flags of the program may be repeated behind a command, and need not.
func TestCommandsWithFlagsOfTheProgram(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-listen", "text://127.0.0.1:0")
	in.must("status", "--json", "-listen", "text://127.0.0.1:0")
	in.must("status", "--json")
	in.must("reload", "-listen", "text://127.0.0.1:0")
	in.must("stop", "-g", "-listen", "text://127.0.0.1:0")
}

func TestRestart(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon()
	first := in.status().PID
	in.deploy("2", "")
	in.must("restart", "-d")
	if now := in.status().PID; now == first {
		t.Error("the master is the same")
	}
	if got := dial(t, in.address("orders")).ask("version"); got != "2" {
		t.Errorf("version %s", got)
	}
	in.must("stop")
	in.must("restart", "-d") // works when nothing runs, too
}

func TestForegroundStopsOnSignals(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if signal.Ignored(sig) {
			t.Logf("%v is ignored here, as by nohup, which the master respects", sig)
			continue
		}
		in := install(t, "1")
		cmd := in.command("-count", "2")
		done := make(chan result, 1)
		go func() { done <- in.finish(cmd) }()
		in.until("it serves", func() bool { return in.run("status").code == 0 && in.status().State == "running" })
		syscall.Kill(in.status().PID, sig)
		if r := <-done; r.code != 0 {
			t.Errorf("%v: exit code %d\n%s", sig, r.code, r.errOut)
		}
		in.until("the processes have ended", func() bool { return len(in.processes()) == 0 })
	}
}

// Two installations of the same program run side by side.
func TestInstances(t *testing.T) {
	t.Parallel()
	a, b := install(t, "1"), install(t, "1")
	a.daemon()
	b.daemon()
	if a.status().PID == b.status().PID {
		t.Error("one master for both")
	}
	a.must("stop")
	if got := dial(t, b.address("orders")).ask("hi"); got != "hi" {
		t.Errorf("the other answers %q", got)
	}
}

// What main does behind RunAll is for services: a command does not come there.
func TestBehindRunAll(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon()
	for _, command := range []string{"status", "check", "help", "reload"} {
		if r := in.must(command, "-count", "1"); strings.Contains(r.errOut, "behind RunAll") {
			t.Errorf("%s went on: %s", command, r.errOut)
		}
	}
	in.must("stop")
	in.logged(`orders\[\d+\] behind RunAll`)
}
