//go:build linux

package operation

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// findTmux looks for tmux, and installs it if it may.
var findTmux = sync.OnceValue(func() error {
	if _, err := exec.LookPath("tmux"); err == nil {
		return nil
	}
	const missing = "tmux is not installed (Debian: apt-get install tmux)"
	if os.Geteuid() != 0 {
		return errors.New(missing)
	}
	out, err := exec.Command("sh", "-c", "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends tmux").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", missing, err, out)
	}
	return nil
})

// terminal is a terminal with a shell in the folder of an installation.
type terminal struct {
	t      *testing.T
	socket string // of the tmux server, which this terminal has for itself
	marks  int
}

func (in *installation) terminal(t *testing.T, columns, rows int) *terminal {
	t.Helper()
	if err := findTmux(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := filepath.Dir(in.program)
	tm := &terminal{t: t, socket: filepath.Join(dir, "tmux")}
	tm.tmux("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(columns), "-y", fmt.Sprint(rows), "-c", dir,
		"-e", "PS1=$ ", "-e", "GORACE=atexit_sleep_ms=0", "bash", "--norc", "--noprofile")
	tm.tmux("set-option", "-g", "remain-on-exit", "on", ";", "set-option", "-g", "window-size", "manual")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the terminal shows:\n%s", tm.screen())
		}
		exec.Command("tmux", "-S", tm.socket, "kill-server").Run()
	})
	tm.until("a prompt", func(text string) bool { return strings.HasPrefix(text, "$") })
	return tm
}

func (tm *terminal) tmux(args ...string) string {
	tm.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", tm.socket}, args...)...).CombinedOutput()
	if err != nil {
		tm.t.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// screen is what can be seen. Lines that the terminal has wrapped are one.
func (tm *terminal) screen() string {
	tm.t.Helper()
	lines := strings.Split(tm.tmux("capture-pane", "-p", "-J"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// press presses keys by their names, as C-c and Enter.
func (tm *terminal) press(keys ...string) {
	tm.t.Helper()
	tm.tmux(append([]string{"send-keys"}, keys...)...)
}

// enter clears the screen and types a line.
func (tm *terminal) enter(line string) {
	tm.t.Helper()
	tm.tmux("send-keys", "-l", "clear; "+line)
	tm.press("Enter")
}

// run runs a command to its end and returns what it has left on the screen.
func (tm *terminal) run(code int, line string) string {
	tm.t.Helper()
	tm.begin(line)
	return tm.ended(code)
}

// begin starts a command whose end is awaited by ended.
func (tm *terminal) begin(line string) {
	tm.t.Helper()
	tm.marks++
	tm.enter(fmt.Sprintf(`%s; echo "command %d ended with $?"`, line, tm.marks))
}

// ended waits for the end of the command and its exit code.
func (tm *terminal) ended(code int) string {
	tm.t.Helper()
	mark := regexp.MustCompile(fmt.Sprintf(`command %d ended with (\d+)`, tm.marks))
	var end []string
	text := tm.until("the end of the command", func(text string) bool {
		end = mark.FindStringSubmatch(text)
		return end != nil
	})
	if end[1] != fmt.Sprint(code) {
		tm.t.Errorf("exit code %s, want %d:\n%s", end[1], code, text)
	}
	return text
}

// until waits for a screen.
func (tm *terminal) until(what string, fits func(text string) bool) (text string) {
	tm.t.Helper()
	until(tm.t, what+" on the screen", func() bool {
		text = tm.screen()
		return fits(text)
	})
	return text
}

// shows waits for texts.
func (tm *terminal) shows(texts ...string) string {
	tm.t.Helper()
	return tm.until(fmt.Sprintf("%q", texts), func(screen string) bool { return lacks(screen, texts) == "" })
}

// lacks is the first of the texts that is missing in text.
func lacks(text string, texts []string) string {
	for _, want := range texts {
		if !strings.Contains(text, want) {
			return want
		}
	}
	return ""
}

// resize changes the window.
func (tm *terminal) resize(columns, rows int) {
	tm.t.Helper()
	tm.tmux("resize-window", "-x", fmt.Sprint(columns), "-y", fmt.Sprint(rows))
}

// close closes the window, as a user does who has not stopped what runs there.
func (tm *terminal) close() {
	tm.t.Helper()
	tm.tmux("respawn-pane", "-k", "true") // ends the shell's session; the server stays
}
