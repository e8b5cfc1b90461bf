//go:build linux

package operation

import (
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/operation/siege"
)

// The master is killed under load and started again at once, on the same addresses. What the
// old processes cannot finish breaks off, but nobody is refused for long, and nothing is left.
func TestMasterKilledUnderLoad(t *testing.T) {
	in := install(t, "1")
	in.must("start", "-d", "-web", "http://127.0.0.1:0", "-count", "2")
	web, orders := in.address("web"), in.address("orders")
	socket := in.program + "-in.sock"
	flags := []string{"start", "-d", "-count", "2", "-web", "http://" + web, "-listen", "text://" + orders, "-inner", "text+unix://" + socket}
	in.must("stop")
	in.must(flags...)
	for range sized(3, 20) {
		crowd := surround(t, siege.Options{
			Addr: web, Talkers: 100, Pace: 20 * time.Millisecond, Askers: 20, AskPace: 5 * time.Millisecond, MayBreak: true,
		})
		talk(t, crowd)
		before := in.processes()
		syscall.Kill(in.status().PID, syscall.SIGKILL)
		in.must(flags...)
		if got := dial(t, orders).ask("hi"); got != "hi" {
			t.Errorf("answer %q", got)
		}
		if got := dial(t, socket).ask("hi"); got != "hi" {
			t.Errorf("answer %q", got)
		}
		in.until("the old processes are gone", func() bool {
			return !slices.ContainsFunc(in.processes(), func(pid int) bool { return slices.Contains(before, pid) })
		})
		r := crowd.End()
		delete(r.Faults, siege.Refused)
		if len(r.Faults) > 0 {
			t.Errorf("faults %v, for example %q", r.Faults, r.Examples)
		}
	}
	in.must("stop")
	if n := len(in.processes()); n != 0 {
		t.Errorf("%d processes are left", n)
	}
}

// A process that is stuck in a callback when its master is killed does not keep the address.
func TestMasterKilledWithAStuckProcess(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.must("start", "-d", "-count", "2", "-drain", "20s")
	addr := in.address("orders")
	dial(t, addr).send("loop")
	in.until("the loop is busy", func() bool {
		return slices.ContainsFunc(in.worker("orders").Processes, func(p control.Process) bool {
			return len(p.Loops) == 1 && p.Loops[0].Callback == "OnMessage"
		})
	})
	syscall.Kill(in.status().PID, syscall.SIGKILL)
	in.until("the master is gone", func() bool { return in.run("status").code == 3 })
	in.daemon("-listen", "text://"+addr)
	for range 10 {
		if got := dial(t, addr).ask("hi"); got != "hi" {
			t.Errorf("answer %q", got)
		}
	}
	in.killOthers(in.status())
}

// Of many who start the program at once exactly one succeeds.
func TestStartRace(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	results := make([]result, sized(20, 50))
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() { results[i] = in.run("start", "-d") })
	}
	all.Wait()
	winners := 0
	for _, r := range results {
		switch {
		case r.code == 0:
			winners++
		case r.code != 1 || r.errOut != "already running, pid "+strconv.Itoa(in.status().PID)+"\n":
			t.Errorf("exit code %d: %s%s", r.code, r.out, r.errOut)
		}
	}
	if winners != 1 {
		t.Errorf("%d starts succeeded", winners)
	}
	in.must("stop")
	if n := len(in.processes()); n != 0 {
		t.Errorf("%d processes are left", n)
	}
}

// killOthers ends what runs besides the master of s and its processes.
func (in *installation) killOthers(s control.Status) {
	own := []int{s.PID}
	for _, w := range s.Workers {
		for _, p := range w.Processes {
			own = append(own, p.PID)
		}
	}
	for _, pid := range in.processes() {
		if !slices.Contains(own, pid) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
