package master

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/testkit"
)

// A process that is still starting when its successor serves ends, too.
func TestReloadWhileStarting(t *testing.T) {
	v := start(t, worker("a", 1))
	file := filepath.Join(t.TempDir(), "now")
	v.deploy("late "+file, worker("a", 1))
	first := v.slot("a", 0)[0]
	syscall.Kill(first.pid, syscall.SIGKILL)
	<-first.gone
	var old *process
	testkit.Eventually(t, "the late one is started", func() bool {
		list := v.slot("a", 0)
		if len(list) == 1 && list[0] != first {
			old = list[0]
		}
		return old != nil
	})
	v.deploy("", worker("a", 1))
	reloaded := make(chan error)
	go func() { reloaded <- v.Reload(false, nil) }()
	v.until("the successor serves", func() bool { return old.endReason == "reload" })
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	v.within("reload", func() {
		if err := <-reloaded; err != nil {
			t.Error(err)
		}
		<-old.gone
	})
	if list := v.slot("a", 0); len(list) != 1 || list[0] == old {
		t.Errorf("%d processes", len(list))
	}
}

// A new worker that does not start is forgotten, whatever else was new.
func TestFailedReloadForgetsNewWorkers(t *testing.T) {
	v := start(t, worker("a", 1))
	v.deploy("b: die", worker("a", 1), worker("b", 2), worker("c", 1))
	if err := v.Reload(false, nil); err == nil || !strings.Contains(err.Error(), "exit code 1") {
		t.Errorf("error %v", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.groups) != 1 || len(v.groups[0].slots[0].processes) != 1 || len(v.sockets.open) != 1 {
		t.Errorf("%d workers with %d sockets", len(v.groups), len(v.sockets.open))
	}
}

// Slots that did not exist before have no process after a reload that failed, nor has a socket
// stayed open for them, from which the kernel would let clients wait for ever.
func TestFailedReloadForgetsNewSlots(t *testing.T) {
	a := worker("a", 1)
	a.ReusePort = true
	v := start(t, a)
	a.Count = 3
	v.deploy("die", a)
	var during []*slot
	watch := func(control.Reload) {
		if during == nil {
			during = slices.Clone(v.groups[0].slots)
		}
	}
	if v.Reload(false, watch) == nil {
		t.Error("no error")
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	g := v.groups[0]
	if len(during) != 3 {
		t.Fatalf("%d slots during the reload", len(during))
	}
	for _, sl := range during[1:] {
		if !sl.retired {
			t.Error("a timer could start a process for a slot that nobody knows")
		}
	}
	if len(g.slots) != 1 || len(g.set.fds) != 1 || g.plan.Count != 1 {
		t.Errorf("%d slots, %d sockets, Count %d", len(g.slots), len(g.set.fds), g.plan.Count)
	}
}

// A crash loop goes on during a reload that raises the count.
func TestReloadOfCrashLoop(t *testing.T) {
	v := start(t, worker("a", 1))
	file := filepath.Join(t.TempDir(), "now")
	v.deploy("die", worker("a", 3))
	syscall.Kill(v.slot("a", 0)[0].pid, syscall.SIGKILL)
	v.until("a crash loop", func() bool { return v.group("a").failures > patience })
	if v.Reload(false, nil) == nil {
		t.Error("a reload to a crash loop succeeds")
	}
	v.until("the next start waits", func() bool { return v.group("a").timer != nil })
	v.deploy("late "+file, worker("a", 3))
	reloaded := make(chan error)
	go func() { reloaded <- v.Reload(false, nil) }()
	v.until("it is over", func() bool { return len(v.groups[0].slots) == 3 && v.groups[0].timer == nil })
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-reloaded; err != nil {
		t.Error(err)
	}
	for id := range 3 {
		v.until("a process", func() bool {
			p := v.group("a").slots[id].current()
			return p != nil && p.state == control.Ready && len(v.group("a").slots[id].processes) == 1
		})
	}
}

// Between crash and reload nothing is lost: the slot is served again when the reload fails.
func TestCrashDuringFailingReload(t *testing.T) {
	v := start(t, worker("a", 1))
	v.options.Ready = 500 * time.Millisecond
	old := v.slot("a", 0)[0]
	v.deploy("late /nowhere", worker("a", 1))
	failed := make(chan error)
	go func() { failed <- v.Reload(false, nil) }()
	v.until("a successor starts", func() bool { return len(v.group("a").slots[0].processes) == 2 })
	v.deploy("", worker("a", 1))
	syscall.Kill(old.pid, syscall.SIGKILL)
	if err := <-failed; err == nil {
		t.Error("no error")
	}
	v.until("a process", func() bool {
		p := v.group("a").slots[0].current()
		return p != nil && p.state == control.Ready
	})
}

// A worker that is gone leaves nothing behind, also if it had no process any more.
func TestRemovedWorkers(t *testing.T) {
	v := start(t, worker("a", 1), worker("b", 1), worker("c", 1))
	v.deploy("b: die", worker("a", 1))
	syscall.Kill(v.slot("b", 0)[0].pid, syscall.SIGKILL)
	v.until("a crash loop", func() bool { return v.group("b").failures > patience })
	if err := v.Reload(false, nil); err != nil {
		t.Error(err)
	}
	v.until("one worker", func() bool { return len(v.groups) == 1 && len(v.sockets.open) == 1 })
}

// A worker that was removed does not come back when a later reload fails.
func TestRemovedWorkerStaysAway(t *testing.T) {
	v := start(t, worker("a", 1), worker("b", 1))
	b := v.slot("b", 0)[0]
	syscall.Kill(b.pid, syscall.SIGSTOP) // it drains for as long as the test wants
	v.deploy("", worker("a", 1))
	if err := v.Reload(false, nil); err != nil {
		t.Error(err)
	}
	v.deploy("die", worker("a", 1))
	if v.Reload(false, nil) == nil {
		t.Error("no error")
	}
	syscall.Kill(b.pid, syscall.SIGCONT)
	<-b.gone
	v.until("one worker", func() bool { return len(v.groups) == 1 })
}

// What only old processes have listened on by themselves is closed when they are replaced.
func TestSocketsOfOldProcessesClose(t *testing.T) {
	addr := testkit.FreeAddress(t)
	os.Setenv(conductVariable, "listen "+addr)
	v := start(t, worker("a", 2))
	v.deploy("listen "+addr, worker("a", 2))
	if err := v.Reload(false, nil); err != nil {
		t.Error(err)
	}
	v.mu.Lock()
	if len(v.sockets.open) != 2 {
		t.Errorf("%d sockets", len(v.sockets.open))
	}
	v.mu.Unlock()
	v.deploy("", worker("a", 2))
	if err := v.Reload(false, nil); err != nil {
		t.Error(err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.sockets.open) != 1 {
		t.Errorf("%d sockets", len(v.sockets.open))
	}
}

// A stop during the start ends it.
func TestStopDuringStart(t *testing.T) {
	for range 5 {
		v := newService(t, worker("a", 1), worker("b", 1))
		v.deploy("late /nowhere")
		failed := make(chan error)
		go func() { failed <- v.Start(t.Context()) }()
		v.until("processes start", func() bool { return len(v.groups) == 2 && len(v.groups[1].slots[0].processes) == 1 })
		v.within("stop", func() {
			v.Stop(false, "test", nil)
			if err := <-failed; err == nil {
				t.Error("no error")
			}
			if err := v.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Whatever comes and goes, the master keeps no descriptor and no goroutine of it.
func TestMasterKeepsNothing(t *testing.T) {
	v := start(t, worker("a", 2))
	reload := func() {
		if err := v.Reload(false, nil); err != nil {
			t.Fatal(err)
		}
		v.until("the old ones are gone", func() bool { return len(v.all()) == 2 })
	}
	crash := func() {
		p := v.slot("a", 0)[0]
		syscall.Kill(p.pid, syscall.SIGKILL)
		<-p.gone
		v.until("a successor", func() bool {
			now := v.group("a").slots[0].current()
			return now != nil && now.state == control.Ready
		})
	}
	v.deploy("", worker("a", 2))
	reload()
	crash()
	before, goroutines := testkit.OpenFiles(), runtime.NumGoroutine()
	for range 5 {
		reload()
		crash()
		v.deploy("die", worker("a", 2), worker("b", 1))
		if v.Reload(false, nil) == nil {
			t.Error("no error")
		}
		v.deploy("", worker("a", 2))
	}
	v.Status(t.Context())
	v.until("descriptors are closed", func() bool { return testkit.OpenFiles() <= before })
	v.until("goroutines end", func() bool { return runtime.NumGoroutine() <= goroutines })
}

// A stop leaves nothing of a reload behind, not even a program that does not say what it
// wants to run.
func TestStopDuringReload(t *testing.T) {
	v := start(t, worker("a", 1))
	file := filepath.Join(t.TempDir(), "pid")
	t.Setenv(planVariable, "hang "+file)
	failed := make(chan error, 1)
	go func() { failed <- v.Reload(false, nil) }()
	pid := 0
	v.until("the program is asked", func() bool {
		b, _ := os.ReadFile(file)
		pid, _ = strconv.Atoi(string(b))
		return pid != 0
	})
	v.within("stop", func() {
		v.Stop(false, "test", nil)
		v.Wait()
	})
	if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
		t.Errorf("process %d: %v", pid, err)
	}
	if err := <-failed; err != errStopped {
		t.Error(err)
	}
}

// While a graceful stop goes on, new clients are refused, rather than left to wait for nobody.
func TestStopRefusesClients(t *testing.T) {
	v := start(t, worker("a", 1))
	addr := v.group("a").set.address.String()
	stopped := make(chan struct{})
	go func() { defer close(stopped); v.Stop(true, "test", nil) }()
	v.until("a client is refused", func() bool {
		c, err := net.DialTimeout("tcp", addr, soon)
		if err == nil {
			c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	v.within("stop", func() {
		v.Stop(false, "test", nil)
		<-stopped
	})
}

// Changes that would leave clients in sockets that nobody serves are refused.
func TestReloadRefusesOtherSockets(t *testing.T) {
	a := worker("a", 2)
	a.ReusePort = true
	v := start(t, a)
	for _, change := range []func(*Worker){
		func(w *Worker) { w.ReusePort = false },
		func(w *Worker) { w.Loops = 2 },
	} {
		w := a
		change(&w)
		v.deploy("", w)
		if err := v.Reload(false, nil); err == nil || !strings.Contains(err.Error(), "needs a restart") {
			t.Errorf("error %v", err)
		}
		if len(v.groups[0].set.fds) != 2 {
			t.Errorf("%d sockets", len(v.groups[0].set.fds))
		}
	}
}
