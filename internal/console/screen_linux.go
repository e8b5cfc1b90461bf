package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// screen is a page on a terminal.
type screen struct {
	*live
	view
	terminal *terminal
	skip     int // lines of the body above the window
	shown    sheet
	paused   bool
	keys     bool // are shown in the last line
	waiting  bool // for the answer of a round
	asked    time.Time
}

// answer is the end of a round.
type answer struct {
	apply func()
	err   error
}

// screen shows the page in place until q, a signal, the end of ctx or of the master.
func (l *live) screen(ctx context.Context) error {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGWINCH, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGHUP, unix.SIGTSTP, unix.SIGCONT)
	defer signal.Stop(signals)
	t := newTerminal(l.in, l.out)
	if err := t.enter(); err != nil {
		return err
	}
	defer t.leave() // a panic passes here too
	keys, stop, err := t.readKeys()
	if err != nil {
		return err
	}
	defer stop()
	tick := time.NewTicker(l.interval)
	defer tick.Stop()

	s := &screen{live: l, terminal: t}
	answers := make(chan answer, 1)
	s.ask(ctx, answers)
	for {
		if err := s.redraw(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case a := <-answers:
			s.waiting = false
			if ctx.Err() != nil {
				return nil
			}
			if a.err != nil {
				return l.gone(a.err)
			}
			if !s.paused || !l.answered {
				a.apply()
			}
			l.answered = true
		case <-tick.C:
			if !s.paused && !s.waiting {
				s.ask(ctx, answers)
			}
		case k, ok := <-keys:
			if !ok {
				return errors.New("the terminal is gone")
			}
			if quit := s.press(k); quit {
				return nil
			}
		case sig := <-signals:
			if end, err := s.signal(sig); end {
				return err
			}
		}
	}
}

// ask begins a round.
func (s *screen) ask(ctx context.Context, answers chan<- answer) {
	s.waiting, s.asked = true, time.Now()
	go func() {
		apply, err := s.round(ctx)
		answers <- answer{apply, err}
	}()
}

// signal does what a signal asks for; true means that it ends the command.
func (s *screen) signal(sig os.Signal) (end bool, err error) {
	switch sig {
	case unix.SIGINT, unix.SIGQUIT:
		return true, nil
	case unix.SIGTERM, unix.SIGHUP:
		return true, fmt.Errorf("ended by the signal %s", sig)
	case unix.SIGTSTP:
		s.terminal.leave()
		return false, unix.Kill(os.Getpid(), unix.SIGSTOP) // returns when it goes on, or a little before it stops
	case unix.SIGCONT:
		if err := s.terminal.enter(); err != nil {
			return true, err
		}
	}
	return false, nil
}

// press does what a key stands for; true means quit.
func (s *screen) press(k key) (quit bool) {
	page := max(1, s.view.lines-s.skip)
	switch k {
	case 'q', 'Q', 0x03:
		return true
	case 's', keyRight:
		s.sortNext(1)
	case 'S', keyLeft:
		s.sortNext(-1)
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if i := int(k - '1'); i < len(s.shown.titles) {
			s.sort = s.shown.titles[i]
		}
	case '0':
		s.sort = ""
	case 'r', 'R':
		s.reverse = !s.reverse
	case 'p', 'P', ' ':
		s.paused = !s.paused
	case '?', 'h':
		s.keys = !s.keys
	case keyUp, 'k':
		s.skip--
	case keyDown, 'j':
		s.skip++
	case keyPageUp:
		s.skip -= page
	case keyPageDown:
		s.skip += page
	case keyHome:
		s.skip = 0
	case keyEnd:
		s.skip = s.shown.length()
	}
	return false
}

// sortNext sorts by the next column, or by none after the last.
func (s *screen) sortNext(step int) {
	n := len(s.shown.titles) + 1
	i := (slices.Index(s.shown.titles, s.sort) + 1 + step + n) % n
	if s.sort = ""; i > 0 {
		s.sort = s.shown.titles[i-1]
	}
}

// redraw writes the screen in one piece, over the one before, so that nothing flickers.
func (s *screen) redraw() error {
	if !s.terminal.active {
		return nil
	}
	columns, rows, _ := windowSize(s.out)
	s.look = LookOf(s.out)
	s.look.Width = max(columns-1, 1) // what stands in the last column may wrap, or be erased with the rest of the line
	s.lines = s.skip + rows
	s.shown = s.page.draw(s.view)
	lines := s.fit(rows - 1)
	var b bytes.Buffer
	b.WriteString("\x1b[H")
	for _, line := range lines {
		b.WriteString(line)
		b.WriteString("\x1b[K\r\n")
	}
	b.WriteString(s.bar())
	b.WriteString("\x1b[K\x1b[J")
	_, err := s.out.Write(b.Bytes())
	return err
}

// fit chooses what of the page is seen in so many rows.
func (s *screen) fit(rows int) []string {
	const least = 3 // rows of the body
	head, foot := s.shown.head, s.shown.foot
	if len(head)+least+len(foot) > rows && len(head) > 0 {
		head = head[len(head)-1:] // the titles
	}
	if len(head)+least+len(foot) > rows {
		foot = nil
	}
	room := max(rows-len(head)-len(foot), 0)
	s.skip = max(0, min(s.skip, s.shown.length()-room))
	s.lines = s.skip + room
	body := s.shown.body[min(s.skip, len(s.shown.body)):]
	body = body[:min(len(body), room)]
	lines := slices.Concat(head, body, foot)
	return lines[:max(0, min(len(lines), rows))]
}

// bar is the last line: what can be pressed, or how the page is looked at.
func (s *screen) bar() string {
	var parts []string
	if s.keys {
		parts = []string{"q quit", "s S 1-9 sort", "0 unsorted", "r reverse", "p pause", "arrows, page keys scroll", "? back"}
	} else {
		parts = []string{"? keys", "q quit"}
		if s.sort != "" {
			parts = append(parts, "sorted by "+s.sort)
		}
		if s.reverse {
			parts = append(parts, "reversed")
		}
		if below := s.shown.length() - s.lines; below > 0 || s.skip > 0 {
			parts = append(parts, fmt.Sprintf("%d above, %d below", s.skip, max(below, 0)))
		}
		if s.paused {
			parts = append(parts, "PAUSED")
		}
		if wait := time.Since(s.asked); s.waiting && wait > 2*s.interval {
			parts = append(parts, "no answer for "+span(wait))
		}
	}
	return string(s.look.paint(nil, "7", []byte(s.look.cut(strings.Join(parts, "  ")))))
}
