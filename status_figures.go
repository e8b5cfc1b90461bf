package workerman

import (
	"runtime"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/watch"
)

// figures are what this process tells about itself. Any goroutine may ask, and nobody waits
// for a loop.
func (m *Master) figures() control.Figures {
	services, loops, dog := m.runningServices(), m.runningLoops(), m.runningWatchdog()
	f := control.Figures{Goroutines: runtime.NumGoroutine(), Outgoing: m.outgoing.Load(), Loops: make([]control.Loop, 0, len(loops))}
	f.Memory, f.CPU = watch.Usage()
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
		f.Slow, f.Rate = dog.Slow(), dog.Rate(f.Requests)
		for i, h := range dog.Holds(innerLoops(loops)) {
			f.Loops[i].Busy, f.Loops[i].Callback, f.Loops[i].Place = h.Held.Milliseconds(), h.Callback, h.Place
		}
	}
	return f
}
