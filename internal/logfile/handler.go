package logfile

import (
	"context"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// timeFormat is how a line begins.
const timeFormat = "2006-01-02 15:04:05.000"

// HandlerOptions are the settings of a handler.
type HandlerOptions struct {
	Level slog.Leveler // lowest level that is written; default slog.LevelInfo
	// Name stands in each line until a logger has an attribute "worker", which takes its
	// place. Default "master".
	Name string
	PID  int // default: that of this process
}

// Handler writes records for people, a line each:
//
//	2026-11-25 01:02:03.004 INFO  chat[4321] worker started listen=text://0.0.0.0:2346
//
// Values with spaces are quoted. What lines a message or a stack has more stand below it,
// indented; other characters that a terminal would obey are escaped, so that nobody can forge
// lines by what he sends.
type Handler struct {
	w      io.Writer
	level  slog.Leveler
	name   string
	pid    int
	fixed  []byte // attributes of With
	prefix string // names of open groups, each with a dot
}

// NewHandler returns a handler that writes each record to w by one call of Write.
func NewHandler(w io.Writer, o HandlerOptions) *Handler {
	h := &Handler{w: w, level: o.Level, name: o.Name, pid: o.PID}
	if h.level == nil {
		h.level = slog.LevelInfo
	}
	if h.name == "" {
		h.name = "master"
	}
	if h.pid == 0 {
		h.pid = os.Getpid()
	}
	return h
}

// Enabled reports whether records of the level are written.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level.Level() }

// lines are buffers for records.
var lines = sync.Pool{New: func() any { return new([]byte) }}

// Handle writes a record.
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	p := lines.Get().(*[]byte)
	b := (*p)[:0]
	if !r.Time.IsZero() {
		b = r.Time.AppendFormat(b, timeFormat)
		b = append(b, ' ')
	}
	level := r.Level.String()
	b = append(b, level...)
	for n := len(level); n < 5; n++ {
		b = append(b, ' ')
	}
	b = append(b, ' ')
	name := h.name
	var more, rest []byte
	r.Attrs(func(a slog.Attr) bool {
		if n, ok := h.names(a); ok {
			name = n
		} else {
			more, rest = appendAttr(more, rest, h.prefix, a)
		}
		return true
	})
	b = appendText(b, name, false)
	b = append(b, '[')
	b = strconv.AppendInt(b, int64(h.pid), 10)
	b = append(b, "] "...)
	b = appendText(b, r.Message, true)
	b = append(b, h.fixed...)
	b = append(b, more...)
	b = append(b, rest...)
	b = append(b, '\n')
	_, err := h.w.Write(b)
	if cap(b) <= 16<<10 {
		*p = b
		lines.Put(p)
	}
	return err
}

// names reports whether an attribute is the worker's name.
func (h *Handler) names(a slog.Attr) (string, bool) {
	if h.prefix != "" || a.Key != "worker" || a.Value.Kind() != slog.KindString {
		return "", false
	}
	return a.Value.String(), true
}

// WithAttrs returns a handler whose records have these attributes, too.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	n := *h
	n.fixed = slices.Clip(h.fixed)
	var rest []byte
	for _, a := range attrs {
		if name, ok := h.names(a); ok {
			n.name = name
		} else {
			n.fixed, rest = appendAttr(n.fixed, rest, h.prefix, a)
		}
	}
	n.fixed = append(n.fixed, rest...)
	return &n
}

// WithGroup returns a handler that puts the name and a dot in front of all keys to come.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	n := *h
	n.prefix += name + "."
	return &n
}

// appendAttr appends key=value to the line, or the lines of a value to those below it.
func appendAttr(line, below []byte, prefix string, a slog.Attr) ([]byte, []byte) {
	v := a.Value.Resolve()
	if a.Equal(slog.Attr{}) {
		return line, below
	}
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, inner := range v.Group() {
			line, below = appendAttr(line, below, prefix, inner)
		}
		return line, below
	}
	text := v.String()
	if v.Kind() == slog.KindTime {
		text = v.Time().Format(time.RFC3339Nano)
	}
	if a.Key == "stack" {
		below = append(below, "\n    "...)
		return line, appendText(below, text, true)
	}
	line = append(line, ' ')
	line = appendWord(line, prefix+a.Key)
	line = append(line, '=')
	return appendWord(line, text), below
}

// appendWord quotes what would not be one word.
func appendWord(b []byte, s string) []byte {
	if s == "" {
		return append(b, `""`...)
	}
	for _, r := range s {
		if r == ' ' || r == '"' || r == '=' || r == utf8.RuneError || !unicode.IsPrint(r) {
			return strconv.AppendQuote(b, s)
		}
	}
	return append(b, s...)
}

// appendText appends a text that may have spaces and, indented, several lines.
func appendText(b []byte, s string, several bool) []byte {
	for len(s) > 0 && s[len(s)-1] == '\n' {
		s = s[:len(s)-1]
	}
	for i, r := range s {
		switch {
		case r == '\n' && several:
			b = append(b, "\n    "...)
		case r == '\t':
			b = append(b, "    "...)
		case r == utf8.RuneError || !unicode.IsPrint(r):
			quoted := strconv.Quote(s[i : i+size(s[i:])])
			b = append(b, quoted[1:len(quoted)-1]...)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// size is the length of the first character of s in bytes.
func size(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}
