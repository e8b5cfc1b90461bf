//go:build linux

package operation

import (
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/workerman-go/workerman/internal/control"
)

// Reloads that come at once run one after the other.
func TestReloadsAtOnce(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-count", "2")
	c := dial(t, in.address("orders"))
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if r := in.run("reload"); r.code != 0 {
				t.Errorf("exit code %d: %s%s", r.code, r.out, r.errOut)
			}
		})
	}
	all.Wait()
	if s := in.status(); s.Reloads != 5 || s.State != "running" || s.Reload.Replaced != 2 {
		t.Errorf("status %+v, reload %+v", s, s.Reload)
	}
	in.settled("orders", 2)
	if got := c.ask("hi"); got != "hi" {
		t.Errorf("answer %q", got)
	}
}

// A reload ends a crash loop, however long the next start would have waited.
func TestReloadDuringACrashLoop(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon()
	addr := in.address("orders")
	in.until("starts are slowed down", func() bool {
		c := dial(t, addr)
		c.send("exit")
		c.closed()
		return strings.Contains(in.log(), "wait=800ms")
	})
	in.deploy("2", "")
	in.must("reload")
	w := in.settled("orders", 1)
	if w.Backoff != "" {
		t.Errorf("the next start would still wait %s", w.Backoff)
	}
	if got := dial(t, addr).ask("version"); got != "2" {
		t.Errorf("version %s answers", got)
	}
}

// A stop does not wait for a reload that gets nowhere, and leaves nothing of it.
func TestStopDuringReload(t *testing.T) {
	t.Parallel()
	for _, trouble := range []string{"hang", "stall"} {
		in := install(t, "1")
		in.daemon("-count", "2")
		in.deploy("2", trouble)
		reload := make(chan result, 1)
		go func() { reload <- in.run("reload") }()
		in.until("a process of the new version", func() bool { return len(in.processes()) > 4 })
		in.must("stop")
		in.deploy("1", "") // which also knows that nothing runs
		if n := len(in.processes()); n != 0 {
			t.Errorf("%s: %d processes are left", trouble, n)
		}
		if r := <-reload; r.code != 1 || !strings.Contains(r.out+r.errOut, "stopped meanwhile") {
			t.Errorf("%s: reload ended with code %d: %s%s", trouble, r.code, r.out, r.errOut)
		}
	}
}

// Whoever stops has decided: no reload and no other stop changes that.
func TestReloadWhileStopping(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-count", "2")
	c := dial(t, in.address("orders"))
	c.ask("hi")
	stop := make(chan result, 1)
	go func() { stop <- in.run("stop", "-g") }()
	in.until("it stops", func() bool { return in.status().State == "stopping" })
	in.refuse(1, "no reload while stopping", "reload")
	if got := c.ask("hi"); got != "hi" { // graceful
		t.Errorf("answer %q", got)
	}
	in.must("stop")
	if r := <-stop; r.code != 0 {
		t.Errorf("stop -g ended with code %d: %s%s", r.code, r.out, r.errOut)
	}
	if n := len(in.processes()); n != 0 {
		t.Errorf("%d processes are left", n)
	}
}

// A command that was stopped in its terminal does not hold up the master.
func TestSuspendedCommand(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-count", "2")
	in.deploy("2", "hang")
	cmd := in.command("reload")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.until("it reloads", func() bool { return in.status().State == "reloading" })
	cmd.Process.Signal(syscall.SIGSTOP)
	if s := in.status(); s.State != "reloading" {
		t.Errorf("state %s", s.State)
	}
	in.must("stop")
	in.deploy("1", "")
	cmd.Process.Kill()
	cmd.Wait()
}

// Processes that die during a reload, old ones and new ones, leave no slot empty.
func TestDeathsDuringReload(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-count", "3")
	for n := range sized(5, 30) {
		in.deploy(string('2'-rune(n%2)), "")
		done := make(chan result, 1)
		go func() { done <- in.run("reload") }()
		for reloading := true; reloading; {
			select {
			case <-done: // its result is that of the dead
				reloading = false
			default:
				for _, p := range in.worker("orders").Processes {
					if p.State != control.Ready || p.Slot == n%3 {
						syscall.Kill(p.PID, syscall.SIGKILL)
						break
					}
				}
			}
		}
		in.settled("orders", 3)
		if s := in.status(); s.State != "running" {
			t.Errorf("state %s", s.State)
		}
	}
}
