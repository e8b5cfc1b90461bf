package console

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// LiveStatus shows what fetch returns every second until the user quits or ctx ends, which
// is no error. On a terminal it redraws one screen and takes keys from in; otherwise, and
// on a dumb terminal, it prints one block after the other. Requests per second and the load
// are those between two rounds. An error of fetch ends it: the master is gone. So do
// SIGTERM and SIGHUP, with an error. The terminal is left as it was.
func LiveStatus(ctx context.Context, in, out *os.File, fetch func(context.Context) (control.Status, error)) error {
	return newLive(in, out, &statusPage{get: fetch}).run(ctx)
}

// LiveConnections is LiveStatus for connections.
func LiveConnections(ctx context.Context, in, out *os.File, fetch func(context.Context) ([]control.Connection, error)) error {
	return newLive(in, out, &connectionsPage{get: fetch}).run(ctx)
}

// page is what a live command shows.
type page interface {
	// fetch asks for the figures of a round, on a goroutine of its own. What it returns
	// puts them on the page.
	fetch(ctx context.Context) (apply func(), err error)
	// draw renders the page.
	draw(v view) sheet
}

// view is how the user looks at a page.
type view struct {
	look    Look
	sort    string // title of a column, "" for the order in which the rows come
	reverse bool
	lines   int // how many lines of the body are needed at most
}

// live is a command that shows a page again and again.
type live struct {
	in, out  *os.File
	page     page
	interval time.Duration
	answered bool // at least once
}

func newLive(in, out *os.File, p page) *live {
	return &live{in: in, out: out, page: p, interval: time.Second}
}

func (l *live) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if _, _, ok := windowSize(l.out); ok && !dumb() {
		return l.screen(ctx)
	}
	return l.blocks(ctx)
}

// blocks prints the page as often as there is a round.
func (l *live) blocks(ctx context.Context) error {
	tick := time.NewTicker(l.interval)
	defer tick.Stop()
	for {
		apply, err := l.round(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return l.gone(err)
		}
		apply()
		if l.answered {
			if _, err := io.WriteString(l.out, "\n"); err != nil {
				return err
			}
		}
		l.answered = true
		if err := writeSheet(l.out, l.page.draw(view{lines: Look{}.limit()})); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// round fetches once. A panic there is an error: it must not leave the terminal as it is.
func (l *live) round(ctx context.Context) (apply func(), err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return l.page.fetch(ctx)
}

// gone is the error of a round: the first one says for itself what is wrong.
func (l *live) gone(err error) error {
	if !l.answered {
		return err
	}
	return fmt.Errorf("the master does not answer any more: %w", err)
}
