package house

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the project's folder.
const root = "../../"

// What a file and the root may have at most.
const (
	maxLines         = 500
	maxRootFiles     = 60 // Go files without tests
	maxRootTestFiles = 30
)

// longFiles are still longer than maxLines. The list may only get shorter.
var longFiles []string

// goFile is a file of Go source.
type goFile struct {
	name string // from the project's folder, with slashes
	text string
}

// test reports whether only tests use the file.
func (f goFile) test() bool { return strings.HasSuffix(f.name, "_test.go") }

// pkg is the folder of the file; that of the root is named as its package.
func (f goFile) pkg() string {
	if dir := path.Dir(f.name); dir != "." {
		return dir
	}
	return "workerman"
}

// lines are the lines of the file, without an empty one at its end.
func (f goFile) lines() []string {
	return strings.Split(strings.TrimSuffix(f.text, "\n"), "\n")
}

// goFiles reads all Go files of the project, those of its other modules too.
func goFiles(t *testing.T) (files []goFile) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || name != root && strings.HasPrefix(entry.Name(), ".")):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(name) != ".go":
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		name, err = filepath.Rel(root, name)
		files = append(files, goFile{filepath.ToSlash(name), string(text)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 300 {
		t.Fatalf("got %d Go files, want those of the whole project", len(files))
	}
	return files
}

// notOnList reports whether a file has to keep a rule. It fails if the file keeps it and is
// listed all the same.
func notOnList(t *testing.T, list []string, name string, keeps bool) bool {
	t.Helper()
	listed := slices.Contains(list, name)
	if listed && keeps {
		t.Errorf("%s keeps the rule now: take it off the list", name)
	}
	return !listed
}

// missing fails for each name on a list of which there is no file.
func missing(t *testing.T, list []string, files []goFile) {
	t.Helper()
	for _, name := range list {
		if !slices.ContainsFunc(files, func(f goFile) bool { return f.name == name }) {
			t.Errorf("%s is gone: take it off the list", name)
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	files := goFiles(t)
	missing(t, longFiles, files)
	for _, file := range files {
		n := len(file.lines())
		if notOnList(t, longFiles, file.name, n <= maxLines) && n > maxLines {
			t.Errorf("%s: got %d lines, want at most %d", file.name, n, maxLines)
		}
	}
}

func TestTheRootIsSmall(t *testing.T) {
	var files, tests int
	for _, file := range goFiles(t) {
		switch {
		case strings.Contains(file.name, "/"):
		case file.test():
			tests++
		default:
			files++
		}
	}
	if files > maxRootFiles {
		t.Errorf("got %d Go files without tests in the root, want at most %d", files, maxRootFiles)
	}
	if tests > maxRootTestFiles {
		t.Errorf("got %d test files in the root, want at most %d", tests, maxRootTestFiles)
	}
}
