package examples

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/workerman-go/workerman/internal/testkit"
)

// hello is the program with another address, as if its file said that: with a port that is free.
// The first program of all has no flag for it.
func hello(t *testing.T) string {
	t.Helper()
	const fixed = "websocket://0.0.0.0:2346"
	file, err := filepath.Abs("hello/main.go")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), fixed); n != 1 {
		t.Fatalf("got %s %d times in the program, want it once", fixed, n)
	}
	other := writeFile(t, "main.go", []byte(strings.ReplaceAll(string(source), fixed, "websocket://"+anyPort)))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{file: other}})
	if err != nil {
		t.Fatal(err)
	}
	name := "hello-of-" + t.Name()
	args := []string{"build", "-overlay", writeFile(t, "overlay.json", overlay), "-o", filepath.Join(testkit.Build(t, "./..."), name)}
	if testkit.Race {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "./hello")...).CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	return name
}

func TestHello(t *testing.T) {
	program := hello(t)
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, program)
		address := p.address()
		a, b := openSocket(t, address, "/"), openSocket(t, address, "/")
		a.says("hello")
		a.hears("hello")
		b.hears("hello")
		b.says("hi")
		a.hears("hi")
		b.hears("hi")
		p.endsWell(syscall.SIGTERM)
	})
}
