package console

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

func statusText(t *testing.T, s control.Status, o Look) string {
	t.Helper()
	var b strings.Builder
	if err := Status(&b, s, o); err != nil {
		t.Fatal(err)
	}
	// The system is the one on which the test runs.
	return regexp.MustCompile(`(go1\.26\.8) \w+/\w+`).ReplaceAllString(b.String(), "$1 linux/amd64")
}

func TestStatusLayout(t *testing.T) {
	for _, width := range []int{0, 120, 80, 40} {
		golden(t, fmt.Sprintf("status-%d", width), statusText(t, sample(), Look{Width: width}))
	}
}

func TestStatusInColors(t *testing.T) {
	colored := statusText(t, sample(), Look{Width: 120, Color: true})
	for _, want := range []string{"\x1b[32m[idle]\x1b[0m", "\x1b[31m[lost]\x1b[0m", "\x1b[33m[busy 12s]\x1b[0m", "\x1b[36m[draining, 17 left]\x1b[0m"} {
		if !strings.Contains(colored, want) {
			t.Errorf("no %q in\n%s", want, colored)
		}
	}
	stripped := strings.Split(sgr.ReplaceAllString(colored, ""), "\n")
	for i, line := range strings.Split(statusText(t, sample(), Look{Width: 120}), "\n") {
		if strings.TrimRight(stripped[i], " ") != line {
			t.Errorf("without its colours it is\n%q, not\n%q", stripped[i], line)
		}
	}
}

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestReloadsAreTold(t *testing.T) {
	s := sample()
	for _, c := range []struct {
		reload control.Reload
		want   string
	}{
		{control.Reload{Total: 8, Replaced: 3, Moved: 41204, Draining: 17}, "reload: 3/8 replaced, 41 204 connections moved, 17 draining"},
		{control.Reload{Total: 8, Replaced: 8, Moved: 41204, Done: true, Took: 2.34}, "last reload: 8 processes replaced, 41 204 connections moved in 2.3s"},
		{control.Reload{Total: 8, Done: true, Error: "worker chat: exit code 2"}, "last reload failed: worker chat: exit code 2"},
	} {
		s.Reload = &c.reload
		if text := statusText(t, s, Look{}); !strings.Contains(text, "\n"+c.want+"\n") {
			t.Errorf("no %q in\n%s", c.want, text)
		}
	}
}

func TestStatusWithoutWorkers(t *testing.T) {
	for width := range 90 {
		text := statusText(t, control.Status{}, Look{Width: width})
		if width == 0 && (!strings.Contains(text, "0 workers   0 processes") || !strings.Contains(text, "Summary")) {
			t.Error(text)
		}
	}
}

// The rates of a live status are those between two rounds, whatever processes say.
func TestRatesBetweenTwoRounds(t *testing.T) {
	before, now := sample(), sample()
	now.Now = before.Now.Add(2 * time.Second)
	p := &now.Workers[0].Processes[1]
	p.Requests += 5000
	p.CPU += 1.5
	rows := processRows(&now, &before)
	if rows[1].rate != 2500 || rows[1].load != 75 {
		t.Errorf("%v requests a second with %v %% of a CPU", rows[1].rate, rows[1].load)
	}
	p.PID = 9999 // a process that was not there
	rows = processRows(&now, &before)
	if rows[1].rate != p.Rate {
		t.Errorf("a new process does %v requests a second, not the %v it tells", rows[1].rate, p.Rate)
	}
}

// hostile is a program all of whose words are name.
func hostile(name string) control.Status {
	s := sample()
	s.Version, s.Go, s.Program, s.Build, s.User, s.State, s.PidFile, s.LogFile, s.Admin = name, name, name, name, name, name, name, name, name
	s.Reload.Error = name
	for i := range s.Workers {
		w := &s.Workers[i]
		w.Name, w.Listen, w.Transport, w.User, w.Backoff = name, name, name, name, name
		for j := range w.Exits {
			w.Exits[j].Cause = name
		}
		for j := range w.Processes {
			w.Processes[j].Loops = []control.Loop{{Busy: 5, Callback: name, Place: name}}
		}
		w.Processes[0].State = name
	}
	return s
}

// pages are all tables of a program whose words are name.
func pages(t *testing.T, name string, o Look) string {
	var b bytes.Buffer
	s := hostile(name)
	rows := someConnections(3)
	for i := range rows {
		c := &rows[i]
		c.Worker, c.Transport, c.Protocol, c.State, c.Local, c.Remote, c.User = name, name, name, name, name, name, name
	}
	s.Daemon = len(name)%2 == 0
	for _, err := range []error{Status(&b, s, o), Banner(&b, s, o), Connections(&b, each(rows), 2, o)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func requireWidth(t *testing.T, text string, width int) {
	t.Helper()
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); textWidth(line) > width {
			t.Errorf("%d columns instead of %d: %q", textWidth(line), width, line)
		}
	}
}

func TestNoLineIsWiderThanTheTerminal(t *testing.T) {
	for width := 1; width <= 220; width++ {
		for _, name := range []string{"", "chat", "网关", "e\u0301", strings.Repeat("a long name ", 9), strings.Repeat("很长的名字", 9)} {
			requireWidth(t, pages(t, name, Look{Width: width}), width)
			requireWidth(t, sgr.ReplaceAllString(pages(t, name, Look{Width: width, Color: true}), ""), width)
		}
	}
}

func FuzzNames(f *testing.F) {
	f.Add("\x1b]0;title\a\x1b[2J", 80, true)
	f.Add("\u202e网关\r\n\u200d", 33, false)
	f.Fuzz(func(t *testing.T, name string, width int, color bool) {
		width = max(0, width%300)
		text := pages(t, name, Look{Width: width, Color: color})
		if color {
			text = sgr.ReplaceAllString(text, "")
		}
		requireHarmless(t, text)
		if width > 0 {
			requireWidth(t, text, width)
		}
	})
}
