package watch

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/internal/stack"
)

const (
	// maxStacks bounds the stacks that are read, and so what is written of them.
	maxStacks = 32 << 20
	// maxGroups bounds the groups of goroutines that are written.
	maxGroups = 200
)

// WriteStacks writes for humans where this process stands: its event loops, and then the other
// goroutines, those with the same stack together. Any goroutine may ask, and nobody waits for
// a loop; the program stands still while the stacks are taken. The error is that of out.
func WriteStacks(out io.Writer, loops []*loop.Loop, callbacks *Callbacks) error {
	dump := stack.Dump(maxStacks)
	all := stack.Parse(dump)
	w := bufio.NewWriter(out)
	known := make(map[uint64]bool)
	for i, l := range loops {
		known[l.Goroutine()] = true
		held := time.Duration(0)
		if t, busy := l.Turn(); busy {
			held = t.Held
		}
		at := slices.IndexFunc(all, func(g stack.Goroutine) bool { return g.ID == l.Goroutine() })
		if at < 0 {
			fmt.Fprintf(w, "event loop %d: its stack is not among the first %d MiB of stacks\n\n", i+1, maxStacks>>20)
			continue
		}
		writeLoop(w, i+1, held, all[at], callbacks.find(all[at]))
	}
	if len(all) > 0 {
		all = all[1:] // this goroutine asks
	}
	writeGroups(w, slices.DeleteFunc(all, func(g stack.Goroutine) bool { return known[g.ID] }))
	if len(dump) == maxStacks {
		fmt.Fprintf(w, "There are more goroutines; these are the first %d MiB of their stacks.\n", maxStacks>>20)
	}
	return w.Flush()
}

// writeLoop writes what a loop is at, and where; site is nil if it has no work.
func writeLoop(w io.Writer, number int, held time.Duration, g stack.Goroutine, site *Site) {
	if site == nil {
		fmt.Fprintf(w, "event loop %d: idle\n\n", number)
		return
	}
	fmt.Fprintf(w, "event loop %d: in %s", number, site.Callback)
	if ms := held.Round(time.Millisecond); ms > 0 {
		fmt.Fprintf(w, ", for %v", ms)
	}
	fmt.Fprintf(w, ", at %s\n", site.Place)
	writeFrames(w, g.Frames, stack.Frame{})
}

// group is the goroutines that have one stack.
type group struct {
	stack.Goroutine
	count int
}

// writeGroups writes goroutines, the most frequent stacks first.
func writeGroups(w io.Writer, all []stack.Goroutine) {
	groups := make(map[string]*group)
	for _, g := range all {
		key := fmt.Sprint(g.State, g.Frames, g.Creator)
		if known := groups[key]; known != nil {
			known.count++
			known.Minutes = max(known.Minutes, g.Minutes)
		} else {
			groups[key] = &group{g, 1}
		}
	}
	list := slices.SortedFunc(maps.Values(groups), func(a, b *group) int {
		return cmp.Or(b.count-a.count, cmp.Compare(a.ID, b.ID))
	})
	for i, g := range list {
		if i == maxGroups {
			fmt.Fprintf(w, "%d more stacks are left out.\n", len(list)-i)
			return
		}
		noun := "goroutine"
		if g.count > 1 {
			noun += "s"
		}
		fmt.Fprintf(w, "%d %s: %s", g.count, noun, g.State)
		if g.Minutes > 0 {
			fmt.Fprintf(w, ", for up to %d minutes", g.Minutes)
		}
		fmt.Fprintln(w)
		writeFrames(w, g.Frames, g.Creator)
	}
}

// writeFrames writes calls, the innermost first, without those of the runtime.
func writeFrames(w io.Writer, frames []stack.Frame, creator stack.Frame) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(f stack.Frame, prefix string) {
		fmt.Fprintf(t, "    %s%s\t%s:%d\n", prefix, clean(f.Func), clean(f.File), f.Line)
	}
	for _, f := range frames {
		if f.Package() != "runtime" {
			line(f, "")
		}
	}
	if creator.Func != "" {
		line(creator, "begun by ")
	}
	t.Flush()
	fmt.Fprintln(w)
}

// clean keeps a name from breaking the columns.
func clean(s string) string { return strings.ReplaceAll(s, "\t", " ") }
