// Package preflight looks at what the machine allows before a service relies on it: limits,
// settings of the kernel, folders, users and ports.
package preflight

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Level is how much a Finding matters.
type Level int

// Levels. A service does not start, or not for long, with an error.
const (
	OK Level = iota
	Advice
	Warning
	Error
)

var levels = [...]string{"ok", "advice", "warning", "error"}

// String is the level in a word.
func (l Level) String() string {
	if l < 0 || int(l) >= len(levels) {
		return fmt.Sprintf("Level(%d)", int(l))
	}
	return levels[l]
}

// MarshalText writes the word into JSON.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (l *Level) UnmarshalText(text []byte) error {
	for i, word := range levels {
		if word == string(text) {
			*l = Level(i)
			return nil
		}
	}
	return fmt.Errorf("%q is no level", text)
}

// Finding is the answer to one question.
type Finding struct {
	Level   Level  `json:"level"`
	Subject string `json:"subject"`          // what was looked at
	Text    string `json:"text"`             // how it is, and what follows from that
	Advice  string `json:"advice,omitempty"` // what to do
}

// Worst is the highest level of a list, OK for none.
func Worst(list []Finding) Level {
	worst := OK
	for _, f := range list {
		worst = max(worst, f.Level)
	}
	return worst
}

// Write writes findings for people, a line each and one more with the advice.
func Write(w io.Writer, list []Finding) error {
	width := 0
	var count [len(levels)]int
	for _, f := range list {
		width = max(width, len(f.Subject))
		count[f.Level]++
	}
	var b strings.Builder
	for _, f := range list {
		fmt.Fprintf(&b, "%-8s %-*s  %s\n", f.Level, width, f.Subject, f.Text)
		if f.Advice != "" {
			fmt.Fprintf(&b, "%*s  -> %s\n", 9+width, "", f.Advice)
		}
	}
	for l := Error; l >= OK; l-- {
		if count[l] > 0 {
			fmt.Fprintf(&b, "%d %s, ", count[l], l)
		}
	}
	_, err := io.WriteString(w, strings.TrimSuffix(b.String(), ", ")+"\n")
	return err
}

// WriteJSON writes findings as a JSON array.
func WriteJSON(w io.Writer, list []Finding) error {
	if list == nil {
		list = []Finding{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(list)
}
