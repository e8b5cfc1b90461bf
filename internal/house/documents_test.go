package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// guide is the document that tells where everything is.
const guide = "docs/architecture.md"

// shortened are the folders that the guide leaves out in the name of a file.
var shortened = []string{"", "internal/"}

// foreign are names of the standard library.
var foreign = []string{"tls.Conn", "net.Conn", "debug.SetCrashOutput", "os.Args"}

// guides are the guide, its further pages and what contributors read.
func guides(t *testing.T) (names []string) {
	t.Helper()
	names, err := filepath.Glob(root + "docs/internals/*.md")
	if err != nil || len(names) < 5 {
		t.Fatalf("got the pages %q, %v, want those of docs/internals", names, err)
	}
	for i := range names {
		names[i] = strings.TrimPrefix(filepath.ToSlash(names[i]), root)
	}
	return append(names, guide, "CONTRIBUTING.md")
}

// read returns a document.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(root + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	fileName   = regexp.MustCompile(`[\w./]*\w\.go\b`)
	quoted     = regexp.MustCompile("`([^`\n]+)`")
	identifier = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)*$`)
	camelCase  = regexp.MustCompile(`[a-z][A-Z]`)
)

// noFile lists the names of Go files in a document of which there is none.
func noFile(text string, files []goFile) (list []string) {
	for _, name := range fileName.FindAllString(text, -1) {
		exists := slices.ContainsFunc(files, func(f goFile) bool {
			return slices.ContainsFunc(shortened, func(folder string) bool { return f.name == folder+name })
		})
		if !exists && !strings.HasPrefix(name, "/") {
			list = append(list, name)
		}
	}
	return list
}

// source is what the Go files declare.
type source struct {
	names   map[string]bool            // whatever is declared on the level of a package, methods and fields too
	members map[string]map[string]bool // what stands behind the dot of a type or a package
	embeds  map[string][]string        // the types that a type embeds
}

// aside reports whether a file only uses the library, or tests it: names are its own business.
func aside(file goFile) bool {
	folders := []string{"internal/testkit/workertest"}
	for _, entry := range outside {
		folders = append(folders, strings.Fields(entry.from)...)
	}
	return file.test() || slices.ContainsFunc(folders, func(folder string) bool { return within(file.pkg(), folder) })
}

// declared reads the declarations of the library's files.
func declared(t *testing.T, files []goFile) *source {
	t.Helper()
	s := &source{names: make(map[string]bool), members: make(map[string]map[string]bool), embeds: make(map[string][]string)}
	for _, file := range files {
		if aside(file) {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file.name, file.text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		s.names[parsed.Name.Name] = true
		s.read(parsed)
	}
	return s
}

func (s *source) note(name string, owners ...string) {
	s.names[name] = true
	for _, owner := range owners {
		if s.members[owner] == nil {
			s.members[owner] = make(map[string]bool)
		}
		s.members[owner][name] = true
	}
}

func (s *source) read(file *ast.File) {
	pkg := file.Name.Name
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				s.note(d.Name.Name, pkg)
			} else {
				s.note(d.Name.Name, typeName(d.Recv.List[0].Type))
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					s.note(spec.Name.Name, pkg)
					s.readType(spec.Name.Name, spec.Type)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						s.note(name.Name, pkg)
					}
				}
			}
		}
	}
}

// readType notes the fields of a struct and the methods of an interface.
func (s *source) readType(owner string, expr ast.Expr) {
	var fields *ast.FieldList
	switch t := expr.(type) {
	case *ast.StructType:
		fields = t.Fields
	case *ast.InterfaceType:
		fields = t.Methods
	default:
		return
	}
	for _, field := range fields.List {
		if len(field.Names) == 0 {
			s.embeds[owner] = append(s.embeds[owner], typeName(field.Type))
		}
		for _, name := range field.Names {
			s.note(name.Name, owner)
		}
	}
}

// typeName is the name of a type without its package, its pointer and its parameters.
func typeName(expr ast.Expr) string {
	switch t := expr.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.StarExpr:
		return typeName(t.X)
	case *ast.SelectorExpr:
		return t.Sel.Name
	case *ast.IndexExpr:
		return typeName(t.X)
	}
	return ""
}

// has reports whether a name exists: alone, or behind a type or a package.
func (s *source) has(name string) bool {
	parts := strings.Split(name, ".")
	for i := 1; i < len(parts); i++ {
		if !s.hasMember(parts[i-1], parts[i], 0) {
			return false
		}
	}
	return s.names[parts[0]]
}

func (s *source) hasMember(owner, name string, depth int) bool {
	return s.members[owner][name] || depth < 3 && slices.ContainsFunc(s.embeds[owner], func(embedded string) bool {
		return s.hasMember(embedded, name, depth+1)
	})
}

// noName lists the words in the style of code in a document that look as if they named something
// in the source but do not: with a dot, or in camel case.
func noName(text string, s *source) (list []string) {
	for _, match := range quoted.FindAllStringSubmatch(text, -1) {
		name := match[1]
		looks := identifier.MatchString(name) && (strings.Contains(name, ".") || camelCase.MatchString(name))
		if !looks || strings.HasSuffix(name, ".go") || strings.HasSuffix(name, ".md") || slices.Contains(foreign, name) {
			continue
		}
		if !s.has(name) {
			list = append(list, name)
		}
	}
	return list
}

func TestGuidesNameWhatExists(t *testing.T) {
	files := goFiles(t)
	s := declared(t, files)
	for _, name := range guides(t) {
		text := read(t, name)
		for _, file := range noFile(text, files) {
			t.Errorf("%s names the file %s, of which there is none", name, file)
		}
		for _, word := range noName(text, s) {
			t.Errorf("%s names %s, which nothing declares", name, word)
		}
	}
}

// Manuals speak of other things as well, as the names of Workerman for PHP. But what stands behind
// a type of the library, as in Worker.Count, exists.
func TestManualsNameWhatExists(t *testing.T) {
	s := declared(t, goFiles(t))
	names, err := filepath.Glob(root + "docs/*.md")
	if err != nil || len(names) < 10 {
		t.Fatalf("got the pages %q, %v, want those of docs", names, err)
	}
	for _, path := range append(names, root+"README.md") {
		name := strings.TrimPrefix(filepath.ToSlash(path), root)
		for _, match := range quoted.FindAllStringSubmatch(read(t, name), -1) {
			owner, _, found := strings.Cut(match[1], ".")
			exported := found && identifier.MatchString(match[1]) && ast.IsExported(owner)
			if exported && s.members[owner] != nil && !s.has(match[1]) {
				t.Errorf("%s names %s, which nothing declares", name, match[1])
			}
		}
	}
}

func TestWrongNamesInGuidesAreFound(t *testing.T) {
	files := []goFile{
		{"conn.go", "package workerman\ntype Conn struct{ stream Stream; rareState }\nfunc (c *Conn) Send() {}\n"},
		{"internal/loop/burst.go", "package loop\ntype Stream struct{}\nfunc (s *Stream) endBurst() {}\ntype rareState struct{ uid string }\n"},
	}
	text := "`conn.go`, `loop/burst.go`, docs/conn.go and burst.go, `/src/main.go`\n" +
		"`Conn.Send` `Conn.uid` `loop.Stream.endBurst` `endBurst` `epoll_wait` `go`\n" +
		"`Conn.Shout` `Stream.Send` `Loop.Send` `endTurn` `crypto/tls`\n"
	got := noFile(text, files)
	if want := []string{"docs/conn.go", "burst.go"}; !slices.Equal(got, want) {
		t.Errorf("got the files %q, want %q", got, want)
	}
	got = noName(text, declared(t, files))
	if want := []string{"Conn.Shout", "Stream.Send", "Loop.Send", "endTurn"}; !slices.Equal(got, want) {
		t.Errorf("got the names %q, want %q", got, want)
	}
}

// drawnArrows reads the guide's table of packages: what each may import, as the column says.
func drawnArrows(text string) map[string][]string {
	drawn := make(map[string][]string)
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 6 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		var imports []string
		for _, match := range quoted.FindAllStringSubmatch(cells[3], -1) {
			imports = append(imports, match[1])
		}
		for _, match := range quoted.FindAllStringSubmatch(cells[1], -1) {
			drawn[match[1]] = imports
		}
	}
	return drawn
}

// The guide's table of packages is the table that the arrows are checked by. The root's row says
// "all", and packages below others, as session/redis, are left to that table.
func TestTheGuideShowsTheArrows(t *testing.T) {
	drawn := drawnArrows(read(t, guide))
	for _, arrow := range arrows {
		for _, pkg := range strings.Fields(arrow.from) {
			got, shown := drawn[pkg]
			delete(drawn, pkg)
			inner := strings.TrimPrefix(pkg, "internal/")
			switch want := strings.Fields(arrow.to); {
			case !shown && !strings.Contains(inner, "/"):
				t.Errorf("got no row for %s, want one", pkg)
			case shown && pkg != "workerman" && !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))):
				t.Errorf("%s: got the imports %q, want %q", pkg, got, want)
			}
		}
	}
	for pkg := range drawn {
		t.Errorf("got a row for %s, which stands in no table of arrows", pkg)
	}
}
