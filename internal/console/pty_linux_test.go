package console

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
	"golang.org/x/sys/unix"
)

// pty is a terminal whose screen a test looks at and whose keys it presses.
type pty struct {
	t      *testing.T
	master *os.File
	slave  *os.File

	mu      sync.Mutex
	changed chan struct{} // closed at the next output
	all     []byte
	rows    [][]rune
	x, y    int
	other   bool // the alternate screen is shown
	cursor  bool
}

func newPTY(t *testing.T, columns, rows int) *pty {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &pty{t: t, master: master, slave: slave, changed: make(chan struct{}), cursor: true}
	p.resize(columns, rows)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.watch()
	}()
	t.Cleanup(func() {
		slave.Close() // ends the reading, when the program has ended too
		<-ended
	})
	return p
}

func (p *pty) resize(columns, rows int) {
	p.t.Helper()
	if err := unix.IoctlSetWinsize(int(p.slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(columns), Row: uint16(rows)}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pty) press(keys string) {
	p.t.Helper()
	if _, err := p.master.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pty) modes() unix.Termios {
	p.t.Helper()
	m, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if err != nil {
		p.t.Fatal(err)
	}
	return *m
}

func (p *pty) watch() {
	buf := make([]byte, 4096)
	var part []byte // of a sequence or character
	for {
		n, err := p.master.Read(buf)
		if n == 0 || err != nil {
			return
		}
		p.mu.Lock()
		p.all = append(p.all, buf[:n]...)
		part = p.show(append(part, buf[:n]...))
		close(p.changed)
		p.changed = make(chan struct{})
		p.mu.Unlock()
	}
}

// show does what a terminal does with output, and returns an incomplete end.
func (p *pty) show(b []byte) []byte {
	text := []rune(string(b))
	for len(text) > 0 {
		r := text[0]
		if r == escape {
			end := 2
			for end < len(text) && (text[end] < '@' || text[end] > '~') {
				end++
			}
			if end >= len(text) {
				return []byte(string(text))
			}
			p.control(string(text[1 : end+1]))
			text = text[end+1:]
			continue
		}
		text = text[1:]
		for len(p.rows) <= p.y {
			p.rows = append(p.rows, nil)
		}
		switch r {
		case '\r':
			p.x = 0
		case '\n':
			p.y++
		default:
			row := &p.rows[p.y]
			for len(*row) <= p.x {
				*row = append(*row, ' ')
			}
			(*row)[p.x] = r
			p.x++
		}
	}
	return nil
}

func (p *pty) control(sequence string) {
	switch sequence {
	case "[H":
		p.x, p.y = 0, 0
	case "[2J":
		p.rows = nil
	case "[K":
		if p.y < len(p.rows) {
			p.rows[p.y] = p.rows[p.y][:min(p.x, len(p.rows[p.y]))]
		}
	case "[J":
		p.rows = p.rows[:min(len(p.rows), p.y+1)]
	case "[?1049h":
		p.other = true
	case "[?1049l":
		p.other, p.rows, p.x, p.y = false, nil, 0, 0
	case "[?25l":
		p.cursor = false
	case "[?25h":
		p.cursor = true
	default:
		if !strings.HasSuffix(sequence, "m") {
			p.t.Errorf("an unexpected sequence: %q", sequence)
		}
	}
}

// until waits for a screen that is as it should be.
func (p *pty) until(what string, fits func(lines []string) bool) (lines []string) {
	p.t.Helper()
	deadline := time.After(testkit.Patience)
	for {
		p.mu.Lock()
		changed := p.changed
		lines = nil
		for _, row := range p.rows {
			lines = append(lines, strings.TrimRight(string(row), " "))
		}
		p.mu.Unlock()
		if fits(lines) {
			return lines
		}
		select {
		case <-changed:
		case <-deadline:
			p.t.Fatalf("no %s on the screen:\n%s", what, strings.Join(lines, "\n"))
		}
	}
}

// untilText waits for a text that stands somewhere.
func (p *pty) untilText(text string) []string {
	p.t.Helper()
	return p.until(text, func(lines []string) bool { return strings.Contains(strings.Join(lines, "\n"), text) })
}

// requireAsBefore fails if the terminal is not as it was before the program.
func (p *pty) requireAsBefore(modes unix.Termios) {
	p.t.Helper()
	p.until("main screen with a cursor", func([]string) bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return !p.other && p.cursor
	})
	if now := p.modes(); now != modes {
		p.t.Errorf("the modes of the terminal are %+v, not %+v as before", now, modes)
	}
}
