package workerman

import (
	"runtime"
	"slices"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// figures are what this process tells about itself. Any goroutine may ask, and nobody waits
// for a loop.
func (m *Master) figures() control.Figures {
	m.mu.Lock()
	services, loops, dog := slices.Clone(m.services), slices.Clone(m.loops), m.watchdog
	m.mu.Unlock()
	f := control.Figures{Goroutines: runtime.NumGoroutine(), Outgoing: m.outgoing.Load()}
	f.Memory, f.CPU = usage()
	for _, s := range services {
		n := s.stats()
		f.Connections += int64(n.Connections)
		f.Accepted += n.Accepted
		f.Refused += n.Refused
		f.Requests += n.Requests
		f.SendFail += n.SendFail
		f.Panics += n.Panics
		f.TLSFailures += n.TLSFailures
	}
	for _, e := range loops {
		f.Timers += int64(e.loop.Timers())
		f.Loops = append(f.Loops, control.Loop{Streams: e.loop.Streams(), Lag: e.loop.Longest().Milliseconds()})
	}
	if dog != nil {
		f.Slow = dog.slow.Load()
		f.Rate = dog.rate.perSecond(time.Now(), f.Requests)
		dog.judge(loops, f.Loops)
	}
	return f
}
