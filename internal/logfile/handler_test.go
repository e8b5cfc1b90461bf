package logfile

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"
	"time"
)

func TestLinesOfTheLog(t *testing.T) {
	at := time.Date(2026, 11, 25, 1, 2, 3, 4e6, time.UTC)
	for _, test := range []struct {
		level slog.Level
		text  string
		with  func(slog.Handler) slog.Handler
		attrs []slog.Attr
		want  string
	}{
		{slog.LevelInfo, "worker started", nil, []slog.Attr{slog.String("listen", "text://0.0.0.0:2346"), slog.Int("loops", 1)},
			"INFO  master[7] worker started listen=text://0.0.0.0:2346 loops=1"},
		{slog.LevelWarn, "slow", nil, []slog.Attr{slog.Duration("took", 3*time.Second), slog.Any("error", errors.New("no way"))},
			`WARN  master[7] slow took=3s error="no way"`},
		{slog.LevelError + 1, "x", func(h slog.Handler) slog.Handler { return h.WithAttrs([]slog.Attr{slog.String("worker", "chat")}) },
			[]slog.Attr{slog.String("a", "")}, `ERROR+1 chat[7] x a=""`},
		{slog.LevelInfo, "x", nil, []slog.Attr{slog.String("worker", "one off")}, "INFO  one off[7] x"},
		{slog.LevelInfo, "x", func(h slog.Handler) slog.Handler { return h.WithGroup("g").WithAttrs([]slog.Attr{slog.Int("a", 1)}) },
			[]slog.Attr{slog.String("worker", "chat"), slog.Group("h", "b", 2)}, "INFO  master[7] x g.a=1 g.worker=chat g.h.b=2"},
		{slog.LevelError, "panic", nil, []slog.Attr{slog.String("stack", "goroutine 1:\n\tmain.go:3\n"), slog.String("peer", "127.0.0.1:5")},
			"ERROR master[7] panic peer=127.0.0.1:5\n    goroutine 1:\n        main.go:3"},
		{slog.LevelInfo, "two\nlines \x1b[31m\u202e\xff", nil, []slog.Attr{slog.String("k\n", "a\nb \"c\"\xff")},
			"INFO  master[7] two\n    lines \\x1b[31m\\u202e\\xff" + ` "k\n"="a\nb \"c\"\xff"`},
		{slog.LevelInfo, "挨拶", nil, []slog.Attr{slog.String("k", "日本")}, "INFO  master[7] 挨拶 k=日本"},
		{slog.LevelInfo, "x", nil, []slog.Attr{slog.Time("at", at), {}}, "INFO  master[7] x at=2026-11-25T01:02:03.004Z"},
	} {
		var out bytes.Buffer
		var h slog.Handler = NewHandler(&out, HandlerOptions{PID: 7})
		if test.with != nil {
			h = test.with(h)
		}
		r := slog.NewRecord(at, test.level, test.text, 0)
		r.AddAttrs(test.attrs...)
		if err := h.Handle(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		if want := "2026-11-25 01:02:03.004 " + test.want + "\n"; out.String() != want {
			t.Errorf("got  %q\nwant %q", out.String(), want)
		}
	}
}

func TestLevel(t *testing.T) {
	var out bytes.Buffer
	slog.New(NewHandler(&out, HandlerOptions{})).Debug("x")
	slog.New(NewHandler(&out, HandlerOptions{Level: slog.LevelError})).Warn("x")
	if out.Len() > 0 {
		t.Errorf("%q", &out)
	}
	slog.New(NewHandler(&out, HandlerOptions{Level: slog.LevelDebug, Name: "chat"})).Debug("x")
	if !strings.Contains(out.String(), "DEBUG chat[") {
		t.Errorf("%q", &out)
	}
}

// The rules of package slog for handlers, checked by what it offers for that.
func TestHandlerKeepsTheRules(t *testing.T) {
	var out bytes.Buffer
	err := slogtest.TestHandler(NewHandler(&out, HandlerOptions{}), func() []map[string]any {
		var list []map[string]any
		for line := range strings.Lines(out.String()) {
			list = append(list, fieldsOf(strings.TrimSpace(line)))
		}
		return list
	})
	if err != nil {
		t.Error(err)
	}
}

// fieldsOf reads a line back.
func fieldsOf(line string) map[string]any {
	m := make(map[string]any)
	if len(line) > len(timeFormat) && line[4] == '-' {
		m[slog.TimeKey], line = line[:len(timeFormat)], line[len(timeFormat)+1:]
	}
	words := strings.Fields(line)
	m[slog.LevelKey] = words[0]
	var text []string
	for _, word := range words[2:] {
		key, value, ok := strings.Cut(word, "=")
		if !ok {
			text = append(text, word)
			continue
		}
		at := m
		path := strings.Split(key, ".")
		for _, name := range path[:len(path)-1] {
			if at[name] == nil {
				at[name] = make(map[string]any)
			}
			at = at[name].(map[string]any)
		}
		at[path[len(path)-1]] = value
	}
	m[slog.MessageKey] = strings.Join(text, " ")
	return m
}

// Whatever a message and its values hold: one line and those below it, which are indented,
// without anything that a terminal obeys.
func FuzzHandler(f *testing.F) {
	f.Add("text", "key", "value")
	f.Add("a\nb\r", "k=\x1b", "\u2028\xff")
	f.Fuzz(func(t *testing.T, text, key, value string) {
		var out bytes.Buffer
		h := NewHandler(&out, HandlerOptions{Name: text, PID: 7})
		slog.New(h).Info(text, key, value, "stack", value)
		got := out.String()
		if !strings.HasSuffix(got, "\n") {
			t.Fatalf("%q", got)
		}
		for i, line := range strings.Split(strings.TrimSuffix(got, "\n"), "\n") {
			if i > 0 && !strings.HasPrefix(line, "    ") {
				t.Fatalf("%q could be taken for a line of its own", line)
			}
			for _, r := range line {
				if r < ' ' || r == 0x7f || r == 0x9b || r == 0x202e {
					t.Fatalf("%q has the character %q", line, r)
				}
			}
		}
	})
}
