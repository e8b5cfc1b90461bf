package house

import (
	"cmp"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// families are the files of the root, from top to bottom: a family may use those below it. conn_*
// stands for conn.go, too. A family is called by its first word.
var families = []string{
	"doc.go",
	"master_* status_*",
	"client_*",
	"websocket_*",
	"http_*",
	"group.go timer.go context.go async.go eventloop_*",
	"worker_* tls.go",
	"conn_*",
	"protocol.go address.go callbacks.go errors.go",
}

// climbs are the pairs of families of which the lower one may use the higher one, and why.
var climbs = []struct{ from, to, reason string }{
	{"client_*", "master_*", "a client is one of its Master, whose loops, resolver and logger it uses"},
	{"group.go", "master_*", "timers and descriptors outside of workers are on a loop of the Master"},
	{"worker_*", "master_*", "a worker is one of its Master, whose loops, sockets and logger it uses"},
	{"http_*", "master_*", "requests that wait for a handler learn that the process stops"},
	{"conn_*", "master_*", "the Master counts panics, and knows whether it stops and where to move to"},
	{"conn_*", "client_*", "a connection tells whose it is, and that it has gone; a dialog says how clients open it"},
	{"conn_*", "worker_*", "a connection tells whose it is, and that it has come or gone"},
	{"conn_*", "websocket_*", "the table of dialogs, and their settings"},
	{"conn_*", "http_*", "the table of dialogs, and their settings"},
	{"conn_*", "group.go", "a connection has groups, timers and a context, and leaves them at its end"},
	{"websocket_*", "client_*", "the dialog says how clients open it"},
	{"http_*", "websocket_*", "the handshake takes the requests that are for it"},
	{"worker_*", "http_*", "what a worker keeps for HTTP on each loop"},
	{"protocol.go", "conn_*", "callbacks and protocols are given a Conn; addresses name dialogs"},
}

// familyOf is the place of a file's family from the top, and how many families claim the file.
func familyOf(file string) (place, claims int) {
	for i, family := range families {
		for _, word := range strings.Fields(family) {
			prefix, open := strings.CutSuffix(word, "_*")
			if file == word || open && (file == prefix+".go" || strings.HasPrefix(file, prefix+"_")) {
				place, claims = i, claims+1
			}
		}
	}
	return place, claims
}

// nameOf is the name of the family at a place.
func nameOf(place int) string { return strings.Fields(families[place])[0] }

// use is the first place in a file that uses something that another file declares.
type use struct {
	from, to string
	line     int
	object   string
}

// rootFiles are the files of the package in a folder that Linux builds, and how they use each
// other: at most one use from one file to another.
func rootFiles(t *testing.T, folder string) (names []string, uses []use) {
	t.Helper()
	list := exec.Command("go", "list", "-export", "-deps", "-f", `{{.ImportPath}}={{.Export}}={{join .GoFiles " "}}`, ".")
	list.Dir, list.Stderr = folder, os.Stderr
	list.Env = append(os.Environ(), "GOOS=linux")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	export := make(map[string]string)
	var pkg []string // the last one is that of the folder
	for line := range strings.Lines(string(out)) {
		pkg = strings.Split(strings.TrimSpace(line), "=")
		export[pkg[0]] = pkg[1]
	}
	names = strings.Fields(pkg[2])
	fset, files := token.NewFileSet(), make([]*ast.File, len(names))
	for i, name := range names {
		files[i], err = parser.ParseFile(fset, filepath.Join(folder, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
	}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(export[path])
	})}
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	if _, err = config.Check(pkg[0], fset, files, info); err != nil {
		t.Fatal(err)
	}
	return names, usesOf(fset, info, pkg[0])
}

// usesOf lists the uses between files of a package. Names of packages are none.
func usesOf(fset *token.FileSet, info *types.Info, pkg string) (uses []use) {
	for ident, object := range info.Uses {
		if object.Pkg() == nil || object.Pkg().Path() != pkg {
			continue
		}
		at, declared := fset.Position(ident.Pos()), fset.Position(object.Pos())
		u := use{filepath.Base(at.Filename), filepath.Base(declared.Filename), at.Line, object.Name()}
		if u.from != u.to {
			uses = append(uses, u)
		}
	}
	slices.SortFunc(uses, func(a, b use) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), a.line-b.line, cmp.Compare(a.object, b.object))
	})
	return slices.CompactFunc(uses, func(a, b use) bool { return a.from == b.from && a.to == b.to })
}

// mutual is how many pairs of files use each other.
func mutual(uses []use) (n int) {
	for _, u := range uses {
		if u.from < u.to && slices.ContainsFunc(uses, func(v use) bool { return v.from == u.to && v.to == u.from }) {
			n++
		}
	}
	return n
}

// upward returns the uses of a higher family, and counts the pairs of families that use each other
// in any direction.
func upward(uses []use) (climbing []use, pairs int) {
	seen := make(map[[2]int]bool)
	for _, u := range uses {
		from, _ := familyOf(u.from)
		to, _ := familyOf(u.to)
		if from == to {
			continue
		}
		seen[[2]int{from, to}] = true
		if from > to {
			climbing = append(climbing, u)
		}
	}
	return climbing, len(seen)
}

// climbOf is the entry of climbs that allows a use, -1 if there is none.
func climbOf(u use) int {
	from, _ := familyOf(u.from)
	to, _ := familyOf(u.to)
	for i, climb := range climbs {
		if climb.from == nameOf(from) && climb.to == nameOf(to) {
			return i
		}
	}
	return -1
}

// With HOUSE_ROOT set to the folder of another tree, the test only logs its figures.
func TestCallsInTheRootGoDown(t *testing.T) {
	folder := cmp.Or(os.Getenv("HOUSE_ROOT"), root)
	names, uses := rootFiles(t, folder)
	t.Logf("%d files, %d arrows between files, %d pairs of files that use each other", len(names), len(uses), mutual(uses))
	if folder != root {
		return
	}
	climbing, pairs := upward(uses)
	needed := make(map[int]bool)
	for _, u := range climbing {
		i := climbOf(u)
		needed[i] = true
		if i < 0 {
			from, _ := familyOf(u.from)
			to, _ := familyOf(u.to)
			t.Errorf("%s:%d uses %s of %s: got an arrow up from %s to %s, which is not in the table",
				u.from, u.line, u.object, u.to, nameOf(from), nameOf(to))
		}
	}
	delete(needed, -1)
	for i, climb := range climbs {
		if !needed[i] {
			t.Errorf("no file of %s uses one of %s now: take the pair off the table", climb.from, climb.to)
		}
	}
	t.Logf("%d arrows between families, %d of them up, which are %d arrows between files", pairs, len(needed), len(climbing))
}

func TestEveryFileOfTheRootHasAFamily(t *testing.T) {
	for _, file := range goFiles(t) {
		if file.pkg() != "workerman" || file.test() {
			continue
		}
		if _, claims := familyOf(file.name); claims != 1 {
			t.Errorf("%s: got %d families, want one", file.name, claims)
		}
	}
}

// The guide has the families in this order, and the pairs of the other table.
func TestTheGuideShowsTheFamilies(t *testing.T) {
	_, text, _ := strings.Cut(read(t, guide), "## The root, by family")
	text, _, _ = strings.Cut(text, "\n## ")
	var shown, pairs, want []string
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		switch {
		case len(cells) < 4 || !strings.HasPrefix(cells[1], " `"):
		case len(cells) == 4:
			shown = append(shown, strings.NewReplacer("`", "", ",", "").Replace(strings.TrimSpace(cells[1])))
		default:
			pairs = append(pairs, strings.ReplaceAll(strings.TrimSpace(cells[1])+" "+strings.TrimSpace(cells[2]), "`", ""))
		}
	}
	for _, climb := range climbs {
		want = append(want, climb.from+" "+climb.to)
	}
	if !slices.Equal(shown, families) {
		t.Errorf("got the families %q, want %q", shown, families)
	}
	if !slices.Equal(pairs, want) {
		t.Errorf("got the pairs %q, want %q", pairs, want)
	}
}

func TestUsesThatGoUpAreFound(t *testing.T) {
	uses := []use{{"conn.go", "master.go", 1, "Master"}, {"conn.go", "errors.go", 2, "ErrClosed"},
		{"errors.go", "tls.go", 3, "ServerTLS"}, {"master_run.go", "conn.go", 4, "Conn"}, {"conn.go", "conn_send.go", 5, "Send"}}
	climbing, pairs := upward(uses)
	if want := []use{uses[0], uses[2]}; !slices.Equal(climbing, want) || pairs != 4 {
		t.Errorf("got %v and %d pairs, want %v and 4", climbing, pairs, want)
	}
	if climbOf(uses[0]) < 0 || climbOf(uses[2]) >= 0 {
		t.Errorf("got %d and %d, want an entry for conn.go to master.go alone", climbOf(uses[0]), climbOf(uses[2]))
	}
	if got := mutual(append(uses, use{"master.go", "conn.go", 6, "Conn"})); got != 1 {
		t.Errorf("got %d pairs of files that use each other, want 1", got)
	}
	if _, claims := familyOf("utils.go"); claims != 0 {
		t.Errorf("got %d families for utils.go, want none", claims)
	}
}
