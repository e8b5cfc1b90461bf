package console

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// Status prints a running program: what there is of it, how its processes ended, and a
// table of its processes.
func Status(w io.Writer, s control.Status, o Look) error {
	return writeSheet(w, statusSheet(&s, processRows(&s, nil), o, ""))
}

// sheet is a page in three parts; where a screen is too small the body is cut.
type sheet struct {
	head, body, foot []string
	titles           []string // titles for the columns of the body
	total            int      // lines of the body, if not all are there
}

// length is how many lines the whole body has.
func (s *sheet) length() int { return max(s.total, len(s.body)) }

func writeSheet(w io.Writer, s sheet) error {
	var b strings.Builder
	for _, part := range [][]string{s.head, s.body, s.foot} {
		for _, line := range part {
			b.WriteString(line)
			b.WriteByte('\n')
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func statusSheet(s *control.Status, rows []processRow, o Look, sorted string) sheet {
	head := []string{o.rule(" GLOBAL STATUS ")}
	head = append(head, globalLines(s, o)...)
	head = append(head, exitLines(s, o)...)
	head = append(head, o.rule(" PROCESS STATUS "))
	sum := summary(rows)
	table := newLayout(o, processColumns(), append(rows[:len(rows):len(rows)], sum))
	table.sorted = sorted
	head = append(head, line(table.appendHead(nil)))
	var body []string
	for i := range rows {
		body = append(body, line(table.appendRow(nil, &rows[i])))
		body = append(body, busyLines(&rows[i], o)...)
	}
	foot := []string{o.rule(""), line(table.appendRow(nil, &sum))}
	return sheet{head: head, body: body, foot: append(foot, troubleLines(s, o)...), titles: table.titles()}
}

// line is a rendered line without its line feed.
func line(b []byte) string { return strings.TrimSuffix(string(b), "\n") }

// globalLines tell of the program as a whole.
func globalLines(s *control.Status, o Look) []string {
	processes, loops := 0, 0
	for _, w := range s.Workers {
		processes += len(w.Processes)
		for _, p := range w.Processes {
			loops += len(p.Loops)
		}
	}
	build := clean(s.Program)
	if s.Build != "" {
		build += " (" + clean(s.Build) + ")"
	}
	mode := "in the foreground"
	if s.Daemon {
		mode = "as daemon"
	}
	lines := o.flow("workerman/"+clean(s.Version), clean(s.Go)+" "+runtime.GOOS+"/"+runtime.GOARCH, "program:"+build,
		fmt.Sprintf("master pid %d of %s %s", s.PID, clean(s.User), mode))
	lines = append(lines, o.flow("start time:"+s.Started.Format(timeLayout), "run "+uptime(s.Now.Sub(s.Started)),
		fmt.Sprintf("load average: %.2f, %.2f, %.2f on %s", s.Load[0], s.Load[1], s.Load[2], plural(int64(s.CPUs), "CPU")))...)
	lines = append(lines, o.flow(plural(int64(len(s.Workers)), "worker"), plural(int64(processes), "process"), plural(int64(loops), "loop"),
		plural(s.Connected, "connection"), "state: "+clean(s.State), plural(int64(s.Reloads), "reload"))...)
	lines = append(lines, o.flow(labelled("pid file:", s.PidFile), labelled("log file:", s.LogFile), labelled("admin:", s.Admin))...)
	if s.Reload != nil {
		lines = append(lines, o.wrap(lastReload(s.Reload))...)
	}
	for _, w := range s.Workers {
		if w.Backoff != "" {
			text := fmt.Sprintf("worker %s keeps dying: its starts are slowed down, the next is in %s", clean(w.Name), clean(w.Backoff))
			lines = append(lines, o.wrapIn(red, text)...)
		}
	}
	return lines
}

// labelled is nothing for an empty value.
func labelled(label, value string) string {
	if value == "" {
		return ""
	}
	return label + clean(value)
}

// lastReload tells how far a reload is, or how the last one ended.
func lastReload(r *control.Reload) string {
	switch {
	case r.Error != "":
		return "last reload failed: " + clean(r.Error)
	case r.Done:
		return "last reload: " + reloadDone(r)
	}
	return "reload: " + reloadProgress(r)
}

func reloadProgress(r *control.Reload) string {
	return fmt.Sprintf("%d/%d replaced, %s moved, %s draining", r.Replaced, r.Total, plural(r.Moved, "connection"), grouped(r.Draining))
}

func reloadDone(r *control.Reload) string {
	text := fmt.Sprintf("%s replaced, %s moved", plural(int64(r.Replaced), "process"), plural(r.Moved, "connection"))
	if r.Draining > 0 {
		text += fmt.Sprintf(", %s draining", grouped(r.Draining))
	}
	return text + " in " + span(time.Duration(r.Took*float64(time.Second)))
}

// exitRow is a cause for which processes of a worker ended.
type exitRow struct {
	worker string
	control.Exit
	now time.Time
}

// exitLines are a table of the ends of processes, empty if there were none.
func exitLines(s *control.Status, o Look) []string {
	var rows []exitRow
	for _, w := range s.Workers {
		for _, e := range w.Exits {
			rows = append(rows, exitRow{w.Name, e, s.Now})
		}
	}
	if rows == nil {
		return nil
	}
	table := newLayout(o, []column[exitRow]{
		{title: "worker", text: func(b []byte, r *exitRow) []byte { return appendClean(b, r.worker) }},
		{title: "exit cause", text: func(b []byte, r *exitRow) []byte { return appendClean(b, r.Cause) }},
		{title: "count", right: true, text: func(b []byte, r *exitRow) []byte { return fmt.Append(b, r.Count) }},
		{title: "last", text: func(b []byte, r *exitRow) []byte {
			return fmt.Appendf(b, "%s ago", span(max(r.now.Sub(r.Last), 0)))
		}},
	}, rows)
	lines := []string{line(table.appendHead(nil))}
	for i := range rows {
		lines = append(lines, line(table.appendRow(nil, &rows[i])))
	}
	return lines
}

// troubleLines sum up what should be zero, and are nothing if it is.
func troubleLines(s *control.Status, o Look) []string {
	var refused, panics, failures, slow uint64
	for _, w := range s.Workers {
		for _, p := range w.Processes {
			refused, panics = refused+p.Refused, panics+p.Panics
			failures, slow = failures+p.TLSFailures, slow+p.Slow
		}
	}
	var pieces []string
	for _, t := range []struct {
		n     uint64
		thing string
	}{{refused, "refused connection"}, {panics, "panic"}, {failures, "failed TLS handshake"}, {slow, "slow callback"}} {
		if t.n > 0 {
			pieces = append(pieces, plural(int64(t.n), t.thing))
		}
	}
	return o.flow(pieces...)
}
