package control

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

var sample = Connection{
	PID: 71, Worker: "chat", ID: 1<<40 + 3, Transport: "tcp", Protocol: "websocket", State: "established", Received: 1, Queued: 2,
	BytesIn: 3, BytesOut: 4, Age: 5, Idle: 6, Outgoing: true, Local: "127.0.0.1:80", Remote: "[::1]:4711", User: "ann",
}

func TestConnectionLines(t *testing.T) {
	for _, c := range []Connection{sample, {}, {Worker: "ünïcode 王", User: "with spaces"}} {
		line := string(c.Append(nil))
		got, ok := ParseConnection(strings.TrimSuffix(line, "\n"))
		if !ok || got != c {
			t.Errorf("%q became %+v, %v", line, got, ok)
		}
	}
}

// A name cannot forge fields or lines, nor control a terminal.
func TestConnectionLineIsOneLine(t *testing.T) {
	c := Connection{Worker: "a\tb\nc\x1b[31m", User: "u\tv\n", Remote: "x\r"}
	line := string(c.Append(nil))
	if strings.Count(line, "\n") != 1 || strings.ContainsAny(line, "\x1b\r") {
		t.Fatalf("line %q", line)
	}
	got, ok := ParseConnection(strings.TrimSuffix(line, "\n"))
	if !ok || got.Worker != "a?b?c?[31m" || got.User != "u?v?" {
		t.Errorf("%+v, %v", got, ok)
	}
}

func TestParseConnectionRefuses(t *testing.T) {
	good := strings.TrimSuffix(string(sample.Append(nil)), "\n")
	for i := range len(good) {
		if c, ok := ParseConnection(good[:i]); ok && c.Remote != sample.Remote {
			t.Errorf("accepted %q", good[:i])
		}
	}
	for _, line := range []string{"", "x", strings.Replace(good, "71", "-", 1), good + "\tmore"} {
		if _, ok := ParseConnection(line); ok {
			t.Errorf("accepted %q", line)
		}
	}
}

func TestReadConnections(t *testing.T) {
	two := string(sample.Append(sample.Append(nil)))
	n := 0
	for c, err := range ReadConnections(strings.NewReader(two + "damaged\n")) {
		if err != nil || *c != sample {
			t.Errorf("%+v, %v", c, err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d connections", n)
	}
	broken := errors.New("broken")
	var last error
	for _, err := range ReadConnections(io.MultiReader(strings.NewReader(two), failing{broken})) {
		last = err
	}
	if last != broken {
		t.Errorf("error %v", last)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestFilter(t *testing.T) {
	for _, c := range []struct {
		f    Filter
		want bool
	}{
		{Filter{}, true},
		{Filter{Worker: "chat", PID: 71, Peer: "[::1]", State: "established", Idle: 6, Queued: 2}, true},
		{Filter{Worker: "other"}, false}, {Filter{PID: 72}, false}, {Filter{Peer: "10."}, false},
		{Filter{State: "closing"}, false}, {Filter{Idle: 7}, false}, {Filter{Queued: 3}, false},
	} {
		if got := c.f.Match(&sample); got != c.want {
			t.Errorf("%+v: %v", c.f, got)
		}
	}
}

func FuzzParseConnection(f *testing.F) {
	f.Add(strings.TrimSuffix(string(sample.Append(nil)), "\n"))
	f.Fuzz(func(t *testing.T, line string) {
		c, ok := ParseConnection(line)
		if !ok {
			return
		}
		again, ok := ParseConnection(strings.TrimSuffix(string(c.Append(nil)), "\n"))
		c.Worker, c.Transport, c.Protocol, c.State = again.Worker, again.Transport, again.Protocol, again.State // cleaned
		c.Local, c.Remote, c.User = again.Local, again.Remote, again.User
		if !ok || !reflect.DeepEqual(c, again) {
			t.Errorf("%q: %+v, then %+v", line, c, again)
		}
	})
}
