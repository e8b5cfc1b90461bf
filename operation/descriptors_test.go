//go:build linux

package operation

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// What a process starts has nothing of ours: neither link nor listeners, nor the role.
func TestChildrenInheritNothing(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-web", "http://127.0.0.1:0")
	mine, err := exec.Command("sh", "-c", "ls /proc/$$/fd").Output() // what everybody here inherits
	if err != nil {
		t.Fatal(err)
	}
	if got, want := dial(t, in.address("orders")).ask("child"), fmt.Sprintf("%q <nil>", mine); got != want {
		t.Errorf("a child has %s, want %s", got, want)
	}
}

// Reloads and crashes leave no descriptors behind, in the master or in its processes, no
// processes, and nobody holds what is another's.
func TestReloadsLeaveNothing(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	inner := free.Addr().String()
	free.Close()
	in := install(t, "1")
	in.daemon("-count", "2", "-web", "http://127.0.0.1:0", "-inner", "text://"+inner, "-adopt")
	master := in.status().PID
	c := dial(t, in.address("orders"))
	round := func() {
		in.must("reload")
		c.ask("x")
		pid := in.worker("web").Processes[0].PID
		syscall.Kill(pid, syscall.SIGKILL)
		in.until("all serve, and only those", func() bool {
			return len(in.processes()) == 5 && ready(in.worker("web")) == 2 && ready(in.worker("orders")) == 2
		})
	}
	kept := func() string {
		var figures []string
		for _, w := range in.status().Workers {
			for _, p := range w.Processes {
				figures = append(figures, fmt.Sprintf("%s %d: %v", w.Name, p.Slot, open(t, p.PID)))
			}
		}
		slices.Sort(figures)
		return strings.Join(figures, "\n")
	}
	round()
	before, count := kept(), len(open(t, master))
	for range sized(5, 100) {
		round()
	}
	if after := kept(); after != before {
		t.Errorf("processes had open\n%s\nand have\n%s", before, after)
	}
	if n := len(open(t, master)); n > count {
		t.Errorf("the master had %d descriptors and has %d: %v", count, n, open(t, master))
	}
}

// open are the kinds of descriptors of a process.
func open(t *testing.T, pid int) (kinds []string) {
	t.Helper()
	list, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range list {
		if to, err := os.Readlink(name); err == nil {
			kind, _, _ := strings.Cut(to, "[")
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}
