package filemonitor

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"
)

// DefaultQuiet is the default of Options.Quiet.
const DefaultQuiet = 200 * time.Millisecond

// Options say what is watched and what is built. Zero values mean the defaults.
type Options struct {
	// Dir is the folder in which the program is built. Default: that of the nearest go.mod, in
	// the working directory or above.
	Dir string
	// Dirs are the folders to watch, with all below them. Default: Dir. Name more for modules
	// of a go.work or replace elsewhere.
	Dirs []string
	// Exclude are names of folders that are not watched, besides node_modules, vendor, and
	// those that begin with a dot or an underscore.
	Exclude []string
	// Files are patterns of files whose change needs a reload alone: those that the program
	// reads at its start. They are of package path, for a name as "*.html", or for a path from
	// Dir as "config/*.json"; "public/" stands for all below that folder. What go:embed names
	// is built in and needs no pattern.
	Files []string
	// Package is the main package. Default: what the program was built from.
	Package string
	// Flags are further flags of go build. Those for -race, -tags, -ldflags, -gcflags and
	// -trimpath that the program was built with are kept.
	Flags []string
	// NoBuild watches Files only.
	NoBuild bool
	// Quiet is how long no file must have changed before anything is done. Default 200 ms.
	Quiet time.Duration
	// Always watches wherever the program runs. By default it does only where somebody can
	// see what is told: with a terminal or a pipe as standard error.
	Always bool
	// Output gets what is told. Default os.Stderr.
	Output io.Writer

	program string // what is built; default: the file of this process
}

// resolve fills in the defaults.
func (o Options) resolve() (Options, error) {
	var err error
	if o.Dir == "" {
		if o.Dir, err = moduleFolder(); err != nil {
			return o, err
		}
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return o, err
	}
	if len(o.Dirs) == 0 {
		o.Dirs = []string{o.Dir}
	}
	o.Dirs = slices.Clone(o.Dirs)
	for i, dir := range o.Dirs {
		if !filepath.IsAbs(dir) {
			o.Dirs[i] = filepath.Join(o.Dir, dir)
		}
	}
	for _, pattern := range o.Files {
		if _, err := path.Match(pattern, ""); err != nil {
			return o, fmt.Errorf("pattern %q in Files: %w", pattern, err)
		}
	}
	if o.Quiet <= 0 {
		o.Quiet = DefaultQuiet
	}
	if o.Output == nil {
		o.Output = os.Stderr
	}
	if o.program == "" {
		if o.program, err = os.Executable(); err != nil {
			return o, err
		}
	}
	info, ok := debug.ReadBuildInfo()
	if ok {
		o.Flags = append(flagsOf(info), o.Flags...)
	}
	if o.Package == "" {
		o.Package = "."
		if ok && info.Path != "" && info.Path != "command-line-arguments" {
			o.Package = info.Path
		}
	}
	return o, nil
}

// moduleFolder finds the module that the program is of.
func moduleFolder() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod in %s or above: set Options.Dir to the module's folder", start)
		}
	}
}

// flagsOf are the flags of a build that make another program of the same source.
func flagsOf(info *debug.BuildInfo) (flags []string) {
	for _, s := range info.Settings {
		switch s.Key {
		case "-race", "-tags", "-ldflags", "-gcflags", "-trimpath", "-msan", "-asan":
			flags = append(flags, s.Key+"="+s.Value)
		}
	}
	return flags
}
