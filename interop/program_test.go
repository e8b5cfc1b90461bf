package interop

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
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
		os.Exit(testkit.Main(m))
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
func start(t *testing.T, program string, args ...string) *testkit.Program {
	t.Helper()
	return startCommand(t, exec.Command(need(t, program), args...))
}

// startCommand is start for a command with more to say, as its environment. The program may end in
// good order, so that it ends its own processes.
func startCommand(t *testing.T, cmd *exec.Cmd) *testkit.Program {
	t.Helper()
	p := testkit.Start(t, cmd)
	t.Cleanup(p.Stop)
	return p
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
