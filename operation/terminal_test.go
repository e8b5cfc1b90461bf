//go:build linux

package operation

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// has fails if a text is missing.
func has(t *testing.T, text string, wanted ...string) {
	t.Helper()
	if missing := lacks(text, wanted); missing != "" {
		t.Errorf("no %q in\n%s", missing, text)
	}
}

// stopsSoon stops what a test has started, if the test did not.
func (in *installation) stopsSoon() {
	in.t.Cleanup(func() { in.run("stop") })
}

func TestTerminalForeground(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.stopsSoon()
	tm := in.terminal(t, 120, 40)
	tm.begin("./app -count 2")
	screen := tm.shows("WORKERMAN", "orders", "[OK]", "Press Ctrl+C to stop. Start success.")
	has(t, screen, "proto", "user", "worker", "listen", "processes", "loops", "state", "text://127.0.0.1:")
	if n := strings.Count(screen, "worker started"); n != 0 {
		t.Errorf("the log repeats what the banner says %d times", n)
	}
	c := dial(t, in.address("orders"))
	c.ask("hi")
	tm.press("C-c")
	has(t, tm.ended(0), "stopping", "signal interrupt")
	c.closed()
	if n := len(in.processes()); n != 0 {
		t.Errorf("%d processes are left", n)
	}
}

// While a stop waits, a second Ctrl+C ends everything at once.
func TestTerminalSecondInterrupt(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	tm := in.terminal(t, 120, 40)
	tm.begin("./app -stop-timeout 10m")
	tm.shows("Start success")
	dial(t, in.address("orders")).send("sleep")
	tm.press("C-c")
	tm.shows("stopping")
	tm.press("C-c")
	has(t, tm.ended(0), "killed by the master: second signal interrupt")
	if n := len(in.processes()); n != 0 {
		t.Errorf("%d processes are left", n)
	}
}

func TestTerminalDaemon(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.stopsSoon()
	tm := in.terminal(t, 120, 40)
	text := tm.run(0, "./app start -d -count 2")
	has(t, text, "WORKERMAN", "orders", "[OK]", "Input \"", "app stop\" to stop. Start success.")
	has(t, tm.run(0, "./app status"), "GLOBAL STATUS", "as daemon", "1 worker", "2 processes", "state: running", "PROCESS STATUS", "[idle]", "Summary")
	has(t, tm.run(1, "./app start"), "already running, pid")

	c := dial(t, in.address("orders"))
	c.ask("hi")
	has(t, tm.run(0, "./app connections"), "Foreign Address", c.conn.LocalAddr().String(), "established", "Summary: 1 connection ")
	has(t, tm.run(0, "./app connections --worker nobody"), "Summary: 0 connections")
	has(t, tm.run(0, "./app connections --peer 127. --state established --limit 5"), c.conn.LocalAddr().String())
	has(t, tm.run(2, "./app connections --idle soon"), `--idle needs a duration, as 90s or 5m, not "soon"`)

	in.deploy("2", "")
	has(t, tm.run(0, "./app reload"), "reload success: 2 processes replaced", "1 connection moved")
	has(t, tm.run(0, "./app stack orders | grep ' id '"), "worker orders  id 0", "worker orders  id 1")
	has(t, tm.run(1, "./app stack nobody"), "no such process")
	has(t, tm.run(0, "./app logs -n 20"), "reloaded processes=2")
	has(t, tm.run(0, "./app restart -d"), "stop success", "Start success")
	has(t, tm.run(0, "./app stop"), "stop success in")
	has(t, tm.run(3, "./app status"), "not running")
	has(t, tm.run(0, "./app logs"), "stopped") // that of the last run
}

// What a command prints on a pipe has no escape sequences, and progress its lines.
func TestPipedCommands(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	start := in.must("start", "-d", "-count", "2")
	in.stopsSoon()
	has(t, start.out, "Start success")
	dial(t, in.address("orders")).ask("hi")
	all := start.out
	for _, c := range []struct {
		args string
		want []string
	}{
		{"status", []string{"GLOBAL STATUS", "orders"}},
		{"connections", []string{"established"}},
		{"connections --json", []string{`"worker":"orders"`}},
		{"stack", []string{"worker orders"}},
		{"logs", []string{"worker started"}},
		{"check", []string{"pid file"}},
		{"check --json", []string{`"subject"`}},
		{"systemd", []string{"[Service]", "ExecStart="}},
		{"help", []string{"Usage:", "Flags of the program:"}},
		{"status --help", []string{"Usage:", "show it every second"}},
		{"help connections", []string{"Usage:", "--idle DURATION"}},
		{"completion bash", []string{"complete "}},
		{"completion zsh", []string{"compdef "}},
		{"reload", []string{"reload: 1/2 replaced", "reload success: 2 processes replaced"}},
		{"stop", []string{"stop: 2 processes left", "stop success"}},
	} {
		r := in.must(strings.Fields(c.args)...)
		if missing := lacks(r.out, c.want); missing != "" || r.errOut != "" {
			t.Errorf("%s: no %q in\n%sand errors\n%s", c.args, missing, r.out, r.errOut)
		}
		all += r.out
	}
	if strings.ContainsAny(all, "\x1b\r") {
		t.Error("there are escape sequences or carriage returns in what is piped")
	}
}

// Usage errors are told in a line or two that say what was meant.
func TestUsageErrors(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	for _, c := range []struct{ args, text string }{
		{"statsu", `unknown command "statsu": did you mean "status"?`},
		{"nonsense", `unknown command "nonsense": "app help" lists the commands`},
		{"completion fish", `completion: does not know "fish"`},
		{"completion", "completion: needs bash|zsh"},
		{"status -d --json", "exclude each other"},
		{"logs -n many", "-n needs a number"},
		{"connections --pid", "--pid needs a value"},
		{"-count 2 start -d", "a command is the first argument"},
		{"help nonsense", `help: does not know "nonsense"`},
	} {
		r := in.run(strings.Fields(c.args)...)
		if r.code != 2 || !strings.Contains(r.errOut, c.text) || strings.Count(r.errOut, "\n") > 2 || r.out != "" {
			t.Errorf("%s: exit code %d, %q, %q", c.args, r.code, r.out, r.errOut)
		}
	}
}

func TestTerminalLiveStatus(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-count", "2")
	tm := in.terminal(t, 120, 40)
	tm.begin("./app status -d")
	tm.shows("GLOBAL STATUS", "? keys", "0 connections")
	dial(t, in.address("orders")).ask("hi")
	tm.shows("1 connection ") // another round
	tm.press("s")
	tm.shows("sorted by")
	for _, size := range [][2]int{{60, 12}, {200, 50}, {30, 6}, {120, 40}} {
		tm.resize(size[0], size[1])
		tm.until(fmt.Sprint("a page of ", size), func(text string) bool {
			lines := strings.Split(text, "\n")
			long := slices.ContainsFunc(lines, func(l string) bool { return len(l) > size[0] })
			return !long && len(lines) <= size[1] && strings.HasPrefix(lines[len(lines)-1], "? keys") && strings.Contains(text, " pid ") == (size[0] > 60)
		})
	}
	tm.press("q")
	tm.ended(0)
}

func TestTerminalLiveConnections(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon()
	addr := in.address("orders")
	tm := in.terminal(t, 150, 40)
	tm.begin("./app connections -d")
	tm.shows("Summary: 0 connections")
	c := dial(t, addr)
	c.ask("hi")
	tm.shows(c.conn.LocalAddr().String(), "Summary: 1 connection ")
	c.conn.Close()
	tm.shows("Summary: 0 connections")
	in.must("stop")
	has(t, tm.ended(3), "the master does not answer any more")
}

func TestTerminalFollowsTheLog(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon()
	tm := in.terminal(t, 150, 40)
	tm.begin("./app logs -f")
	tm.shows("worker started")
	in.must("reload")
	tm.shows("reloaded processes=1")
	tm.press("C-c")
	tm.ended(0)
}

// A terminal that goes takes a service in its foreground along, and no daemon.
func TestClosedTerminal(t *testing.T) {
	t.Parallel()
	front, back := install(t, "1"), install(t, "1")
	back.stopsSoon()
	a, b := front.terminal(t, 120, 40), back.terminal(t, 120, 40)
	a.begin("./app -count 2 -log-file app.log")
	a.shows("Start success")
	b.run(0, "./app start -d")
	a.close()
	b.close()
	front.until("the service is gone", func() bool { return len(front.processes()) == 0 })
	has(t, front.log(), "signal hangup", "OnWorkerStop in version 1", "stopped")
	if got := dial(t, back.address("orders")).ask("hi"); got != "hi" {
		t.Errorf("the daemon answers %q", got)
	}
}

// With nohup, and as a job in the background of a script, a service outlives the terminal.
func TestNohup(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.stopsSoon()
	tm := in.terminal(t, 120, 40)
	tm.enter("nohup ./app >/dev/null 2>&1 &")
	in.until("it serves", func() bool { return in.run("status").code == 0 && in.status().State == "running" })
	syscall.Kill(in.status().PID, syscall.SIGHUP)
	tm.close()
	if got := dial(t, in.address("orders")).ask("hi"); got != "hi" {
		t.Errorf("answer %q", got)
	}
	in.until("its file is not touched", func() bool { return in.status().State == "running" })
	in.must("stop")
}

// Ctrl+Z suspends the master alone: clients are served on, commands say what is the matter,
// and fg or bg brings it back.
func TestSuspendedMaster(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.stopsSoon()
	tm := in.terminal(t, 120, 40)
	tm.enter("./app -listen text://127.0.0.1:0")
	tm.shows("Start success")
	s := in.status()
	addr := in.address("orders")
	tm.press("C-z")
	tm.shows("Stopped")
	if got := dial(t, addr).ask("hi"); got != "hi" {
		t.Errorf("answer %q", got)
	}
	in.refuse(1, fmt.Sprintf("the master, pid %d, is suspended", s.PID), "status")
	tm.enter("bg")
	in.until("it answers", func() bool { return in.run("status").code == 0 })
	tm.enter("fg")
	tm.until("the command that fg brings back", func(text string) bool { return strings.HasPrefix(text, "./app") })
	if n := len(in.status().Workers[0].Processes); n != 1 {
		t.Errorf("%d processes", n)
	}
	tm.press("C-c")
	in.until("it has stopped", func() bool { return len(in.processes()) == 0 })
}

// On a terminal that stops jobs in the background when they write (stty tostop), processes
// write, and are not stopped.
func TestTerminalThatStopsWriters(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.stopsSoon()
	tm := in.terminal(t, 120, 40)
	tm.begin("stty tostop; ./app")
	tm.shows("Start success")
	c := dial(t, in.address("orders"))
	for _, order := range []string{"log 1", "print hello"} {
		if got := c.ask(order); got != "logged" && got != "printed" {
			t.Errorf("%s: answer %q", order, got)
		}
	}
	tm.shows("line 0 of process", "hello")
	tm.press("C-c")
	tm.ended(0)
}

// Long names and narrow windows: no command writes beyond the window.
func TestNarrowTerminal(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.stopsSoon()
	tm := in.terminal(t, 50, 60)
	for _, c := range []struct{ args, text string }{
		{"start -d", "[OK]"}, {"status", "Summary"}, {"connections", "Summary"}, {"reload", "reload success"}, {"stop", "stop success"},
	} {
		has(t, tm.run(0, "./app "+c.args), c.text)
	}
}
