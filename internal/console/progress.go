package console

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// Progress shows how far a command has got, until its events end: in place on a terminal,
// otherwise one line for each process. The last line says how it ended, beginning with
// what, as "chat reload". The error says why it did not succeed: the event's, that of the
// events themselves, or that the master went away before it told the end.
func Progress(w io.Writer, what string, events iter.Seq2[control.Event, error], o Look) error {
	p := &progress{w: w, look: o}
	began := time.Now()
	var last control.Event
	for e, err := range events {
		if err != nil {
			return p.fail(what, err)
		}
		if e.Reload != nil {
			last.Reload = e.Reload
			if e.Error == "" {
				e.Error = e.Reload.Error
			}
		}
		switch {
		case e.Error != "":
			return p.fail(what, errors.New(clean(e.Error)))
		case e.Text != "":
			p.say(clean(e.Text))
		}
		if e.Done {
			text := what + " success"
			if r := last.Reload; r != nil {
				text += ": " + reloadDone(r)
			} else {
				text += " in " + span(time.Since(began))
			}
			p.end(green, text)
			return p.err
		}
		switch {
		case e.Reload != nil:
			p.step(what+": "+reloadProgress(e.Reload), e.Reload.Replaced)
		case e.Left > 0:
			p.step(fmt.Sprintf("%s: %s left", what, plural(int64(e.Left), "process")), e.Left)
		}
	}
	return p.fail(what, errors.New("the master went away before it told how it ended"))
}

// progress is a line that changes.
type progress struct {
	w     io.Writer
	look  Look
	shown int // width of the line in place
	count int // how many the step before had
	begun bool
	err   error // why the first write failed; the command goes on without its reader
}

// step changes the line; without a terminal only a different count is worth a new one.
func (p *progress) step(text string, count int) {
	if p.look.Width == 0 {
		if !p.begun || count != p.count {
			p.write(text + "\n")
		}
	} else {
		text = string(appendCut(nil, text, p.look.Width-1)) // the cursor stays in the line
		width := textWidth(text)
		p.write("\r" + string(appendSpaces([]byte(text), p.shown-width)))
		p.shown = width
	}
	p.begun, p.count = true, count
}

// say prints a line for good.
func (p *progress) say(text string) { p.end(plain, text) }

// end replaces the line in place by one for good.
func (p *progress) end(color, text string) {
	if p.shown > 0 {
		p.write("\r" + string(appendSpaces(nil, p.shown)) + "\r")
		p.shown = 0
	}
	p.write(strings.Join(p.look.wrapIn(color, text), "\n") + "\n")
}

func (p *progress) fail(what string, err error) error {
	p.end(red, what+" fail: "+clean(err.Error()))
	return err
}

func (p *progress) write(text string) {
	if _, err := io.WriteString(p.w, text); err != nil && p.err == nil {
		p.err = err
	}
}
