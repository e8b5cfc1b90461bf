//go:build linux

package operation

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/workerman-go/workerman/internal/control"
)

// one returns the only process of a worker.
func (in *installation) one(name string) control.Process {
	in.t.Helper()
	var w control.Worker
	in.until("one process of "+name, func() bool {
		w = in.worker(name)
		return len(w.Processes) == 1 && w.Processes[0].State == control.Ready
	})
	return w.Processes[0]
}

// A process that dies is replaced, its id kept and its cause counted in words.
func TestDeathsAreReplacedAndCounted(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-count", "2")
	addr := in.address("orders")
	for _, c := range []struct{ order, cause string }{
		{"exit", "exit code 3"},
		{"panic no stock", "panic: no stock"},
		{"stop", "exit code 0"},
	} {
		cl := dial(t, addr)
		pid, id := cl.number("pid"), cl.ask("id")
		cl.send(c.order)
		cl.closed()
		in.until("a successor", func() bool {
			for _, p := range in.worker("orders").Processes {
				if p.State == control.Ready && p.PID != pid && string(rune('0'+p.Slot)) == id {
					return true
				}
			}
			return false
		})
		in.until("the cause "+c.cause, func() bool {
			return slices.ContainsFunc(in.worker("orders").Exits, func(e control.Exit) bool {
				return strings.HasPrefix(e.Cause, c.cause) && e.Count == 1
			})
		})
	}
	in.logged(`OnWorkerExit worker=orders id=\d cause=.*panic: no stock`)
}

func TestKilledProcessIsReplaced(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon()
	first := in.one("orders").PID
	syscall.Kill(first, syscall.SIGKILL)
	in.until("a successor", func() bool {
		p := in.worker("orders").Processes
		return len(p) == 1 && p[0].State == control.Ready && p[0].PID != first
	})
	if e := in.worker("orders").Exits; len(e) != 1 || !strings.Contains(e[0].Cause, "signal 9") {
		t.Errorf("exits %+v", e)
	}
}

// Without a master the processes leave, and the next start works at once.
func TestKilledMaster(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.must("start", "-d", "-count", "3")
	addr := in.address("orders")
	c := dial(t, addr)
	c.ask("hi")
	syscall.Kill(in.status().PID, syscall.SIGKILL)
	in.until("the master is gone", func() bool { return in.run("status").code == 3 })
	in.daemon("-listen", "text://"+addr)
	if got := dial(t, addr).ask("hi"); got != "hi" {
		t.Errorf("answer %q", got)
	}
	c.closed()
	in.until("the old processes are gone", func() bool { return len(in.processes()) == 2 })
}

// A process that is stuck in a callback is seen, and ended by a stop.
func TestStuckProcess(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon()
	c := dial(t, in.address("orders"))
	c.send("loop")
	in.until("the loop is busy", func() bool {
		p := in.worker("orders").Processes
		return len(p) == 1 && len(p[0].Loops) == 1 && p[0].Loops[0].Callback == "OnMessage" && strings.Contains(p[0].Loops[0].Place, "obey")
	})
	if r := in.must("stack"); !strings.Contains(r.out, "main.obey") {
		t.Errorf("stack does not show the place:\n%s", r.out)
	}
	in.must("reload") // which does not wait for the end of the callback
	if got := dial(t, in.address("orders")).ask("hi"); got != "hi" {
		t.Errorf("the successor answers %q", got)
	}
	in.must("stop")
	in.until("the processes have ended", func() bool { return len(in.processes()) == 0 })
}

// A process that does not run is named by the commands that would have to hear from it.
func TestFrozenProcess(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-count", "2")
	addr := in.address("orders")
	frozen := dial(t, addr).number("pid")
	other := frozen
	for other == frozen {
		other = dial(t, addr).number("pid")
	}
	suspend(t, frozen)
	for _, p := range in.worker("orders").Processes {
		if lost := p.State == control.Lost; lost != (p.PID == frozen) {
			t.Errorf("process %d is %s", p.PID, p.State)
		}
	}
	in.refuse(1, fmt.Sprintf("process %d does not answer", frozen), "connections", "--json")
	if r := in.run("connections"); !strings.Contains(r.out, strconv.Itoa(other)) {
		t.Errorf("the connections of the other process are missing:\n%s", r.out)
	}
	syscall.Kill(frozen, syscall.SIGCONT)
	in.must("connections", "--json")
}

// suspend sends SIGSTOP to a process and waits until each of its threads has stopped: the system
// does that some time after the call.
func suspend(t *testing.T, pid int) {
	t.Helper()
	syscall.Kill(pid, syscall.SIGSTOP)
	until(t, fmt.Sprintf("process %d is suspended", pid), func() bool {
		stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		for _, name := range stats {
			if stat, err := os.ReadFile(name); err == nil && !strings.Contains(string(stat), ") T ") {
				return false
			}
		}
		return err == nil && len(stats) > 0
	})
}
