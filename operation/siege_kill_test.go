//go:build linux

package operation

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/operation/siege"
)

// startedLine is the line of the log about a process that serves.
var startedLine = regexp.MustCompile(`(?m)^(\S+ \S+) INFO +web\[\d+\] process started id=(\d+) pid=(\d+)`)

// successors are, in the order of the log, the processes that replaced dead ones.
func (in *installation) successors() (list []successor) {
	for _, m := range startedLine.FindAllStringSubmatch(in.log(), -1) {
		at, err := time.ParseInLocation("2006-01-02 15:04:05.000", m[1], time.Local)
		if err != nil {
			in.t.Fatal(err)
		}
		slot, _ := strconv.Atoi(m[2])
		pid, _ := strconv.Atoi(m[3])
		list = append(list, successor{at, slot, pid})
	}
	return list
}

type successor struct {
	ready time.Time
	slot  int
	pid   int
}

// Processes that are killed all the time are replaced all the time, and new clients are
// always let in.
func TestKillStorm(t *testing.T) {
	in := install(t, "1")
	in.daemon("-web", "http://127.0.0.1:0", "-count", "4")
	master := in.status().PID
	crowd := surround(t, siege.Options{
		Addr: in.address("web"), Talkers: sized(100, 1000), Pace: 250 * time.Millisecond, Askers: 20, AskPace: 20 * time.Millisecond,
		Newcomers: 10, NewPace: 5 * time.Millisecond, MayBreak: true,
	})
	kills := 0
	var times siege.Times
	slots := make(map[int]int) // pid of each slot
	for _, p := range in.worker("web").Processes {
		slots[p.Slot] = p.PID
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for range sized(25, 300) {
		<-tick.C
		slot := rand.IntN(4)
		was := slots[slot]
		killed := time.Now()
		if err := syscall.Kill(was, syscall.SIGKILL); err != nil {
			t.Fatalf("process %d of slot %d: %v", was, slot, err)
		}
		kills++
		in.until("a successor", func() bool {
			list := in.successors()
			i := slices.IndexFunc(list, func(s successor) bool {
				return s.slot == slot && !s.ready.Before(killed.Truncate(time.Millisecond)) && s.pid != was
			})
			if i < 0 {
				return false
			}
			slots[slot] = list[i].pid
			times = append(times, list[i].ready.Sub(killed))
			return true
		})
	}
	slices.Sort(times)
	r := crowd.End()
	judge(t, "kill storm", r)
	table("%d kills, from kill to ready %v; %d connections cut", kills, times, r.Broken)
	if r.Broken == 0 {
		t.Error("no connection was cut")
	}
	s := in.status()
	if s.PID != master || s.State != "running" {
		t.Errorf("status %+v", s)
	}
	for _, w := range s.Workers {
		if ready(w) != 4 {
			t.Errorf("worker %s: %d processes", w.Name, ready(w))
		}
		if w.Name == "web" && (len(w.Exits) != 1 || w.Exits[0].Count != kills || !strings.Contains(w.Exits[0].Cause, "signal 9")) {
			t.Errorf("%d kills, exits %+v", kills, w.Exits)
		}
	}
}
