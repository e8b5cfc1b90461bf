package examples

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what should happen soon.
const patience = 10 * time.Second

// programs is the folder with the built examples.
var programs string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

// buildAndRun builds all examples once, with the race detector if the tests have it.
func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "examples")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	args := []string{"build", "-o", dir + string(filepath.Separator)}
	if raceEnabled {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "./...")...)
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "cannot build the examples:", err)
		return 1
	}
	programs = dir
	return m.Run()
}

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
	t      *testing.T
	cmd    *exec.Cmd
	output output
	exited chan struct{} // closed when the process is gone
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
	p := &process{t: t, cmd: exec.Command(filepath.Join(programs, program), args...), exited: make(chan struct{})}
	// A program with the race detector waits a second before it exits, if not told otherwise.
	p.cmd.Env = append(os.Environ(), "WORKERMAN_ENGINE="+engine, "GORACE=atexit_sleep_ms=0",
		"WORKERMAN_PID_FILE="+filepath.Join(t.TempDir(), program+".pid")) // the same program runs in other tests, too
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	return p
}

// run starts the process.
func (p *process) run() {
	t := p.t
	t.Helper()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.exited
		text := p.output.String()
		if strings.Contains(text, "DATA RACE") || strings.Contains(text, "panic") {
			t.Error("the process has a race or a panic")
		}
		if t.Failed() {
			t.Logf("output of %s:\n%s", filepath.Base(p.cmd.Path), text)
		}
	})
}

// listening matches the log line of a worker that has started.
var listening = regexp.MustCompile(`worker started (?:worker=\S+ )?listen=\w[\w+]*://(\S+) .*\n`)

// addresses waits until n workers have started and returns where they listen, in order.
func (p *process) addresses(n int) []string {
	p.t.Helper()
	var found [][]string
	p.until(fmt.Sprintf("%d workers", n), func(text string) bool {
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
	p.until(fmt.Sprintf("%q", text), func(all string) bool { return strings.Contains(all, text) })
}

// until waits until the output is as wanted.
func (p *process) until(what string, wanted func(text string) bool) {
	p.t.Helper()
	limit := time.After(patience)
	for {
		text, changed := p.output.watch()
		if wanted(text) {
			return
		}
		select {
		case <-changed:
		case <-p.exited:
			if wanted(p.output.String()) {
				return
			}
			p.t.Fatalf("the process ended without printing %s", what)
		case <-limit:
			p.t.Fatalf("the process did not print %s", what)
		}
	}
}

// signal sends a signal.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// status waits for the end of the process.
func (p *process) status() int {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.t.Fatal("the process does not end")
	}
	return p.cmd.ProcessState.ExitCode()
}

// endsWell asks the process to stop and expects that it does so in good order.
func (p *process) endsWell(s syscall.Signal) {
	p.t.Helper()
	p.signal(s)
	if status := p.status(); status != 0 {
		p.t.Errorf("exit status %d after %v, want 0", status, s)
	}
}

// refuses expects that the process does not start, with one line that holds all words.
func (p *process) refuses(words ...string) {
	p.t.Helper()
	if status := p.status(); status != 1 {
		p.t.Errorf("exit status %d, want 1", status)
	}
	text := p.output.String()
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

// output collects what a process prints, and tells who waits for it.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed at the next Write
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
	return o.text.Write(b)
}

// watch returns the output so far and a channel that is closed when there is more.
func (o *output) watch() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	return o.text.String(), o.changed
}

func (o *output) String() string {
	text, _ := o.watch()
	return text
}
