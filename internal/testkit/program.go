package testkit

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// Program is a program under test that runs.
type Program struct {
	// Cmd is what was started. Its process is waited for already.
	Cmd *exec.Cmd
	// Output is what the program has printed, on both its outputs.
	Output Log

	t      testing.TB
	exited chan struct{}
}

// Environment is that of this process with other settings, "KEY=value", for a program under test.
// A program that looks for races is told not to wait for a second before it exits.
func Environment(settings ...string) []string {
	return append(append(os.Environ(), "GORACE=atexit_sleep_ms=0"), settings...)
}

// Start starts a program, which the end of the test kills and reaps if it still runs then, and
// whose output it shows if the test has failed.
func Start(t testing.TB, cmd *exec.Cmd) *Program {
	t.Helper()
	p := &Program{Cmd: cmd, t: t, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.Output, &p.Output
	cmd.WaitDelay = time.Second // for its outputs, which its children may keep open
	if err := cmd.Start(); err != nil {
		t.Fatalf("start of %s: %v", cmd.Path, err)
	}
	go func() {
		defer close(p.exited)
		cmd.Wait()
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("output of %s:\n%s", cmd.Path, &p.Output)
		}
	})
	return p
}

// Exited is closed when the program has ended and was reaped.
func (p *Program) Exited() <-chan struct{} { return p.exited }

// Await waits until the output is as wanted, and ends the test if the program ends without it, or
// Patience does.
func (p *Program) Await(what string, wanted func(output string) bool) {
	p.t.Helper()
	ended := false
	ok := Within(Patience, func() bool {
		select {
		case <-p.exited:
			ended = true // and what it has printed is all there
		default:
		}
		return wanted(p.Output.String()) || ended
	})
	switch {
	case !ok:
		p.t.Fatalf("%s did not print %s within %v", p.Cmd.Path, what, Patience)
	case ended && !wanted(p.Output.String()):
		p.t.Fatalf("%s ended without printing %s", p.Cmd.Path, what)
	}
}

// Signal sends a signal to the program, and to no other process that has its pid by now.
func (p *Program) Signal(s os.Signal) {
	p.t.Helper()
	if err := p.Cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %v to %s: %v", s, p.Cmd.Path, err)
	}
}

// Status waits for the end of the program and returns its exit status, -1 after a signal.
func (p *Program) Status() int {
	p.t.Helper()
	Receive(p.t, p.exited, p.Cmd.Path+" ends")
	return p.Cmd.ProcessState.ExitCode()
}

// Stop asks the program to end, if it still runs, and waits for it. One that does not end within
// Patience is killed, which fails the test.
func (p *Program) Stop() {
	p.t.Helper()
	p.Cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended
	timer := time.NewTimer(Patience)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		p.t.Errorf("%s does not end within %v", p.Cmd.Path, Patience)
		p.Kill()
	}
}

// Kill kills the program, if it still runs, and waits until it is reaped.
func (p *Program) Kill() {
	p.Cmd.Process.Kill() // an error means that it has ended
	<-p.exited
}

// Result is what a program that has ended did.
type Result struct {
	Code        int // the exit status; -1 after a signal, or if it could not be started
	Out, ErrOut string
}

// Run runs a program to its end, whatever that is. One that does not end in three times Patience
// is killed. It may be called from any goroutine.
func Run(t testing.TB, cmd *exec.Cmd) Result {
	t.Helper()
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Start(); err != nil {
		t.Errorf("start of %s: %v", cmd.Path, err)
		return Result{Code: -1}
	}
	timer := time.AfterFunc(3*Patience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Errorf("%s: %v", cmd.Path, err)
	}
	return Result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}
