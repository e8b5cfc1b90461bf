package child

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/workerman-go/workerman/internal/testkit"
)

// startShell starts a script that prints process ids, one a line, and returns those.
func startShell(t *testing.T, ctx context.Context, script string, ids int) (p *Process, printed []int) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if p, err = Start(ctx, cmd); err != nil {
		t.Fatal(err)
	}
	for in := bufio.NewScanner(out); len(printed) < ids && in.Scan(); {
		id, err := strconv.Atoi(in.Text())
		if err != nil {
			t.Fatal(err)
		}
		printed = append(printed, id)
	}
	return p, printed
}

// reap waits for the end of a process.
func reap(t *testing.T, p *Process) error {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- p.Wait()() }()
	return testkit.Receive(t, ended, fmt.Sprintf("the end of process %d", p.ID()))
}

// gone waits until a process has ended that is no child of this one.
func gone(t *testing.T, id int) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("process %d has ended", id), func() bool {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(id) + "/stat")
		_, rest, _ := strings.Cut(string(stat), ") ")
		return err != nil || strings.HasPrefix(rest, "Z")
	})
}

// registered is the number of processes that were not reaped.
func registered() int {
	running.Lock()
	defer running.Unlock()
	return len(running.all)
}

func TestKillOrphans(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	orphan, family := startShell(t, ctx, "sleep 3600 & echo $$; echo $!; wait", 2)
	kept, _ := startShell(t, context.Background(), "echo $$; exec sleep 3600", 1)
	if family[0] != orphan.ID() {
		t.Errorf("got process id %d, want %d", orphan.ID(), family[0])
	}
	KillOrphans()
	if err := orphan.Signal(0); err != nil {
		t.Errorf("a process whose context goes on: got %v, want nil", err)
	}
	cancel()
	KillOrphans()
	var exit *exec.ExitError
	if err := reap(t, orphan); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("got %v, want an end by SIGKILL", err)
	}
	gone(t, family[1])
	if err := orphan.Signal(syscall.SIGKILL); err != os.ErrProcessDone {
		t.Errorf("a signal after the end: got %v, want %v", err, os.ErrProcessDone)
	}
	if _, err := Start(ctx, exec.Command("true")); err != ErrOrphan {
		t.Errorf("after the end of the context: got %v, want %v", err, ErrOrphan)
	}
	if n := registered(); n != 1 {
		t.Errorf("got %d processes on the list, want 1", n)
	}
	if err := kept.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("a signal to a process that runs: got %v, want nil", err)
	}
	if err := reap(t, kept); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("got %v, want an end by SIGTERM", err)
	}
	if n := registered(); n != 0 {
		t.Errorf("got %d processes on the list, want 0", n)
	}
}

// The process id stays that of the program between its end and reap.
func TestSignalBeforeReap(t *testing.T) {
	p, _ := startShell(t, context.Background(), "exit 7", 0)
	reap := p.Wait()
	if err := p.Signal(syscall.SIGKILL); err != nil {
		t.Errorf("before reap: got %v, want nil", err)
	}
	var exit *exec.ExitError
	if err := reap(); !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("got %v, want exit status 7", err)
	}
	if err := p.Signal(syscall.SIGKILL); err != os.ErrProcessDone {
		t.Errorf("after reap: got %v, want %v", err, os.ErrProcessDone)
	}
}

// A program of a session of its own has a group too; settings of the caller stay as they are.
func TestAttributesAreCopied(t *testing.T) {
	given := &syscall.SysProcAttr{Setsid: true}
	cmd := exec.Command("/bin/sh", "-c", "sleep 3600")
	cmd.SysProcAttr = given
	p, err := Start(context.Background(), cmd)
	if err != nil {
		t.Fatal(err)
	}
	if cmd.SysProcAttr == given || cmd.SysProcAttr.Setpgid || !cmd.SysProcAttr.Setsid || given.Setpgid {
		t.Errorf("got %+v of %+v, want a copy without Setpgid", cmd.SysProcAttr, given)
	}
	if err := p.Signal(syscall.SIGKILL); err != nil {
		t.Errorf("got %v, want nil: the session is a group", err)
	}
	reap(t, p)
}

func TestStartFails(t *testing.T) {
	if _, err := Start(context.Background(), exec.Command("/nowhere/program")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want %v", err, os.ErrNotExist)
	}
	if n := registered(); n != 0 {
		t.Errorf("got %d processes on the list, want 0", n)
	}
}
