package console

import (
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/workerman-go/workerman/internal/control"
)

func events(list ...control.Event) iter.Seq2[control.Event, error] {
	return func(yield func(control.Event, error) bool) {
		for _, e := range list {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func reloading(replaced int, moved int64) control.Event {
	return control.Event{Reload: &control.Reload{Total: 3, Replaced: replaced, Moved: moved, Draining: 2}}
}

var reloaded = control.Event{Reload: &control.Reload{Total: 3, Replaced: 3, Moved: 5000, Done: true, Took: 1.5}, Done: true}

func TestProgressOnAPipe(t *testing.T) {
	var b strings.Builder
	err := Progress(&b, "chat reload", events(reloading(0, 0), reloading(0, 900), reloading(1, 1000), control.Event{Text: "worker \x1bchat: slow"}, reloading(1, 1200), reloaded), Look{})
	want := `chat reload: 0/3 replaced, 0 connections moved, 2 draining
chat reload: 1/3 replaced, 1 000 connections moved, 2 draining
worker ?chat: slow
chat reload success: 3 processes replaced, 5 000 connections moved in 1.5s
`
	if err != nil || b.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, b.String(), want)
	}
}

func TestProgressInPlace(t *testing.T) {
	var b strings.Builder
	err := Progress(&b, "stop", events(control.Event{Left: 1200}, control.Event{Left: 3}, control.Event{Left: 1}, control.Event{Text: "killed 1"}, control.Event{Left: 1}, control.Event{Done: true}), Look{Width: 40})
	if err != nil {
		t.Fatal(err)
	}
	shown := replay(b.String())
	if len(shown) != 3 || shown[0] != "killed 1" || !strings.HasPrefix(shown[1], "stop success in ") || shown[2] != "" {
		t.Errorf("%q", shown)
	}
	var narrow strings.Builder
	Progress(&narrow, "chat reload", events(reloading(1, 123456), reloading(2, 123456), reloaded), Look{Width: 20})
	for _, line := range strings.FieldsFunc(narrow.String(), func(r rune) bool { return r == '\r' || r == '\n' }) {
		if textWidth(strings.TrimRight(line, " ")) > 20 {
			t.Errorf("%q is wider than the terminal", line)
		}
	}
}

// replay is what a terminal shows that knows carriage returns.
func replay(out string) []string {
	var lines []string
	for _, text := range strings.Split(out, "\n") {
		var line []byte
		at := 0
		for i := range len(text) {
			if text[i] == '\r' {
				at = 0
				continue
			}
			line = append(line[:at], append([]byte{text[i]}, line[min(at+1, len(line)):]...)...)
			at++
		}
		lines = append(lines, strings.TrimRight(string(line), " "))
	}
	return lines
}

func TestProgressTellsWhyItFailed(t *testing.T) {
	broken := errors.New("connection reset")
	for _, c := range []struct {
		name   string
		events iter.Seq2[control.Event, error]
		want   string
	}{
		{"an event", events(control.Event{Left: 3}, control.Event{Error: "worker chat does not start"}), "worker chat does not start"},
		{"the reload", events(control.Event{Reload: &control.Reload{Done: true, Error: "exit code 2"}, Done: true}), "exit code 2"},
		{"the connection", func(yield func(control.Event, error) bool) { yield(control.Event{}, broken) }, broken.Error()},
		{"nothing more", events(control.Event{Left: 3}), "the master went away before it told how it ended"},
	} {
		for _, width := range []int{0, 90} {
			var b strings.Builder
			err := Progress(&b, "chat stop", c.events, Look{Width: width})
			if err == nil || err.Error() != c.want {
				t.Errorf("%s: the error is %v", c.name, err)
			}
			if !strings.HasSuffix(b.String(), "chat stop fail: "+c.want+"\n") {
				t.Errorf("%s: %q", c.name, b.String())
			}
		}
	}
}

func TestProgressGoesOnWithoutItsReader(t *testing.T) {
	if err := Progress(closed{}, "stop", events(control.Event{Left: 1}, control.Event{Done: true}), Look{}); err != errClosed {
		t.Error(err)
	}
	if err := Progress(closed{}, "stop", events(control.Event{Left: 1}, control.Event{Error: "left over"}), Look{}); err == nil || err.Error() != "left over" {
		t.Error(err)
	}
}

var errClosed = errors.New("closed")

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errClosed }
