package console

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// processRow is a line of the process table.
type processRow struct {
	*control.Process
	worker *control.Worker
	rate   float64 // requests a second
	load   float64 // percent of one CPU
	sum    bool    // the line Summary
}

// processRows are the processes of s. Rates are those since the status before, or what the
// processes tell themselves, and the load since their start, without one.
func processRows(s, before *control.Status) []processRow {
	older := make(map[int]*control.Process)
	var since time.Duration
	if before != nil {
		since = s.Now.Sub(before.Now)
		for i := range before.Workers {
			for j := range before.Workers[i].Processes {
				p := &before.Workers[i].Processes[j]
				older[p.PID] = p
			}
		}
	}
	var rows []processRow
	for i := range s.Workers {
		w := &s.Workers[i]
		for j := range w.Processes {
			p := &w.Processes[j]
			row := processRow{Process: p, worker: w, rate: p.Rate}
			if age := s.Now.Sub(p.Started).Seconds(); age > 0 {
				row.load = 100 * p.CPU / age
			}
			if o := older[p.PID]; o != nil && o.State != control.Lost && since > 0 && p.Requests >= o.Requests {
				row.rate = float64(p.Requests-o.Requests) / since.Seconds()
				row.load = max(0, 100*(p.CPU-o.CPU)/since.Seconds())
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// summary adds rows up.
func summary(rows []processRow) processRow {
	sum := processRow{Process: new(control.Process), worker: new(control.Worker), sum: true}
	for _, r := range rows {
		if r.State == control.Lost {
			continue
		}
		sum.Memory += r.Memory
		sum.Connections += r.Connections + r.Outgoing
		sum.SendFail += r.SendFail
		sum.Timers += r.Timers
		sum.Requests += r.Requests
		sum.rate += r.rate
		sum.load += r.load
	}
	return sum
}

// lag is the longest turn of the loops in the last seconds.
func (r *processRow) lag() (longest int64) {
	for _, l := range r.Loops {
		longest = max(longest, l.Lag)
	}
	return longest
}

// busy is for how long a callback holds one of the loops.
func (r *processRow) busy() (longest int64) {
	for _, l := range r.Loops {
		longest = max(longest, l.Busy)
	}
	return longest
}

// status is the process's state in a word or a few.
func (r *processRow) status() string {
	left := grouped(r.Connections + r.Outgoing)
	switch {
	case r.sum:
		return ""
	case r.State == control.Draining || r.State == control.Stopping:
		return "[" + r.State + ", " + left + " left]"
	case r.State != control.Ready:
		return "[" + clean(r.State) + "]"
	case r.busy() > 0:
		return "[busy " + string(appendSpan(nil, r.busy())) + "]"
	}
	return "[idle]"
}

func (r *processRow) statusColor() string {
	switch {
	case r.sum:
		return plain
	case r.State == control.Lost:
		return red
	case r.State != control.Ready:
		return cyan
	case r.busy() > 0:
		return yellow
	}
	return green
}

// busyLines tell which callbacks hold the loops of a process.
func busyLines(r *processRow, o Look) (lines []string) {
	for i, l := range r.Loops {
		if l.Busy == 0 || l.Callback == "" && l.Place == "" {
			continue
		}
		text := fmt.Sprintf("    loop %d: %s for %s, at %s", i+1, clean(l.Callback), appendSpan(nil, l.Busy), clean(l.Place))
		lines = append(lines, string(o.paint(nil, yellow, []byte(o.cut(text)))))
	}
	return lines
}

// figure is a column of numbers that a process which does not answer lacks.
func figure(title string, rank int, text func([]byte, *processRow) []byte, order func(a, b *processRow) int) column[processRow] {
	return column[processRow]{title: title, right: true, rank: rank, order: order, text: func(b []byte, r *processRow) []byte {
		if r.State == control.Lost {
			return append(b, "N/A"...)
		}
		return text(b, r)
	}}
}

// ofProcess leaves a cell of the summary empty.
func ofProcess(text func([]byte, *processRow) []byte) func([]byte, *processRow) []byte {
	return func(b []byte, r *processRow) []byte {
		if r.sum {
			return b
		}
		return text(b, r)
	}
}

func processColumns() []column[processRow] {
	return []column[processRow]{
		{title: "pid", order: func(a, b *processRow) int { return a.PID - b.PID }, text: func(b []byte, r *processRow) []byte {
			if r.sum {
				return append(b, "Summary"...)
			}
			return strconv.AppendInt(b, int64(r.PID), 10)
		}},
		figure("memory", 1, func(b []byte, r *processRow) []byte { return appendSize(b, uint64(max(r.Memory, 0))) },
			func(a, b *processRow) int { return cmp.Compare(a.Memory, b.Memory) }),
		{title: "listening", rank: 8, text: func(b []byte, r *processRow) []byte { return appendClean(b, r.worker.Listen) },
			order: func(a, b *processRow) int { return cmp.Compare(a.worker.Listen, b.worker.Listen) }},
		{title: "name", text: func(b []byte, r *processRow) []byte { return appendClean(b, r.worker.Name) },
			order: func(a, b *processRow) int { return cmp.Compare(a.worker.Name, b.worker.Name) }},
		{title: "slot", right: true, rank: 7, order: func(a, b *processRow) int { return a.Slot - b.Slot },
			text: ofProcess(func(b []byte, r *processRow) []byte { return strconv.AppendInt(b, int64(r.Slot), 10) })},
		figure("connections", 0, func(b []byte, r *processRow) []byte { return strconv.AppendInt(b, r.Connections+r.Outgoing, 10) },
			func(a, b *processRow) int { return cmp.Compare(a.Connections+a.Outgoing, b.Connections+b.Outgoing) }),
		figure("send_fail", 9, func(b []byte, r *processRow) []byte { return strconv.AppendUint(b, r.SendFail, 10) },
			func(a, b *processRow) int { return cmp.Compare(a.SendFail, b.SendFail) }),
		figure("timers", 10, func(b []byte, r *processRow) []byte { return strconv.AppendInt(b, r.Timers, 10) },
			func(a, b *processRow) int { return cmp.Compare(a.Timers, b.Timers) }),
		figure("total_request", 6, func(b []byte, r *processRow) []byte { return strconv.AppendUint(b, r.Requests, 10) },
			func(a, b *processRow) int { return cmp.Compare(a.Requests, b.Requests) }),
		figure("qps", 2, func(b []byte, r *processRow) []byte { return strconv.AppendFloat(b, r.rate, 'f', 0, 64) },
			func(a, b *processRow) int { return cmp.Compare(a.rate, b.rate) }),
		figure("cpu", 3, func(b []byte, r *processRow) []byte { return append(strconv.AppendFloat(b, r.load, 'f', 1, 64), '%') },
			func(a, b *processRow) int { return cmp.Compare(a.load, b.load) }),
		figure("lag", 5, ofProcess(func(b []byte, r *processRow) []byte { return appendSpan(b, r.lag()) }),
			func(a, b *processRow) int { return cmp.Compare(a.lag(), b.lag()) }),
		{title: "status", text: func(b []byte, r *processRow) []byte { return append(b, r.status()...) }, color: (*processRow).statusColor,
			order: func(a, b *processRow) int {
				return cmp.Or(cmp.Compare(a.State, b.State), cmp.Compare(a.busy(), b.busy()))
			}},
	}
}
