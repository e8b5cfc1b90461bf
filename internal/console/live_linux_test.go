package console

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/testkit"
	"golang.org/x/sys/unix"
)

// TestMain is also the program that the tests of live commands run.
func TestMain(m *testing.M) {
	if kind := os.Getenv("CONSOLE_LIVE"); kind != "" {
		l := newLive(os.Stdin, os.Stdout, livePage(kind))
		l.interval = 10 * time.Millisecond
		if err := l.run(context.Background()); err != nil {
			fmt.Println("error:", err)
			os.Exit(ExitFailed)
		}
		fmt.Println("good bye")
		os.Exit(ExitDone)
	}
	os.Exit(m.Run())
}

func livePage(kind string) page {
	round := 0
	status := &statusPage{get: func(context.Context) (control.Status, error) {
		round++
		s := control.Status{Version: fmt.Sprint("round-", round), Now: time.Unix(int64(round), 0)}
		w := control.Worker{Name: "chat"}
		for i := range 30 {
			w.Processes = append(w.Processes, control.Process{PID: 1000 + i, Slot: i, State: control.Ready,
				Figures: control.Figures{Memory: int64(i*7%30) << 20, Requests: uint64(round * i), Rate: 9999}})
		}
		s.Workers = []control.Worker{w}
		switch {
		case kind == "gone" && round > 3:
			return s, errors.New("connection refused")
		case kind == "never":
			return s, errors.New("chat is not running")
		case kind == "panic" && round > 3:
			panic("in a round")
		}
		return s, nil
	}}
	switch kind {
	case "connections":
		return &connectionsPage{get: func(context.Context) ([]control.Connection, error) { return someConnections(5000), nil }}
	case "broken":
		return brokenPage{status}
	}
	return status
}

// brokenPage panics when it is drawn for the third time.
type brokenPage struct{ *statusPage }

func (p brokenPage) draw(v view) sheet {
	if p.now != nil && p.now.Version == "round-3" {
		panic("in drawing")
	}
	return p.statusPage.draw(v)
}

// liveProgram is a live command on a terminal.
type liveProgram struct {
	*pty
	process *os.Process
	modes   unix.Termios
	ended   chan int // exit code
}

func startLive(t *testing.T, kind string, columns, rows int) *liveProgram {
	t.Helper()
	p := &liveProgram{pty: newPTY(t, columns, rows), ended: make(chan int, 1)}
	p.modes = p.pty.modes()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CONSOLE_LIVE="+kind, "TERM=xterm", "NO_COLOR=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.slave, p.slave, p.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.process = cmd.Process
	done := make(chan struct{})
	go func() {
		defer close(done)
		cmd.Wait()
		p.ended <- cmd.ProcessState.ExitCode()
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-done
	})
	return p
}

func (p *liveProgram) requireEnd(code int, text string) {
	p.t.Helper()
	if got := testkit.Receive(p.t, p.ended, "the command ends"); got != code {
		p.t.Errorf("it ended with %d, want %d", got, code)
	}
	p.untilText(text)
	p.requireAsBefore(p.modes)
}

func TestLiveQuits(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"q": "q", "Ctrl+C": "\x03", "Ctrl+\\": "\x1c"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startLive(t, "status", 100, 30)
			p.untilText("round-3")
			if raw := p.pty.modes(); raw.Lflag&unix.ICANON != 0 || raw.Lflag&unix.ECHO != 0 {
				t.Error("keys have to wait for a line, or are echoed")
			}
			p.press(key)
			p.requireEnd(ExitDone, "good bye")
		})
	}
}

func TestLiveKeys(t *testing.T) {
	t.Parallel()
	p := startLive(t, "status", 100, 24)
	first := func(pid string) func([]string) bool {
		return func(lines []string) bool {
			for i, l := range lines {
				if strings.HasPrefix(l, "pid ") {
					return strings.HasPrefix(lines[i+1], pid+" ")
				}
			}
			return false
		}
	}
	p.until("order as it came", first("1000"))
	p.press("2") // memory, the largest first
	p.until("order by memory", first("1017"))
	p.press("r")
	p.until("order by memory, the smallest first", first("1000"))
	p.untilText("sorted by memory  reversed")
	p.press("r0s") // by pid
	p.untilText("sorted by pid")
	p.press("s")
	p.untilText("sorted by memory")
	p.press("\x1b[D\x1b[D") // back to none
	p.until("order as it came", func(lines []string) bool {
		return first("1000")(lines) && !strings.Contains(strings.Join(lines, "\n"), "sorted")
	})
	p.press("\x1b[B\x1b[B\x1b[5;2~") // two down; the third key has no meaning
	p.until("third process", first("1002"))
	p.press("\x1b[F")
	p.untilText("0 below")
	p.untilText("1029 ")
	p.press("\x1b[A")
	p.untilText("1 below")
	p.press("\x1bOH")
	p.until("first process", first("1000"))
	p.press("?")
	p.untilText("r reverse")
	p.press("?")
	p.untilText("? keys")
	p.press("q")
	p.requireEnd(ExitDone, "good bye")
}

func TestLivePauses(t *testing.T) {
	t.Parallel()
	p := startLive(t, "status", 100, 30)
	p.untilText("round-3")
	p.press("p")
	paused := p.untilText("PAUSED")
	p.press("?") // is answered, with the same round
	now := p.untilText("p pause")
	p.press("?")
	again := p.untilText("PAUSED")
	if now[1] != paused[1] || again[1] != paused[1] {
		t.Errorf("it shows %q, %q and then %q while it pauses", paused[1], now[1], again[1])
	}
	p.press("p")
	p.until("next round", func(lines []string) bool { return len(lines) > 1 && lines[1] != again[1] })
	p.press("q")
	p.requireEnd(ExitDone, "good bye")
}

func TestLiveRatesAreBetweenRounds(t *testing.T) {
	t.Parallel()
	p := startLive(t, "status", 140, 50)
	p.until("29 requests a second", func(lines []string) bool {
		for _, l := range lines {
			if f := strings.Fields(l); len(f) > 8 && f[0] == "1029" {
				return f[len(f)-4] == "29"
			}
		}
		return false
	})
	p.press("q")
	p.requireEnd(ExitDone, "good bye")
}

func TestLiveFollowsTheWindow(t *testing.T) {
	t.Parallel()
	p := startLive(t, "connections", 150, 30)
	p.untilText("Foreign Address")
	for _, size := range [][2]int{{80, 24}, {40, 10}, {20, 4}, {10, 2}, {1, 1}, {200, 60}} {
		p.resize(size[0], size[1])
		lines := p.until(fmt.Sprint("screen of ", size), func(lines []string) bool {
			if len(lines) != size[1] {
				return false
			}
			for _, l := range lines {
				if textWidth(l) > size[0] {
					return false
				}
			}
			return true
		})
		if size[1] >= 10 && !strings.HasPrefix(lines[len(lines)-2], "Summary: 5 000") && !strings.HasPrefix(lines[len(lines)-3], "Summary: 5 000") && size[0] >= 80 {
			t.Errorf("no summary at the end of\n%s", strings.Join(lines, "\n"))
		}
	}
	p.press("q")
	p.requireEnd(ExitDone, "good bye")
}

func TestLiveIsSuspendedAndGoesOn(t *testing.T) {
	t.Parallel()
	p := startLive(t, "status", 100, 30)
	p.untilText("round-3")
	for range 3 {
		p.press("\x1a")
		testkit.Eventually(t, "Ctrl+Z stops it", func() bool { return processState(t, p.process.Pid) == "T" })
		p.requireAsBefore(p.modes)
		if err := p.process.Signal(unix.SIGCONT); err != nil {
			t.Fatal(err)
		}
		p.until("screen", func(lines []string) bool { return len(lines) > 1 && strings.HasPrefix(lines[1], "workerman/round-") })
		if raw := p.pty.modes(); raw.Lflag&unix.ICANON != 0 {
			t.Error("keys have to wait for a line after it went on")
		}
	}
	p.press("q")
	p.requireEnd(ExitDone, "good bye")
}

func processState(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return rest[:1]
}

func TestLiveEndsBySignals(t *testing.T) {
	t.Parallel()
	for sig, text := range map[syscall.Signal]string{unix.SIGTERM: "error: ended by the signal terminated", unix.SIGHUP: "error: ended by the signal hangup"} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			p := startLive(t, "status", 100, 30)
			p.untilText("round-3")
			if err := p.process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			p.requireEnd(ExitFailed, text)
		})
	}
}

func TestLiveEndsWithTheMaster(t *testing.T) {
	t.Parallel()
	for kind, text := range map[string]string{
		"gone":  "error: the master does not answer any more: connection refused",
		"never": "error: chat is not running",
		"panic": "error: the master does not answer any more: panic: in a round",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := startLive(t, kind, 100, 30)
			p.requireEnd(ExitFailed, text)
		})
	}
}

func TestLiveLeavesTheTerminalWhenItPanics(t *testing.T) {
	t.Parallel()
	p := startLive(t, "broken", 100, 30)
	p.requireEnd(2, "panic: in drawing")
}
