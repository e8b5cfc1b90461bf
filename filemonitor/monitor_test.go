package filemonitor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

var limit = 3 * testkit.Patience // of builds, each of which may take longer than other things

const mainGo = `package main

import (
	_ "embed"
	"fmt"
)

//go:embed text.txt
var text string

func main() { fmt.Print("ONE", text) }
`

// project is a small module with a program that a monitor looks after.
type project struct {
	t       *testing.T
	dir     string
	program string
	reloads chan struct{}
	refuse  error // of the reload
	told    *told
}

// told collects what a monitor says.
type told struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func (o *told) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	select {
	case o.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (o *told) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func newProject(t *testing.T) *project {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t: t, dir: dir, program: filepath.Join(dir, "bin", "program"),
		reloads: make(chan struct{}, 100), told: &told{more: make(chan struct{}, 1)}}
	p.write("go.mod", "module example.com/program\n\ngo 1.26\n")
	p.write("main.go", mainGo)
	p.write("text.txt", "\n")
	p.write("views/index.html", "<p>")
	p.write("node_modules/x.go", "nonsense")
	return p
}

func (p *project) write(name, text string) {
	p.t.Helper()
	file := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// save writes as editors do: a copy that is renamed.
func (p *project) save(name, text string) {
	p.t.Helper()
	p.write(name+"~", text)
	file := filepath.Join(p.dir, name)
	if err := os.Rename(file+"~", file); err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) options() Options {
	return Options{Dir: p.dir, Package: ".", Files: []string{"*.html"}, Quiet: 20 * time.Millisecond, Output: p.told, program: p.program}
}

func (p *project) reload() error {
	if p.refuse != nil {
		return p.refuse
	}
	p.reloads <- struct{}{}
	return nil
}

// watch runs a monitor until the end of the test.
func (p *project) watch(prepare func(*monitor)) {
	p.t.Helper()
	m, err := newMonitor(p.options(), p.reload)
	if err != nil {
		p.t.Fatal(err)
	}
	if m.builder != nil {
		m.builder.flags = nil // those of the test
	}
	if prepare != nil {
		prepare(m)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); m.run(ctx) }()
	p.t.Cleanup(func() { cancel(); <-done })
}

func (p *project) waitReload() {
	p.t.Helper()
	select {
	case <-p.reloads:
	case <-time.After(limit):
		p.t.Fatalf("no reload; told was\n%s", p.told)
	}
}

// waitTold waits until something is told, and forgets all until then.
func (p *project) waitTold(what string) string {
	p.t.Helper()
	end := time.After(limit)
	for {
		p.told.mu.Lock()
		text := p.told.text.String()
		if strings.Contains(text, what) {
			p.told.text.Reset()
			p.told.mu.Unlock()
			return text
		}
		p.told.mu.Unlock()
		select {
		case <-p.told.more:
		case <-end:
			p.t.Fatalf("%q is not told, but\n%s", what, text)
		}
	}
}

func (p *project) prints(want string) {
	p.t.Helper()
	out, err := exec.Command(p.program).CombinedOutput()
	if string(out) != want || err != nil {
		p.t.Fatalf("the program prints %q, %v, want %q", out, err, want)
	}
}

func TestDevelopment(t *testing.T) {
	p := newProject(t)
	p.watch(nil)

	p.save("main.go", strings.Replace(mainGo, "ONE", "TWO", 1))
	p.waitReload()
	p.prints("TWO\n")
	p.waitTold("reloading")

	p.write("main.go", strings.Replace(mainGo, "Print(", "Prnt(", 1))
	text := p.waitTold("DOES NOT COMPILE")
	if !strings.Contains(text, "main.go:11:19: undefined: fmt.Prnt") {
		t.Errorf("told was\n%s", text)
	}
	p.prints("TWO\n")

	p.write("main.go", strings.Replace(mainGo, "ONE", "THREE", 1))
	p.waitTold("mended, built")
	p.waitReload()
	p.prints("THREE\n")

	p.write("main.go", strings.Replace(mainGo, "ONE", "THREE", 1)) // saved as it was
	p.waitTold("the same program")

	p.write("views/index.html", "<h1>")
	p.waitTold(filepath.Join("views", "index.html") + " changed, reloading")
	p.waitReload()

	p.write("text.txt", "!\n")
	p.waitReload()
	p.prints("THREE!\n")
	p.waitTold("reloading")

	// A new folder, whose files may come before anybody watches it.
	p.write("greet/deep/greet.go", "package deep\n\nconst Text = \"FOUR\"\n")
	p.waitTold("greet.go changed")
	p.waitTold("the same program")
	p.write("main.go", strings.NewReplacer(`"fmt"`, "\"fmt\"\n\t\"example.com/program/greet/deep\"", `"ONE"`, "deep.Text").Replace(mainGo))
	p.waitReload()
	p.prints("FOUR!\n")
	p.write("greet/deep/greet.go", "package deep\n\nconst Text = \"FIVE\"\n")
	p.waitReload()
	p.prints("FIVE!\n")

	for _, name := range []string{"node_modules/x.go", "views/.index.html.swp", "main_test.go", "bin/data.txt"} {
		p.write(name, "x")
	}
	p.write("views/index.html", "<h2>")
	text = p.waitTold("index.html changed, reloading")
	for _, not := range []string{"x.go", ".swp", "main_test", "data.txt"} {
		if strings.Contains(text, not) {
			t.Errorf("told was\n%s", text)
		}
	}
	p.waitReload()
	if left, _ := filepath.Glob(filepath.Join(p.dir, "bin", ".*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// What a reload could not take up is not forgotten.
func TestReloadThatFails(t *testing.T) {
	p := newProject(t)
	p.refuse = errors.New("not running")
	p.watch(nil)
	p.write("main.go", strings.Replace(mainGo, "ONE", "TWO", 1))
	p.waitTold("cannot reload: not running")
	p.prints("TWO\n")
	p.write("main.go", strings.Replace(mainGo, "ONE", "TWO", 1))
	p.waitTold("cannot reload: not running") // though the program is the same
}

// A change during a build ends it, with all that it has started, and what it was for is built
// by the next one.
func TestChangeDuringABuild(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	p := newProject(t)
	// A go command that hangs the first time, with a child. That it does is the change, of a file
	// that by itself needs no build.
	script := filepath.Join(t.TempDir(), "go")
	text := fmt.Sprintf(`#!%s
[ "$1" = build ] || exit 0
if [ -e hangs.html ]; then echo "built" > "$3"; exit; fi
sleep 1000 &
echo $! > hangs.next && mv hangs.next hangs.html
wait
`, sh)
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(p.program), 0o755); err != nil {
		t.Fatal(err)
	}
	p.watch(func(m *monitor) { m.builder.goCommand = script })
	p.write("main.go", "package main")
	p.waitTold("main.go changed, building")
	p.waitTold("hangs.html changed, building")
	p.waitReload()
	if b, err := os.ReadFile(p.program); string(b) != "built\n" || err != nil {
		t.Errorf("the program is %q, %v", b, err)
	}
	pid, err := os.ReadFile(filepath.Join(p.dir, "hangs.html"))
	if err != nil {
		t.Fatal(err)
	}
	waitDead(t, strings.TrimSpace(string(pid)))
}

// waitDead waits for the end of a process that nobody may have reaped yet.
func waitDead(t *testing.T, pid string) {
	t.Helper()
	testkit.Eventually(t, "the compiler ends", func() bool {
		stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
		return err != nil || strings.Contains(string(stat), ") Z ")
	})
}

func TestMonitorsThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, test := range []struct {
		o    Options
		want string
	}{
		{Options{}, "set Options.Dir"},
		{Options{Dir: dir, Files: []string{"["}}, `pattern "["`},
		{Options{Dir: filepath.Join(dir, "missing")}, "cannot watch"},
		{Options{Dir: dir, Dirs: []string{"missing"}}, "cannot watch"},
	} {
		if _, err := newMonitor(test.o, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v", test.o, err)
		}
	}
	t.Setenv("PATH", dir)
	t.Setenv("GOROOT", dir)
	if _, err := os.Stat("/usr/local/go/bin/go"); err == nil {
		if name, err := goCommand(); name != "/usr/local/go/bin/go" || err != nil {
			t.Errorf("%q, %v", name, err)
		}
	} else if _, err := newMonitor(Options{Dir: dir}, nil); err == nil || !strings.Contains(err.Error(), "PATH") {
		t.Error(err)
	}
}

func TestDefaults(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "cmd", "app"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(dir, "cmd", "app"))
	o, err := Options{}.resolve()
	if err != nil {
		t.Fatal(err)
	}
	if o.Dir != dir || len(o.Dirs) != 1 || o.Dirs[0] != dir || o.Quiet != DefaultQuiet || o.Output != os.Stderr || o.program == "" {
		t.Errorf("%+v", o)
	}
}
