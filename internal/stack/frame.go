package stack

import (
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
)

// Frame is a call.
type Frame struct {
	Func string // with its package: "time.Sleep", "example.com/shop.(*Cart).Add"
	File string
	Line int
}

// String is "main.search (/src/main.go:31)".
func (f Frame) String() string { return fmt.Sprintf("%s (%s:%d)", f.Func, f.File, f.Line) }

// Package is the import path of the function's package.
func (f Frame) Package() string {
	path, _ := f.split()
	return path
}

// Name is the function without its package: "search", "(*Cart).Add".
func (f Frame) Name() string {
	_, name := f.split()
	return name
}

func (f Frame) split() (path, name string) {
	slash := strings.LastIndexByte(f.Func, '/') + 1
	if i := strings.IndexByte(f.Func[slash:], '.'); slash+i > 0 && i >= 0 {
		// A dot in the last element of a path is escaped in symbols.
		return strings.ReplaceAll(f.Func[:slash+i], "%2e", "."), f.Func[slash+i+1:]
	}
	return "", f.Func
}

// Within reports whether the function belongs to the package or module of that path, or to
// one below it.
func (f Frame) Within(path string) bool { return within(f.Package(), path) }

func within(pkg, path string) bool {
	rest, ok := strings.CutPrefix(pkg, path)
	return ok && (rest == "" || rest[0] == '/')
}

// Main reports whether the function belongs to the module of the program.
func (f Frame) Main() bool {
	pkg := f.Package()
	modules := modules()
	return pkg == "main" || len(modules) > 0 && within(pkg, modules[0])
}

// Standard reports whether the function is one of the standard library: its path begins
// without a dot, and it is in no module that the program was built of.
func (f Frame) Standard() bool {
	pkg := f.Package()
	first, _, _ := strings.Cut(pkg, "/")
	if strings.Contains(first, ".") || pkg == "main" {
		return false
	}
	for _, path := range modules() {
		if within(pkg, path) {
			return false
		}
	}
	return true
}

// modules are those that the program was built of, its own first.
var modules = sync.OnceValue(func() (paths []string) {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Path == "" {
		return nil
	}
	paths = append(paths, info.Main.Path)
	for _, dep := range info.Deps {
		paths = append(paths, dep.Path)
	}
	return paths
})
