package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// source reads an example.
func source(t *testing.T, example string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../examples", example, "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// excerpt reports whether code stands in a source, all of it indented alike.
func excerpt(code, source string) bool {
	want := strings.Split(strings.TrimSuffix(code, "\n"), "\n")
	lines := strings.Split(source, "\n")
	for i := range lines {
		if i+len(want) > len(lines) {
			break
		}
		indent, found := strings.CutSuffix(lines[i], want[0])
		if !found || strings.Trim(indent, "\t") != "" {
			continue
		}
		same := true
		for k, line := range want {
			if line != "" {
				line = indent + line
			}
			same = same && lines[i+k] == line
		}
		if same {
			return true
		}
	}
	return false
}

// What moves with a connection is easy to get wrong in a way that compiles. So a document shows
// nothing of it but lines of examples/handover, which the tests of the examples run through two
// reloads in a row.
func TestHandoverBlocksAreOfTheExample(t *testing.T) {
	example := source(t, "handover")
	documents, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := make(map[string]bool)
	for _, path := range append(documents, "../README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks(path, string(text)) {
			if !strings.Contains(b.code, "OnHandover") && !strings.Contains(b.code, "OnAdopt") {
				continue
			}
			shown[path] = true
			if !excerpt(b.code, example) {
				t.Errorf("%s:%d: got a block that is not in examples/handover/main.go:\n%s", path, b.line, b.code)
			}
		}
	}
	for _, path := range []string{"../README.md", "operation.md"} {
		if !shown[path] {
			t.Errorf("%s: got no block with OnHandover and OnAdopt, want one", path)
		}
	}
}

func TestTheFirstProgramIsAnExample(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	list := blocks("../README.md", string(text))
	if len(list) == 0 {
		t.Fatal("got no block of Go in the README")
	}
	_, program, _ := strings.Cut(source(t, "hello"), "\npackage main\n")
	if want := "package main\n" + program; list[0].code != want {
		t.Errorf("got the first program of the README\n%swant that of examples/hello\n%s", list[0].code, want)
	}
}

// The README's way to a first program, typed as it stands there. A replacement stands for what
// go get would fetch, and everything else comes from the cache of modules.
func TestTheWayToTheFirstProgram(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	library, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	_, typed, found := strings.Cut(string(text), "```sh\nmkdir chat && cd chat\ngo mod init example.com/chat\n")
	typed, _, _ = strings.Cut(typed, "```")
	if !found || !strings.Contains(typed, "go get ") {
		t.Fatalf("got %q, want mkdir, go mod init and go get at the beginning of a block of the README", typed)
	}
	script := "mkdir chat && cd chat\ngo mod init example.com/chat\n" +
		"go mod edit -replace " + module + "='" + library + "'\n" +
		typed + "cp ../main.go .\ngo build -o chat .\n"
	dir := t.TempDir()
	program := blocks("../README.md", string(text))[0].code
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("bash", "-e", "-c", script)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOPROXY=off", "GOSUMDB=off", "GOFLAGS=", "GOWORK=off")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "chat", "chat")); err != nil {
		t.Error(err)
	}
}

func TestExcerpts(t *testing.T) {
	const text = "func f() {\n\tif a {\n\t\tb()\n\n\t\tc()\n\t}\n}\n"
	for _, test := range []struct {
		code string
		want bool
	}{
		{"if a {\n\tb()\n\n\tc()\n}\n", true},
		{"b()\n\nc()\n", true},
		{text, true},
		{"c()\n", true},
		{"a {\n", false},                     // half a line
		{"if a {\n\tb()\n\tc()\n}\n", false}, // without the empty line
		{"if a {\nb()\n\nc()\n}\n", false},   // indented otherwise
		{"c()\n}\n}\n\nfunc g() {\n", false}, // longer than the source
		{"b()\n\nc()\n\tmore()\n", false},    // another end
	} {
		if got := excerpt(test.code, text); got != test.want {
			t.Errorf("%q: got %v, want %v", test.code, got, test.want)
		}
	}
}
