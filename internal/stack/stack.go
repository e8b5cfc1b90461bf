// Package stack reads the stacks of goroutines as package runtime prints them, which is the
// only form in which it tells in what state each one is.
package stack

import (
	"bytes"
	"runtime"
	"strconv"
	"strings"
)

// Goroutine is one goroutine of a dump.
type Goroutine struct {
	ID      uint64
	State   string // "running", "chan receive", "IO wait"
	Minutes int    // in that state, 0 below one
	Frames  []Frame
	Creator Frame // what began it; its function is empty for the first goroutine
}

// firstDump is the size that is tried first; it holds some hundred goroutines.
const firstDump = 256 << 10

// Dump returns the stacks of all goroutines, the caller's first, as long as they take no more
// than limit bytes; what is more is cut off. The whole program stands still meanwhile.
func Dump(limit int) []byte {
	for size := min(firstDump, limit); ; size = min(4*size, limit) {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size || size == limit {
			return buf[:n]
		}
	}
}

// Find returns the goroutine with that number in a dump; false if it is not there.
func Find(dump []byte, id uint64) (Goroutine, bool) {
	head := strconv.AppendUint([]byte("goroutine "), id, 10)
	head = append(head, ' ')
	for rest := dump; ; {
		i := bytes.Index(rest, head)
		if i < 0 {
			return Goroutine{}, false
		}
		if block := rest[i:]; i == 0 || rest[i-1] == '\n' {
			if end := bytes.Index(block, []byte("\n\n")); end >= 0 {
				block = block[:end]
			}
			return parse(string(block))
		}
		rest = rest[i+len(head):]
	}
}

// Parse returns the goroutines of a dump. What is not understood is left out.
func Parse(dump []byte) (list []Goroutine) {
	for block := range strings.SplitSeq(string(dump), "\n\n") {
		if g, ok := parse(block); ok {
			list = append(list, g)
		}
	}
	return list
}

// parse reads the block of one goroutine: a head, then two lines for each frame.
func parse(block string) (g Goroutine, ok bool) {
	head, rest, _ := strings.Cut(strings.TrimLeft(block, "\n"), "\n")
	if !g.parseHead(head) {
		return Goroutine{}, false
	}
	for rest != "" {
		var name, at string
		name, rest, _ = strings.Cut(rest, "\n")
		if !strings.HasPrefix(rest, "\t") {
			continue // as where frames were left out
		}
		at, rest, _ = strings.Cut(rest, "\n")
		f := Frame{}
		f.File, f.Line = position(at[1:])
		if creator, ok := strings.CutPrefix(name, "created by "); ok {
			f.Func, _, _ = strings.Cut(creator, " in goroutine ")
			g.Creator = f
		} else {
			f.Func = name
			if i := strings.LastIndexByte(name, '('); i > 0 {
				f.Func = name[:i] // without the arguments
			}
			g.Frames = append(g.Frames, f)
		}
	}
	return g, true
}

// parseHead reads "goroutine 7 [chan receive, 5 minutes]:".
func (g *Goroutine) parseHead(head string) bool {
	head, ok := strings.CutPrefix(head, "goroutine ")
	if !ok {
		return false
	}
	id, rest, _ := strings.Cut(head, " ")
	var err error
	if g.ID, err = strconv.ParseUint(id, 10, 64); err != nil {
		return false
	}
	_, rest, ok = strings.Cut(rest, "[")
	if !ok {
		return false
	}
	rest, _, _ = strings.Cut(rest, "]")
	g.State, rest, _ = strings.Cut(rest, ", ")
	for detail := range strings.SplitSeq(rest, ", ") {
		if n, ok := strings.CutSuffix(detail, " minutes"); ok {
			g.Minutes, _ = strconv.Atoi(n)
		}
	}
	return true
}

// position reads "/src/main.go:31 +0x1d".
func position(at string) (file string, line int) {
	if i := strings.LastIndex(at, " +0x"); i >= 0 {
		at = at[:i]
	}
	i := strings.LastIndexByte(at, ':')
	if i < 0 {
		return at, 0
	}
	line, err := strconv.Atoi(at[i+1:])
	if err != nil {
		return at, 0
	}
	return at[:i], line
}
