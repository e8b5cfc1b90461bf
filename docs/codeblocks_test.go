// Package docs checks that the Go code of the documents compiles.
package docs

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/workerman-go/workerman"

// packages are what a block that is not a whole program may use without an import, by the
// name that the documents call them.
var packages = map[string]string{
	"workerman": module, "web": module + "/web", "websocket": module + "/websocket", "session": module + "/session",
	"context": "context", "errors": "errors", "fmt": "fmt", "io": "io", "json": "encoding/json", "log": "log", "net": "net",
	"crontab": module + "/crontab", "filemonitor": module + "/filemonitor", "netip": "net/netip", "http": "net/http", "os": "os", "slog": "log/slog", "strconv": "strconv", "strings": "strings",
	"httpclient": module + "/httpclient", "command": module + "/command", "bytes": "bytes", "exec": "os/exec", "multipart": "mime/multipart",
	"time": "time", "tls": "crypto/tls", "url": "net/url", "httputil": "net/http/httputil", "filepath": "path/filepath",
}

// names are what such a block may use without a declaration.
const names = `package block
import (
	"net/http"
	"` + module + `"
	"` + module + `/web"
	"` + module + `/httpclient"
	"` + module + `/session"
)
var (
	w       *workerman.Worker
	c, a, b *workerman.Conn
	r       *web.Request
	router  http.Handler
	sessions *session.Sessions
	api      httpclient.Client
	photo    []byte
)
type player struct{ Name string }
func remind(c *workerman.Conn) {}
func checkPassword(name, password string) (ok bool) { return }
func userOf(token string) (name string, ok bool) { return }
`

// block is a code block of a document.
type block struct {
	file string
	line int // of the first line of code
	code string
}

// blocks returns the Go code of a document.
func blocks(file, text string) (list []block) {
	var code *strings.Builder
	start := 0
	for i, line := range strings.Split(text, "\n") {
		switch {
		case code == nil && line == "```go":
			code, start = new(strings.Builder), i+2
		case code != nil && line == "```":
			list = append(list, block{file, start, code.String()})
			code = nil
		case code != nil:
			code.WriteString(line + "\n")
		}
	}
	return list
}

// checker checks blocks against the packages as they are now.
type checker struct {
	fset     *token.FileSet
	importer types.Importer
}

// newChecker asks the go command for what the compiler knows of the packages. It asks in the
// module of filemonitor, which needs the library's and so knows the packages of both.
func newChecker(t *testing.T) *checker {
	args := []string{"list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}"}
	list := exec.Command("go", append(args, slices.Sorted(maps.Values(packages))...)...)
	list.Dir, list.Stderr = "../filemonitor", os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	export := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		export[path] = file
	}
	fset := token.NewFileSet()
	return &checker{fset, importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if export[path] == "" {
			return nil, fmt.Errorf("the documents do not use %s", path)
		}
		return os.Open(export[path])
	})}
}

// check compiles a block: a whole program, declarations or statements.
func (k *checker) check(b block) error {
	line := fmt.Sprintf("\n//line %s:%d:1\n", b.file, b.line)
	if strings.HasPrefix(b.code, "package ") {
		return errors.Join(k.compile(line+b.code), formatted(b))
	}
	source := line + b.code
	file, err := parser.ParseFile(k.fset, "", "package block; "+source, 0)
	if err != nil {
		source = "func _() {" + source + "}"
		if file, err = parser.ParseFile(k.fset, "", "package block; "+source, 0); err != nil {
			return err
		}
	}
	return errors.Join(k.compile("package block; "+importsOf(file)+source, names), formatted(b))
}

// importsOf declares the packages that a file uses, in a single line.
func importsOf(file *ast.File) string {
	used := make(map[string]string)
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && packages[x.Name] != "" {
				used[x.Name] = packages[x.Name]
			}
		}
		return true
	})
	var line strings.Builder
	for _, name := range slices.Sorted(maps.Keys(used)) {
		fmt.Fprintf(&line, "import %s %q; ", name, used[name])
	}
	return line.String()
}

// compile reports all mistakes in a package of these sources.
func (k *checker) compile(sources ...string) error {
	var files []*ast.File
	for _, source := range sources {
		file, err := parser.ParseFile(k.fset, "", source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	var mistakes []error
	config := types.Config{Importer: k.importer, Error: func(err error) { mistakes = append(mistakes, err) }}
	config.Check("block", k.fset, files, nil)
	return errors.Join(mistakes...)
}

// formatted reports whether a block looks as gofmt would have it.
func formatted(b block) error {
	want, err := format.Source([]byte(b.code))
	if err != nil || bytes.Equal(want, []byte(b.code)) {
		return err
	}
	return fmt.Errorf("%s:%d: not formatted by gofmt, which makes it\n%s", b.file, b.line, want)
}

func TestCodeBlocksCompile(t *testing.T) {
	documents, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	k := newChecker(t)
	for _, path := range append(documents, "../README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		list := blocks(filepath.Clean(path), string(text))
		for _, b := range list {
			if err := k.check(b); err != nil {
				t.Error(err)
			}
		}
		if fences := strings.Count(string(text), "```go\n"); fences != len(list) {
			t.Errorf("%s: %d of %d blocks found", path, len(list), fences)
		}
		t.Logf("%s: %d blocks", path, len(list))
	}
}

func TestMistakesInCodeBlocksAreFound(t *testing.T) {
	k := newChecker(t)
	for _, test := range []struct{ code, want string }{
		{"c.Send([]byte(\"x\"))\n", ""},
		{"func greet() { c.Close() }\n", ""},
		{"package main\n\nfunc main() {}\n", ""},
		{"c.Close()\nc.Shout()\n", "test.md:8:3: c.Shout undefined"},
		{"x := 1\n", "test.md:7:1: declared and not used: x"},
		{"c.Send(\"x\")\n", "test.md:7:8: cannot use"},
		{"func greet() { c.Shout() }\n", "test.md:7:18: c.Shout undefined"},
		{"package main\n\nimport \"os\"\n\nfunc main() {}\n", "test.md:9:8: \"os\" imported and not used"},
		{"if c {\n", "test.md:8:"},
		{"c.Close( )\n", "not formatted"},
	} {
		list := blocks("test.md", "text\n```sh\nls\n```\n\n```go\n"+test.code+"```\n")
		if len(list) != 1 {
			t.Fatalf("%d blocks", len(list))
		}
		err := k.check(list[0])
		if test.want == "" {
			if err != nil {
				t.Errorf("%q: %v", test.code, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, want %s", test.code, err, test.want)
		}
	}
}
