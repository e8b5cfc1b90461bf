package watch

import (
	"fmt"
	"strings"

	"github.com/workerman-go/workerman/internal/stack"
)

// Site is where a loop stands, as its stack tells.
type Site struct {
	Callback string // "OnMessage", "timer"
	Place    string // where the program stands: "main.search (/src/main.go:31) in time.Sleep"

	function string // Place without the line: "main.search"
	frames   []stack.Frame
}

// noCallback stands for the callback of a loop that is at something of its own.
const noCallback = "a turn of the loop"

// find reads the stack of a loop's goroutine; nil if the loop has no work. The program's
// outermost function is what a callback called: the first function of the table below it tells
// which one. The program's innermost function is where it stands.
func (c *Callbacks) find(g stack.Goroutine) *Site {
	outermost, place, written := -1, -1, false
	for i, f := range g.Frames {
		if c.own(f) && strings.HasSuffix(f.Func, "internal/loop.(*Loop).wait") {
			return nil
		}
		if !c.program(f) {
			continue
		}
		outermost = i
		if place < 0 || !written && f.Main() {
			place = i
		}
		written = written || f.Main()
	}
	s := &Site{Callback: noCallback, frames: g.Frames}
	for _, f := range g.Frames[outermost+1:] {
		if name, ok := c.name(f); ok {
			s.Callback = name
			break
		}
	}
	for i := 0; place < 0 && i < len(g.Frames); i++ {
		if c.own(g.Frames[i]) {
			place = i // the work is the library's own
		}
	}
	if place >= 0 {
		s.stand(g, place)
	}
	return s
}

// stand notes that the program stands in a frame, and what it waits for there.
func (s *Site) stand(g stack.Goroutine, place int) {
	f := g.Frames[place]
	s.Place, s.function = f.String(), f.Func
	switch {
	case place > 0 && g.Frames[place-1].Package() != "runtime":
		s.Place += " in " + g.Frames[place-1].Func
	case g.State != "running" && g.State != "runnable":
		s.Place += " in " + g.State
	}
}

// stack is the frames for the log, the innermost first.
func (s *Site) stack() string {
	var b strings.Builder
	for _, f := range s.frames {
		fmt.Fprintf(&b, "%s\n\t%s:%d\n", f.Func, f.File, f.Line)
	}
	return b.String()
}
