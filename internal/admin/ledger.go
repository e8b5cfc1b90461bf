package admin

import (
	"cmp"
	"maps"
	"slices"

	"github.com/workerman-go/workerman/internal/control"
)

// A process counts from zero, and during a reload there are two in a slot. Series by process
// would be without number, and sums over those that live would jump. So the ledger keeps what
// the ended ones had counted: the counters of a slot only grow, as long as its worker exists.
// What a process counts between the last look at it and its end is lost.
type ledger struct {
	accounts map[slotKey]*account
}

type slotKey struct {
	worker string // the name that distinct gave it
	slot   int
}

// account is what the processes of a slot have counted.
type account struct {
	ended  counters
	living map[life]counters
}

// life tells processes apart also when a pid is used again.
type life struct {
	pid     int
	started int64
}

// counters are those of control.Figures that only grow.
type counters struct {
	accepted, refused, requests, sendFail, panics, tlsFailures, slow uint64
	cpu                                                              float64
}

func countersOf(f *control.Figures) counters {
	return counters{f.Accepted, f.Refused, f.Requests, f.SendFail, f.Panics, f.TLSFailures, f.Slow, f.CPU}
}

func (c counters) plus(d counters) counters {
	return counters{
		c.accepted + d.accepted, c.refused + d.refused, c.requests + d.requests, c.sendFail + d.sendFail,
		c.panics + d.panics, c.tlsFailures + d.tlsFailures, c.slow + d.slow, c.cpu + d.cpu,
	}
}

// latest is c and d, whichever is further: the figures of a process that gives no answer
// are zero.
func (c counters) latest(d counters) counters {
	return counters{
		max(c.accepted, d.accepted), max(c.refused, d.refused), max(c.requests, d.requests), max(c.sendFail, d.sendFail),
		max(c.panics, d.panics), max(c.tlsFailures, d.tlsFailures), max(c.slow, d.slow), max(c.cpu, d.cpu),
	}
}

// slot is what metrics tell of a slot.
type slot struct {
	slotKey
	total     counters
	processes []*control.Process // in it now, by age
}

// enter takes the figures of all processes down and returns the slots in their order.
func (l *ledger) enter(workers []control.Worker, names []string) []slot {
	present := make(map[slotKey][]*control.Process)
	for i := range workers {
		w := &workers[i]
		if w.Inside != "" {
			continue // its figures are those of the process, which is the other worker's
		}
		for id := range w.Count {
			present[slotKey{names[i], id}] = nil // also while no process is there
		}
		for j := range w.Processes {
			p := &w.Processes[j]
			key := slotKey{names[i], p.Slot}
			present[key] = append(present[key], p)
		}
	}
	maps.DeleteFunc(l.accounts, func(key slotKey, _ *account) bool {
		_, ok := present[key]
		return !ok
	})
	if l.accounts == nil {
		l.accounts = make(map[slotKey]*account)
	}
	slots := make([]slot, 0, len(present))
	for key, processes := range present {
		a := l.accounts[key]
		if a == nil {
			a = new(account)
			l.accounts[key] = a
		}
		slots = append(slots, slot{key, a.enter(processes), processes})
	}
	slices.SortFunc(slots, func(a, b slot) int {
		return cmp.Or(slices.Index(names, a.worker)-slices.Index(names, b.worker), a.slot-b.slot)
	})
	return slots
}

// enter returns the sum over all processes that there have been.
func (a *account) enter(processes []*control.Process) counters {
	living := make(map[life]counters, len(processes))
	for _, p := range processes {
		key := life{p.PID, p.Started.UnixNano()}
		living[key] = a.living[key].latest(countersOf(&p.Figures))
	}
	for key, c := range a.living {
		if _, ok := living[key]; !ok {
			a.ended = a.ended.plus(c)
		}
	}
	a.living = living
	sum := a.ended
	for _, c := range living {
		sum = sum.plus(c)
	}
	return sum
}
