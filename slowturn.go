package workerman

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
)

// What the watchdog does about a slow turn: it counts each, and logs each place once. All of it
// runs with d.mu held, and leaves the lines for the log to the end of the look.

// blame finds out what the loop stands at.
func (d *watchdog) blame(l *loop.Loop, w *watchedTurn, now time.Time) {
	c, looked := d.examine(l, w, now)
	if c == nil {
		if looked {
			w.since = now // it waits for the processor, or went on just now
		}
		return
	}
	w.blamed = true
	d.count(w)
	if !d.tell(c.callback + " " + c.function) {
		return
	}
	w.told = c
	level, held, log := slog.LevelWarn, w.turn.Held, d.loggerOf(l)
	if c.callback == "OnWorkerStart" {
		level = slog.LevelInfo // which may take its time
	}
	d.reports = append(d.reports, func() {
		log.Log(context.Background(), level, "a callback holds its event loop", "callback", c.callback, "for", held.Round(time.Millisecond).String(),
			"place", c.place, "stack", c.stack())
	})
}

// crowded deals with a turn that is long because many callbacks follow each other.
func (d *watchdog) crowded(l *loop.Loop, w *watchedTurn) {
	d.count(w)
	if !d.tell(manyCallbacks) {
		return
	}
	held, log := w.turn.Held, d.loggerOf(l)
	d.reports = append(d.reports, func() {
		log.Warn("an event loop has more to do than it can", "callback", manyCallbacks, "for", held.Round(time.Millisecond).String())
	})
}

const manyCallbacks = "many callbacks in one turn"

// count counts a slow turn once.
func (d *watchdog) count(w *watchedTurn) {
	if !w.counted {
		w.counted = true
		d.slow.Add(1)
	}
}

// tell reports whether something is to be logged: once, and not without end.
func (d *watchdog) tell(what string) bool {
	if d.told[what] || len(d.told) >= maxPlaces {
		return false
	}
	d.told[what] = true
	return true
}

// ended tells how long a turn took in all that the log knows of.
func (d *watchdog) ended(l *loop.Loop, w *watchedTurn) {
	if w.told == nil {
		return
	}
	took, ok := l.Took(w.turn.Began)
	if !ok {
		took = w.turn.Held
	}
	c, log := w.told, d.loggerOf(l)
	d.reports = append(d.reports, func() {
		log.Info("a slow callback has returned", "callback", c.callback, "took", took.Round(time.Millisecond).String(), "place", c.place)
	})
}

// loggerOf is the logger of the worker that a loop serves, if it is one alone.
func (d *watchdog) loggerOf(l *loop.Loop) *slog.Logger {
	m := d.master
	var only *service
	for _, s := range m.runningServices() {
		if slices.Contains(s.loops, l) {
			if only != nil {
				return m.logger()
			}
			only = s
		}
	}
	if only == nil {
		return m.logger()
	}
	return only.log
}
