package filemonitor

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// An effect is what the change of a file calls for.
type effect int

const (
	nothing effect = iota
	reloads
	builds
)

// interest decides which folders and files matter.
type interest struct {
	dir     string // the folder of the module
	exclude []string
	files   []string // patterns of Options.Files
	embeds  []embed
	noBuild bool
}

// embed is a pattern of a go:embed line in a package's folder.
type embed struct{ dir, pattern string }

// folder reports whether a folder is watched.
func (in *interest) folder(name string) bool {
	return !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "_") && name != "node_modules" && name != "vendor" &&
		!slices.Contains(in.exclude, name)
}

// sourceSuffixes are the ends of the names of files that go build reads.
var sourceSuffixes = []string{".go", ".s", ".S", ".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".m", ".syso"}

// file tells what the change of a file calls for.
func (in *interest) file(file string) effect {
	name := filepath.Base(file)
	if temporary(name) {
		return nothing
	}
	if !in.noBuild {
		switch {
		case name == "go.mod", name == "go.sum", name == "go.work":
			return builds
		case strings.HasSuffix(name, "_test.go"), strings.HasPrefix(name, "_"):
			// go build leaves it out
		case slices.Contains(sourceSuffixes, filepath.Ext(name)):
			return builds
		}
		if slices.ContainsFunc(in.embeds, func(e embed) bool { return e.holds(file) }) {
			return builds
		}
	}
	rel, err := filepath.Rel(in.dir, file)
	if err != nil {
		rel = file
	}
	rel = filepath.ToSlash(rel)
	if slices.ContainsFunc(in.files, func(pattern string) bool { return matches(pattern, rel) }) {
		return reloads
	}
	return nothing
}

// temporary reports whether a name is one that editors give to copies, locks and files that
// will be renamed.
func temporary(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") || strings.HasSuffix(name, "~") ||
		strings.HasSuffix(name, ".swp") || strings.HasSuffix(name, ".swx") || strings.HasSuffix(name, ".tmp") ||
		strings.HasSuffix(name, "___jb_tmp___") || strings.HasSuffix(name, "___jb_old___") || name == "4913"
}

// matches reports whether a pattern of Options.Files names a file.
func matches(pattern, rel string) bool {
	if dir, ok := strings.CutSuffix(pattern, "/"); ok {
		return within(dir, rel)
	}
	if !strings.Contains(pattern, "/") {
		rel = path.Base(rel)
	}
	ok, _ := path.Match(pattern, rel)
	return ok
}

// holds reports whether the pattern embeds a file, by its name or with a folder.
func (e embed) holds(file string) bool {
	rel, err := filepath.Rel(e.dir, file)
	return err == nil && within(strings.TrimPrefix(e.pattern, "all:"), filepath.ToSlash(rel))
}

// within reports whether a pattern matches a path or a folder above it.
func within(pattern, rel string) bool {
	for rel != "." && rel != "/" && !strings.HasPrefix(rel, "..") {
		if ok, _ := path.Match(pattern, rel); ok {
			return true
		}
		rel = path.Dir(rel)
	}
	return false
}
