package examples

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/workerman-go/workerman/internal/testkit"
)

// patience is how long a test waits for what should happen soon.
var patience = testkit.Patience

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }

// onEveryEngine runs a test once with each engine that the system has.
func onEveryEngine(t *testing.T, test func(t *testing.T, engine string)) {
	t.Parallel()
	engines := []string{"portable"}
	if runtime.GOOS == "linux" {
		engines = []string{"native", "portable"}
	}
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			test(t, engine)
		})
	}
}

// process is a running example.
type process struct {
	*testkit.Program
	t   *testing.T
	cmd *exec.Cmd
}

// start runs an example, which the end of the test kills if it still runs then.
func start(t *testing.T, engine, program string, args ...string) *process {
	t.Helper()
	p := prepare(t, engine, program, args...)
	p.run()
	return p
}

// prepare is a process before its start.
func prepare(t *testing.T, engine, program string, args ...string) *process {
	t.Helper()
	programs := testkit.Build(t, "./...") // all at once, for all tests
	p := &process{t: t, cmd: exec.Command(filepath.Join(programs, program), args...)}
	p.cmd.Env = testkit.Environment("WORKERMAN_ENGINE="+engine,
		"WORKERMAN_PID_FILE="+filepath.Join(t.TempDir(), program+".pid")) // the same program runs in other tests, too
	return p
}

// run starts the process.
func (p *process) run() {
	p.t.Helper()
	p.Program = testkit.Start(p.t, p.cmd)
	p.t.Cleanup(func() {
		p.Kill()
		if text := p.Output.String(); strings.Contains(text, "DATA RACE") || strings.Contains(text, "panic") {
			p.t.Error("the process has a race or a panic")
		}
	})
}

// listening matches the log line of a worker that has started.
var listening = regexp.MustCompile(`worker started (?:worker=\S+ )?listen=\w[\w+]*://(\S+) .*\n`)

// addresses waits until n workers have started and returns where they listen, in order.
func (p *process) addresses(n int) []string {
	p.t.Helper()
	var found [][]string
	p.Await(fmt.Sprintf("%d workers", n), func(text string) bool {
		found = listening.FindAllStringSubmatch(text, -1)
		return len(found) >= n
	})
	list := make([]string, n)
	for i := range list {
		list[i] = found[i][1]
	}
	return list
}

// address is the only worker's.
func (p *process) address() string {
	p.t.Helper()
	return p.addresses(1)[0]
}

// says waits until the process has printed something.
func (p *process) says(text string) {
	p.t.Helper()
	p.Await(fmt.Sprintf("%q", text), func(all string) bool { return strings.Contains(all, text) })
}

// endsWell asks the process to stop and expects that it does so in good order.
func (p *process) endsWell(s syscall.Signal) {
	p.t.Helper()
	p.Signal(s)
	if status := p.Status(); status != 0 {
		p.t.Errorf("exit status %d after %v, want 0", status, s)
	}
}

// refuses expects that the process does not start, with one line that holds all words.
func (p *process) refuses(words ...string) {
	p.t.Helper()
	if status := p.Status(); status != 1 {
		p.t.Errorf("exit status %d, want 1", status)
	}
	text := p.Output.String()
	if strings.Count(text, "\n") != 1 {
		p.t.Errorf("printed %q, want one line", text)
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			p.t.Errorf("printed %q, want it to hold %q", text, word)
		}
	}
}

// writeFile makes a file in a directory of the test and returns its path.
func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
