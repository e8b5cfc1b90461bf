package watch

import (
	"strings"
	"testing"

	"github.com/workerman-go/workerman/internal/stack"
)

// What a stack tells, by the stack as the runtime prints it.
func TestSite(t *testing.T) {
	library := &Callbacks{Module: "example.com/lib", Names: map[string]string{
		"(*Conn).message": "OnMessage", "(*Conn).encode": "Encode", "Async[...]": "Async",
		"internal/loop.(*tasks).run": "Post", "internal/loop.(*Timer).expire": "timer",
	}}
	const run = "example.com/lib/internal/loop.(*Loop).turn /lib/loop.go:170|example.com/lib/internal/loop.(*Loop).Run /lib/loop.go:114"
	for _, test := range []struct {
		name, state, frames string // the innermost first
		idle                bool
		callback, place     string
	}{
		{name: "a loop that waits for events", state: "syscall", frames: "syscall.Syscall6 /go/syscall.go:7|example.com/lib/internal/loop.(*Loop).wait /lib/loop.go:142|" + run, idle: true},
		{name: "a program that computes", state: "running",
			frames:   "main.search /src/main.go:31|main.main.func1 /src/main.go:9|example.com/lib.(*Conn).message /lib/conn.go:8|" + run,
			callback: "OnMessage", place: "main.search (/src/main.go:31)"},
		{name: "a program that calls the standard library", state: "sleep",
			frames:   "runtime.gopark /go/proc.go:1|time.Sleep /go/time.go:2|main.search /src/main.go:31|example.com/lib.(*Conn).message /lib/conn.go:8|" + run,
			callback: "OnMessage", place: "main.search (/src/main.go:31) in time.Sleep"},
		{name: "a program that waits by itself", state: "chan receive",
			frames:   "runtime.gopark /go/proc.go:1|main.search /src/main.go:31|example.com/lib.(*Conn).message /lib/conn.go:8|" + run,
			callback: "OnMessage", place: "main.search (/src/main.go:31) in chan receive"},
		{name: "a library of the program's choice", state: "running",
			frames:   "example.org/db.scan /db/db.go:5|main.find /src/main.go:40|example.com/lib.(*Conn).message /lib/conn.go:8|" + run,
			callback: "OnMessage", place: "main.find (/src/main.go:40) in example.org/db.scan"},
		{name: "a library that the library calls", state: "running",
			frames:   "example.org/db.scan /db/db.go:5|example.com/lib.(*Conn).message /lib/conn.go:8|" + run,
			callback: "OnMessage", place: "example.org/db.scan (/db/db.go:5)"},
		{name: "a callback in a callback", state: "running",
			frames: "main.protocol.Encode /src/main.go:50|example.com/lib.(*Conn).encode /lib/conn.go:20|example.com/lib.(*Conn).Send /lib/conn.go:18|" +
				"main.main.func1 /src/main.go:9|example.com/lib.(*Conn).message /lib/conn.go:8|" + run,
			callback: "OnMessage", place: "main.protocol.Encode (/src/main.go:50)"},
		{name: "a closure of a generic function", state: "running",
			frames: "main.done /src/main.go:60|example.com/lib.Async[...].func1.2 /lib/async.go:9|example.com/lib/internal/loop.(*tasks).run /lib/tasks.go:4|" + run,
			// The first function of the table counts, not the one that runs it.
			callback: "Async", place: "main.done (/src/main.go:60)"},
		{name: "the library's tests are programs", state: "running",
			frames:   "example.com/lib.held /lib/conn_test.go:3|example.com/lib/internal/loop.(*Timer).expire /lib/timer.go:4|" + run,
			callback: "timer", place: "example.com/lib.held (/lib/conn_test.go:3)"},
		{name: "work of the library's own", state: "running",
			frames:   "syscall.write /go/syscall.go:7|example.com/lib/internal/loop.(*Stream).flush /lib/send.go:3|" + run,
			callback: noCallback, place: "example.com/lib/internal/loop.(*Stream).flush (/lib/send.go:3) in syscall.write"},
		{name: "no function of the table", state: "running", frames: "main.f /src/main.go:1|example.com/lib.other /lib/x.go:2",
			callback: noCallback, place: "main.f (/src/main.go:1)"},
		{name: "another library of a longer name", state: "running", frames: "example.com/library.(*Conn).message /l/x.go:2",
			callback: noCallback, place: "example.com/library.(*Conn).message (/l/x.go:2)"},
		{name: "no frames", state: "running", callback: noCallback},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := library.find(goroutine(t, test.state, test.frames))
			if s == nil || test.idle {
				if (s == nil) != test.idle {
					t.Fatalf("got %+v, want idle %v", s, test.idle)
				}
				return
			}
			if s.Callback != test.callback || s.Place != test.place {
				t.Errorf("got %q at %q, want %q at %q", s.Callback, s.Place, test.callback, test.place)
			}
			if got, want := strings.Count(s.stack(), "\n\t"), len(s.frames); got != want {
				t.Errorf("got a stack of %d frames, want %d", got, want)
			}
		})
	}
}

// goroutine makes a goroutine of its frames, "function file:line" between bars.
func goroutine(t *testing.T, state, frames string) stack.Goroutine {
	t.Helper()
	var dump strings.Builder
	dump.WriteString("goroutine 7 [" + state + "]:\n")
	for frame := range strings.SplitSeq(frames, "|") {
		if fn, at, ok := strings.Cut(frame, " "); ok {
			dump.WriteString(fn + "(...)\n\t" + at + "\n")
		}
	}
	g, ok := stack.Find([]byte(dump.String()), 7)
	if !ok {
		t.Fatalf("not understood:\n%s", &dump)
	}
	return g
}
