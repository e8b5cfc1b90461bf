// Package console is what the commands of a program show on a terminal: tables of
// status and connections, once or live, the progress of a reload, the banner, the help;
// and how a command line is read. It renders the types of package control and knows
// nothing of workers.
//
// Everything that prints takes a Look. Text on a pipe is plain and as wide as its content;
// on a terminal no line is wider than the window: tables leave out their less important
// columns. Names come from programs and peers, so what could control a terminal is
// replaced before it is printed.
package console

import (
	"os"
	"strings"
)

// Look is how text is laid out. The zero value is for pipes and files.
type Look struct {
	Width int  // columns of the terminal; 0 means no limit
	Color bool // escape sequences for colours are understood
}

// LookOf returns the Look for what is written to f: that of its window if f is a terminal,
// without colours if the environment has NO_COLOR or the terminal is a dumb one.
func LookOf(f *os.File) Look {
	width, _, ok := windowSize(f)
	if !ok {
		return Look{}
	}
	return Look{Width: width, Color: os.Getenv("NO_COLOR") == "" && !dumb()}
}

// dumb reports whether the terminal understands no escape sequences.
func dumb() bool {
	name := os.Getenv("TERM")
	return name == "" || name == "dumb"
}

// Colours, as parameters of the escape sequence SGR (ECMA-48 §8.3.117).
const (
	plain    = ""
	red      = "31"
	green    = "32"
	yellow   = "33"
	cyan     = "36"
	heading  = "47;30"
	selected = "42;30"
)

func (l Look) paint(dst []byte, color string, text []byte) []byte {
	if !l.Color || color == plain {
		return append(dst, text...)
	}
	dst = append(append(append(dst, "\x1b["...), color...), 'm')
	return append(append(dst, text...), "\x1b[0m"...)
}

// limit is the width that a line may have.
func (l Look) limit() int {
	if l.Width <= 0 {
		return int(^uint(0) >> 1)
	}
	return l.Width
}

// cut returns a line that fits.
func (l Look) cut(line string) string { return string(appendCut(nil, line, l.limit())) }

const ruleWidth = 100 // how wide a rule is on a pipe

// rule is a dashed line with a title in the middle.
func (l Look) rule(title string) string {
	width := ruleWidth
	if l.Width > 0 {
		width = min(width, l.Width)
	}
	left := max((width-len(title))/2, 0)
	right := max(width-left-len(title), 0)
	return l.cut(strings.Repeat("-", left) + title + strings.Repeat("-", right))
}

// flow sets pieces of text side by side, in as many lines as it takes.
func (l Look) flow(pieces ...string) []string { return l.fill(pieces, "   ") }

func (l Look) fill(pieces []string, gap string) (lines []string) {
	line, width := "", 0
	for _, piece := range pieces {
		if piece == "" {
			continue
		}
		piece = l.cut(piece)
		w := textWidth(piece)
		switch {
		case line == "":
			line, width = piece, w
		case width+len(gap)+w <= l.limit():
			line, width = line+gap+piece, width+len(gap)+w
		default:
			lines = append(lines, line)
			line, width = piece, w
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// wrap breaks a sentence into lines that fit.
func (l Look) wrap(text string) []string { return l.fill(strings.Split(text, " "), " ") }

func (l Look) wrapIn(color, text string) []string {
	lines := l.wrap(text)
	for i, line := range lines {
		lines[i] = string(l.paint(nil, color, []byte(line)))
	}
	return lines
}
