package testkit

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// conduct is the environment variable that makes of this test a program under test.
const conduct = "TESTKIT_CONDUCT"

func TestMain(m *testing.M) {
	switch os.Getenv(conduct) {
	case "":
		os.Exit(MainWithoutLeaks(m))
	case "talk": // until its input ends
		fmt.Println("ready")
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			fmt.Println("heard", in.Text())
		}
		os.Exit(3)
	case "fail":
		fmt.Println("out")
		fmt.Fprintln(os.Stderr, "error")
		os.Exit(4)
	}
}

// self is this test as a program.
func self(t testing.TB, how string) *exec.Cmd {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Env = Environment(conduct + "=" + how)
	return cmd
}

// talker is a program that talks until in is closed.
func talker(t testing.TB) (p *Program, in *os.File) {
	t.Helper()
	cmd := self(t, "talk")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = r
	p = Start(t, cmd)
	r.Close()
	t.Cleanup(func() { w.Close() })
	return p, w
}

func heard(text string) func(string) bool {
	return func(output string) bool { return strings.Contains(output, text) }
}

func TestProgram(t *testing.T) {
	p, in := talker(t)
	p.Await("ready", heard("ready"))
	fmt.Fprintln(in, "you")
	p.Await("heard you", heard("heard you"))
	in.Close()
	if got := p.Status(); got != 3 {
		t.Errorf("the status is %d, want 3", got)
	}
	p.Stop() // has nothing to do
}

func TestProgramIsStopped(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals")
	}
	p, _ := talker(t)
	p.Await("ready", heard("ready"))
	p.Stop()
	if got := p.Status(); got != -1 {
		t.Errorf("the status is %d, want -1 for a signal", got)
	}
}

// Nothing of a program outlives the test, whose failure shows the output.
func TestProgramEndsWithTheTest(t *testing.T) {
	var p *Program
	got := try(t, func(t testing.TB) {
		p, _ = talker(t)
		p.Await("ready", heard("ready"))
	})
	if len(got) > 0 {
		t.Errorf("the failures are %q, want none", got)
	}
	select {
	case <-p.Exited():
	default:
		t.Error("the program runs still")
	}
}

func TestProgramThatEndsTooEarly(t *testing.T) {
	got := try(t, func(t testing.TB) {
		Start(t, self(t, "fail")).Await("a greeting", heard("hello"))
	})
	if len(got) != 1 || !strings.Contains(got[0], "ended without printing a greeting") {
		t.Errorf("the failures are %q, want one", got)
	}
}

func TestRun(t *testing.T) {
	if got, want := Run(t, self(t, "fail")), (Result{4, "out\n", "error\n"}); got != want {
		t.Errorf("the result is %+v, want %+v", got, want)
	}
	failures := try(t, func(t testing.TB) {
		if got := Run(t, exec.Command(filepath.Join(os.TempDir(), "no such program"))); got.Code != -1 {
			t.Errorf("the result is %+v, want the code -1", got)
		}
	})
	if len(failures) != 1 || !strings.Contains(failures[0], "no such program") {
		t.Errorf("the failures are %q, want one about the program", failures)
	}
}

func TestBuild(t *testing.T) {
	const greeter = "./testdata/greeter"
	first := Build(t, greeter)
	if again := Build(t, greeter); again != first {
		t.Errorf("built again, in %s and %s", first, again)
	}
	other := Build(t, "-ldflags=-X main.greeting=goodbye", greeter)
	for dir, want := range map[string]string{first: "hello\n", other: "goodbye\n"} {
		if got := Run(t, exec.Command(filepath.Join(dir, "greeter"))); got.Out != want {
			t.Errorf("the program says %q, want %q", got.Out, want)
		}
	}
	got := try(t, func(t testing.TB) { Build(t, "./testdata/none") })
	if len(got) != 1 || !strings.Contains(got[0], "testdata/none") {
		t.Errorf("the failures are %q, want one about the package", got)
	}
	removeBuilds()
	if _, err := os.Stat(first); !os.IsNotExist(err) {
		t.Errorf("Stat of a build that was removed: %v", err)
	}
}
