package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mode is the environment variable by which scripts/interop.sh runs these tests: yes, or
// strict, if a program that is missing is a failure. Without it there are none, so that
// the tests of all packages take no minute longer and need no programs.
const mode = "INTEROP"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(victimMode) != "":
		beVictim()
	case os.Getenv(mode) == "":
		fmt.Println("scripts/interop.sh runs these tests")
	default:
		os.Exit(m.Run())
	}
}

// need finds a program, or skips the test.
func need(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		missing(t, program+" is not installed: run scripts/interop.sh as root")
	}
	return path
}

// missing ends a test that lacks something.
func missing(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv(mode) == "strict" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// run runs a program to its end, with input, and returns what it prints; it must end well.
func run(t *testing.T, input, program string, args ...string) string {
	t.Helper()
	out, errs, err := try(t, input, program, args...)
	if err != nil {
		t.Fatalf("%s %q: %v\n%s\n%s", program, args, err, tail(out), tail(errs))
	}
	return out
}

// try runs a program to its end, which may be a bad one.
func try(t *testing.T, input, program string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, need(t, program), args...)
	cmd.WaitDelay = time.Second
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// start runs a program in the background, until the end of the test.
func start(t *testing.T, program string, args ...string) *record {
	t.Helper()
	return startCommand(t, exec.Command(need(t, program), args...))
}

// startCommand is start for a command with more to say, as its environment.
func startCommand(t *testing.T, cmd *exec.Cmd) *record {
	t.Helper()
	out := new(record)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		cmd.Wait()
		close(exited)
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(patience):
			cmd.Process.Kill()
			<-exited
		}
		if t.Failed() {
			t.Logf("output of %s:\n%s", cmd.Path, tail(out.String()))
		}
	})
	return out
}

// quit ends a program of startCommand before the test does.
func quit(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Process.Signal(syscall.SIGTERM)
	eventually(t, cmd.Path+" ends", func() bool {
		return errors.Is(cmd.Process.Signal(syscall.Signal(0)), os.ErrProcessDone)
	})
}

// freePort is an address of loopback where nobody listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// listens waits until somebody accepts connections at an address.
func listens(t *testing.T, address string) {
	t.Helper()
	eventually(t, "something listens at "+address, func() bool {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false
		}
		c.Close()
		return true
	})
}
