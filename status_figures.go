package workerman

import (
	"runtime"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// figures are what this process tells about itself. Any goroutine may ask, and nobody waits
// for a loop.
func (m *Master) figures() control.Figures {
	services, loops, dog := m.runningServices(), m.runningLoops(), m.runningWatchdog()
	f := control.Figures{Goroutines: runtime.NumGoroutine(), Outgoing: m.outgoing.Load(), Loops: make([]control.Loop, 0, len(loops))}
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

// requests is the number of messages received by all workers.
func (m *Master) requests() (n uint64) {
	for _, s := range m.runningServices() {
		n += s.requests.Load()
	}
	return n
}
