package watch

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
)

// What the watchdog does about a slow turn: it counts each, and logs each site once. All of it
// runs with d.mu held, and leaves the lines for the log to the end of the look.

const (
	// maxLogged bounds the sites that are logged; further slow callbacks are only counted.
	maxLogged = 64
	// manyCallbacks stands for the callback where no single one is slow.
	manyCallbacks = "many callbacks in one turn"
)

// blame finds out what the loop stands at, counts the turn and logs the site.
func (d *Watchdog) blame(l *loop.Loop, w *watchedTurn, now time.Time) {
	site, looked := d.examine(l, w, now)
	if site == nil {
		if looked {
			w.since = now // it waits for the processor, or went on just now
		}
		return
	}
	w.blamed = true
	d.count(w)
	if !d.isNews(site.Callback + " " + site.function) {
		return
	}
	w.logged = site
	level, held, log := slog.LevelWarn, w.turn.Held, d.service.Logger(l)
	if slices.Contains(d.callbacks.Lengthy, site.Callback) {
		level = slog.LevelInfo
	}
	d.reports = append(d.reports, func() {
		log.Log(context.Background(), level, "a callback holds its event loop", "callback", site.Callback,
			"for", held.Round(time.Millisecond).String(), "place", site.Place, "stack", site.stack())
	})
}

// crowded deals with a turn that is long because many callbacks follow each other.
func (d *Watchdog) crowded(l *loop.Loop, w *watchedTurn) {
	d.count(w)
	if !d.isNews(manyCallbacks) {
		return
	}
	held, log := w.turn.Held, d.service.Logger(l)
	d.reports = append(d.reports, func() {
		log.Warn("an event loop has more to do than it can", "callback", manyCallbacks, "for", held.Round(time.Millisecond).String())
	})
}

// count counts a slow turn once.
func (d *Watchdog) count(w *watchedTurn) {
	if !w.counted {
		w.counted = true
		d.slow.Add(1)
	}
}

// isNews reports whether something is to be logged: once, and not without end.
func (d *Watchdog) isNews(what string) bool {
	if d.logged[what] || len(d.logged) >= maxLogged {
		return false
	}
	d.logged[what] = true
	return true
}

// ended logs how long a turn took in all, if the log knows of it.
func (d *Watchdog) ended(l *loop.Loop, w *watchedTurn) {
	if w.logged == nil {
		return
	}
	took, ok := l.Took(w.turn.Began)
	if !ok {
		took = w.turn.Held
	}
	site, log := w.logged, d.service.Logger(l)
	d.reports = append(d.reports, func() {
		log.Info("a slow callback has returned", "callback", site.Callback,
			"took", took.Round(time.Millisecond).String(), "place", site.Place)
	})
}
