package console

import (
	"fmt"
	"io"
	"runtime"
	"strconv"

	"github.com/workerman-go/workerman/internal/control"
)

// Banner prints what has started, and how it is stopped: by Ctrl+C, or with the program's
// command stop if s is a daemon.
func Banner(w io.Writer, s control.Status, o Look) error {
	type row = control.Worker
	word := func(title string, rank int, of func(*row) string) column[row] {
		return column[row]{title: title, rank: rank, text: func(b []byte, r *row) []byte { return appendClean(b, of(r)) }}
	}
	table := newLayout(o, []column[row]{
		word("proto", 1, func(r *row) string { return r.Transport }),
		word("user", 3, func(r *row) string { return r.User }),
		word("worker", 0, func(r *row) string { return r.Name }),
		word("listen", 0, func(r *row) string { return r.Listen }),
		word("processes", 0, func(r *row) string { return strconv.Itoa(r.Count) }),
		word("loops", 2, func(r *row) string { return strconv.Itoa(r.Loops) }),
		{title: "state", text: func(b []byte, _ *row) []byte { return append(b, "[OK]"...) }, color: func(*row) string { return green }},
	}, s.Workers)
	lines := []string{o.rule(" WORKERMAN ")}
	lines = append(lines, o.flow("workerman/"+clean(s.Version), clean(s.Go), runtime.GOOS+"/"+runtime.GOARCH)...)
	lines = append(lines, o.rule(" WORKERS "), line(table.appendHead(nil)))
	for i := range s.Workers {
		lines = append(lines, line(table.appendRow(nil, &s.Workers[i])))
	}
	how := "Press Ctrl+C to stop."
	if s.Daemon {
		how = fmt.Sprintf("Input %q to stop.", clean(s.Program)+" stop")
	}
	return writeSheet(w, sheet{head: lines, foot: append([]string{o.rule("")}, o.wrap(how+" Start success.")...)})
}
