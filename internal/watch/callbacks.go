package watch

import (
	"strings"

	"github.com/workerman-go/workerman/internal/stack"
)

// Callbacks say which callback of the program a function of the library calls.
type Callbacks struct {
	// Module is the path of the library, "example.com/library". All other functions, save
	// those of the standard library, are the program's; so are the library's own tests.
	Module string
	// Names has the callbacks by the functions that call them. A function of the module's root
	// is named "(*Conn).message", one of a package below "internal/loop.(*Timer).expire". It
	// stands for its closures, too.
	Names map[string]string
	// Lengthy are callbacks that may take their time: they are logged with level Info.
	Lengthy []string
}

// own reports whether a function belongs to the library.
func (c *Callbacks) own(f stack.Frame) bool {
	return f.Within(c.Module) && !strings.HasSuffix(f.File, "_test.go")
}

// program reports whether a function belongs to the program or to a library of its choice.
func (c *Callbacks) program(f stack.Frame) bool { return !c.own(f) && !f.Standard() }

// name looks a function, or that which a closure is in, up in the table.
func (c *Callbacks) name(f stack.Frame) (name string, ok bool) {
	if !c.own(f) {
		return "", false
	}
	fn := strings.TrimPrefix(strings.TrimPrefix(f.Func, c.Module), "/")
	fn = strings.TrimPrefix(fn, ".")
	for {
		if name, ok = c.Names[fn]; ok {
			return name, true
		}
		i := strings.LastIndexByte(fn, '.')
		if i < 0 || !isClosure(fn[i+1:]) {
			return "", false
		}
		fn = fn[:i]
	}
}

// isClosure reports whether the last part of a function's name is that of a closure: "func1",
// the "2" of "func1.2", "gowrap1".
func isClosure(part string) bool {
	part = strings.TrimPrefix(part, "func")
	part = strings.TrimPrefix(part, "gowrap")
	part = strings.TrimPrefix(part, "deferwrap")
	return part != "" && strings.Trim(part, "0123456789") == ""
}
