//go:build linux

package operation

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// container starts the program as the first process of its own process namespace, as a
// container does, and returns the master's pid outside.
func (in *installation) container(t *testing.T, args ...string) (pid int, ended chan result) {
	t.Helper()
	needRoot(t)
	path, err := exec.LookPath("unshare")
	if err != nil {
		t.Skip(err)
	}
	cmd := in.command(append([]string{"--pid", "--fork", "--mount-proc", "--kill-child", in.program}, args...)...)
	cmd.Path, cmd.Args[0] = path, "unshare"
	ended = make(chan result, 1)
	go func() { ended <- in.finish(cmd) }()
	in.until("the service is up", func() bool {
		for _, p := range in.processes() {
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p))
			if strings.Contains(string(status), fmt.Sprintf("\nNSpid:\t%d\t1\n", p)) {
				pid = p
			}
		}
		return pid != 0 && in.run("status").code == 0 && in.status().State == "running"
	})
	return pid, ended
}

// The first process of a container takes away the dead whose parents have died, and lets
// those be for whom somebody waits.
func TestFirstProcessReapsOrphans(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	pid, ended := in.container(t, "-count", "2")
	c := dial(t, in.address("orders"))
	if got := c.ask("run (sleep 0.05 &) ; echo gone"); got != "gone" { // its parent ends at once
		t.Errorf("answer %q", got)
	}
	zombies := func() (n int) {
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
		for _, child := range strings.Fields(string(children)) {
			stat, _ := os.ReadFile("/proc/" + child + "/stat")
			if strings.Contains(string(stat), ") Z ") {
				n++
			}
		}
		return n
	}
	in.until("the orphan is dead", func() bool { return zombies() == 1 })
	in.until("the orphan is gone", func() bool { return zombies() == 0 })
	if e := in.worker("orders").Exits; len(e) != 0 {
		t.Errorf("exits %+v", e)
	}
	// The master still learns how its own processes end.
	c.send("exit")
	in.until("the cause of a death", func() bool {
		e := in.worker("orders").Exits
		return len(e) == 1 && e[0].Cause == "exit code 3"
	})
	syscall.Kill(pid, syscall.SIGTERM)
	if r := <-ended; r.code != 0 {
		t.Errorf("exit code %d: %s", r.code, r.errOut)
	}
	in.nothingRuns()
}
