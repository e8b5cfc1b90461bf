package console

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strconv"

	"github.com/workerman-go/workerman/internal/control"
)

// Rows are connections as they arrive. A row is lent until the next one; an error ends them.
type Rows = iter.Seq2[*control.Connection, error]

const (
	measured  = 1000 // rows that decide about the widths of columns
	writeSize = 32 << 10
)

// Connections prints a table of connections while they arrive, with their sum as its last
// line. After limit rows it stops and says that there are more; 0 means no limit. The
// error is that of rows, behind all that came before it, or of w.
func Connections(w io.Writer, rows Rows, limit int, o Look) error {
	var first []control.Connection
	var table *layout[control.Connection]
	var sum traffic
	var out []byte
	begin := func() {
		table = newLayout(o, connectionColumns(), first)
		out = table.appendHead(out)
		for i := range first {
			out = table.appendRow(out, &first[i])
		}
		first = nil
	}
	cut := false
	var missing error
	for row, err := range rows {
		if err != nil {
			missing = err
			break
		}
		if limit > 0 && sum.connections == limit {
			cut = true
			break
		}
		sum.add(row)
		if table == nil {
			if first = append(first, *row); len(first) == measured {
				begin()
			}
		} else {
			out = table.appendRow(out, row)
		}
		if len(out) >= writeSize {
			if _, err := w.Write(out); err != nil {
				return err
			}
			out = out[:0]
		}
	}
	if table == nil {
		begin()
	}
	for _, line := range sum.lines(cut, o) {
		out = append(append(out, line...), '\n')
	}
	if _, err := w.Write(out); err != nil {
		return err
	}
	return missing
}

// ConnectionsJSON prints connections as a JSON array while they arrive, at most limit of
// them; 0 means no limit. After an error of rows the array stays open, so that nobody takes
// it for all.
func ConnectionsJSON(w io.Writer, rows Rows, limit int) error {
	out := []byte{'['}
	n := 0
	for row, err := range rows {
		if err != nil {
			w.Write(out)
			return err
		}
		if limit > 0 && n == limit {
			break
		}
		if n++; n > 1 {
			out = append(out, ',')
		}
		text, err := json.Marshal(row)
		if err != nil {
			return err
		}
		out = append(append(out, '\n'), text...)
		if len(out) >= writeSize {
			if _, err := w.Write(out); err != nil {
				return err
			}
			out = out[:0]
		}
	}
	_, err := w.Write(append(out, "\n]\n"...))
	return err
}

// traffic is the sum of connections.
type traffic struct {
	connections, received, queued int
	in, out                       uint64
}

func (t *traffic) add(c *control.Connection) {
	t.connections++
	t.received, t.queued = t.received+c.Received, t.queued+c.Queued
	t.in, t.out = t.in+c.BytesIn, t.out+c.BytesOut
}

func (t *traffic) lines(cut bool, o Look) []string {
	size := func(n uint64) string { return string(appendSize(nil, n)) }
	lines := o.flow("Summary: "+plural(int64(t.connections), "connection"),
		size(t.in)+" read", size(t.out)+" written", size(uint64(max(t.received, 0)))+" received", size(uint64(max(t.queued, 0)))+" to send")
	if cut {
		lines = append(lines, o.flow(fmt.Sprintf("There are more than %s: --limit N shows N, --limit 0 all.", plural(int64(t.connections), "connection")))...)
	}
	return lines
}

func connectionColumns() []column[control.Connection] {
	type row = control.Connection
	word := func(title string, rank, least int, of func(*row) string) column[row] {
		return column[row]{title: title, rank: rank, least: least, text: func(b []byte, r *row) []byte { return appendClean(b, of(r)) },
			order: func(a, b *row) int { return cmp.Compare(of(a), of(b)) }}
	}
	size := func(title string, rank int, of func(*row) uint64) column[row] {
		return column[row]{title: title, right: true, rank: rank, least: 8, text: func(b []byte, r *row) []byte { return appendSize(b, of(r)) },
			order: func(a, b *row) int { return cmp.Compare(of(a), of(b)) }}
	}
	time := func(title string, rank int, of func(*row) int64) column[row] {
		return column[row]{title: title, right: true, rank: rank, least: 6, text: func(b []byte, r *row) []byte { return appendSpan(b, of(r)) },
			order: func(a, b *row) int { return cmp.Compare(of(a), of(b)) }}
	}
	status := word("Status", 3, 11, func(r *row) string { return r.State })
	status.color = func(r *row) string {
		if r.State == "established" {
			return plain
		}
		return yellow
	}
	return []column[row]{
		{title: "PID", rank: 2, least: 7, text: func(b []byte, r *row) []byte { return strconv.AppendInt(b, int64(r.PID), 10) },
			order: func(a, b *row) int { return a.PID - b.PID }},
		word("Worker", 1, 6, func(r *row) string { return r.Worker }),
		{title: "CID", right: true, rank: 8, least: 6, text: func(b []byte, r *row) []byte { return strconv.AppendUint(b, r.ID, 10) },
			order: func(a, b *row) int { return cmp.Compare(a.ID, b.ID) }},
		word("Trans", 11, 5, func(r *row) string { return r.Transport }),
		word("Protocol", 9, 9, func(r *row) string { return r.Protocol }),
		size("Recv-Q", 10, func(r *row) uint64 { return uint64(max(r.Received, 0)) }),
		size("Send-Q", 4, func(r *row) uint64 { return uint64(max(r.Queued, 0)) }),
		size("Bytes-R", 6, func(r *row) uint64 { return r.BytesIn }),
		size("Bytes-W", 5, func(r *row) uint64 { return r.BytesOut }),
		time("Age", 7, func(r *row) int64 { return r.Age }),
		time("Idle", 4, func(r *row) int64 { return r.Idle }),
		status,
		word("Dir", 9, 3, direction),
		word("Local Address", 12, 13, func(r *row) string { return r.Local }),
		word("Foreign Address", 0, 15, func(r *row) string { return r.Remote }),
		word("Uid", 13, 0, func(r *row) string { return r.User }),
	}
}

// direction tells connections of clients from those that were accepted.
func direction(c *control.Connection) string {
	if c.Outgoing {
		return "out"
	}
	return "in"
}
