package workerman

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/workerman-go/workerman/internal/stack"
)

// culprit is what a loop is at, as its stack tells.
type culprit struct {
	callback string // "OnMessage", "timer"
	place    string // where the program stands: "main.search (/src/main.go:31) in time.Sleep"
	function string // the same without the line: "main.search"
	frames   []stack.Frame
}

// unknownCallback is what a loop is at outside of callbacks.
const unknownCallback = "a turn of the loop"

// callbackOf says which callback a function of this module calls. The first that is found
// on the way from the program's code to the loop counts.
var callbackOf = map[string]string{
	"(*Conn).message":               "OnMessage",
	"(*Conn).forward":               "pipe",
	"(*Conn).greet":                 "OnConnect",
	"(*Conn).finish":                "OnClose",
	"(*Conn).onRequest":             "OnRequest",
	"(*httpConn).onBody":            "OnBody",
	"(*httpConn).decide":            "OnUpgrade",
	"(*Conn).onControl":             "OnPing or OnPong",
	"(*connOwner).Attention":        "OnBufferFull or OnError",
	"(*connOwner).Drained":          "OnBufferDrain",
	"(*workerProcess).OnReload":     "OnWorkerReload",
	"(*Conn).askHandover":           "OnHandover",
	"(*Conn).adopted":               "OnAdopt",
	"(*Client).failed":              "OnError",
	"(*service).onStart":            "OnWorkerStart",
	"(*Master).runStopCallbacks":    "OnWorkerStop",
	"(*Conn).nextSize":              "Input",
	"(*connOwner).Receive":          "Decode",
	"(*packetService).Datagram":     "Decode",
	"(*Conn).encode":                "Encode",
	"(*Conn).enqueue":               "Encode",
	"Async[...]":                    "Async",
	"internal/loop.(*Timer).expire": "timer",
	"internal/loop.(*tasks).run":    "Post",
	"internal/loop.(*watch).ready":  "OnReadable or OnWritable",
}

// module is the path of this package and of those below it.
var module = reflect.TypeFor[Master]().PkgPath()

// own reports whether a function belongs to this module; its tests count as programs.
func own(f stack.Frame) bool { return f.Within(module) && !strings.HasSuffix(f.File, "_test.go") }

// program reports whether a function belongs to the program or to a library of its choice.
func program(f stack.Frame) bool { return !own(f) && !f.Standard() }

// findCulprit reads the stack of a loop's goroutine; nil if the loop has no work.
func findCulprit(g stack.Goroutine) *culprit {
	outermost, place, written := -1, -1, false
	for i, f := range g.Frames {
		if own(f) && strings.HasSuffix(f.Func, "internal/loop.(*Loop).wait") {
			return nil
		}
		if !program(f) {
			continue
		}
		outermost = i
		if place < 0 || !written && f.Main() {
			place = i
		}
		written = written || f.Main()
	}
	c := &culprit{callback: unknownCallback, frames: g.Frames}
	for i := outermost + 1; i < len(g.Frames); i++ {
		if name, ok := callbackName(g.Frames[i]); ok {
			c.callback = name
			break
		}
	}
	for i := 0; place < 0 && i < len(g.Frames); i++ {
		if own(g.Frames[i]) {
			place = i // the work is the library's own
		}
	}
	if place < 0 {
		return c
	}
	c.place, c.function = g.Frames[place].String(), g.Frames[place].Func
	switch {
	case place > 0 && g.Frames[place-1].Package() != "runtime":
		c.place += " in " + g.Frames[place-1].Func
	case g.State != "running" && g.State != "runnable":
		c.place += " in " + g.State
	}
	return c
}

// stack is the frames for the log, the innermost first.
func (c *culprit) stack() string {
	var b strings.Builder
	for _, f := range c.frames {
		fmt.Fprintf(&b, "%s\n\t%s:%d\n", f.Func, f.File, f.Line)
	}
	return b.String()
}

// callbackName looks a function, or that which a closure is in, up in callbackOf.
func callbackName(f stack.Frame) (name string, ok bool) {
	if !own(f) {
		return "", false
	}
	fn := strings.TrimPrefix(strings.TrimPrefix(f.Func, module), "/")
	fn = strings.TrimPrefix(fn, ".")
	for {
		if name, ok = callbackOf[fn]; ok {
			return name, true
		}
		i := strings.LastIndexByte(fn, '.')
		if i < 0 || !closure(fn[i+1:]) {
			return "", false
		}
		fn = fn[:i]
	}
}

// closure reports whether the last part of a function's name is that of a closure: func1,
// func1.2, gowrap1.
func closure(part string) bool {
	part = strings.TrimPrefix(part, "func")
	part = strings.TrimPrefix(part, "gowrap")
	part = strings.TrimPrefix(part, "deferwrap")
	return part != "" && strings.Trim(part, "0123456789") == ""
}
