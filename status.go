package workerman

import (
	"io"
	"log/slog"
	"reflect"
	"runtime"
	"slices"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/internal/watch"
)

// callbackNames tells the watchdog which callback a function of this module calls. The first one
// that is found on the way from the program's code to the loop counts.
var callbackNames = &watch.Callbacks{
	Module: reflect.TypeFor[Master]().PkgPath(),
	Names: map[string]string{
		"(*Conn).callOnMessage":         "OnMessage",
		"(*Conn).forward":               "pipe",
		"(*Conn).callOnConnect":         "OnConnect",
		"(*Conn).callOnClose":           "OnClose",
		"(*Conn).onRequest":             "OnRequest",
		"(*httpConn).onBody":            "OnBody",
		"(*httpConn).callOnUpgrade":     "OnUpgrade",
		"(*Conn).onControl":             "OnPing or OnPong",
		"(*connOwner).Attention":        "OnBufferFull or OnError",
		"(*connOwner).Drained":          "OnBufferDrain",
		"(*workerProcess).OnReload":     "OnWorkerReload",
		"(*Conn).callOnHandover":        "OnHandover",
		"(*Conn).adopted":               "OnAdopt",
		"(*Client).failed":              "OnError",
		"(*server).onStart":             "OnWorkerStart",
		"(*Master).runStopCallbacks":    "OnWorkerStop",
		"(*Conn).nextSize":              "Input",
		"(*connOwner).Receive":          "Decode",
		"(*packetDialog).Datagram":      "Decode",
		"(*Conn).encode":                "Encode",
		"sending.enqueue":               "Encode",
		"Async[...]":                    "Async",
		"internal/loop.(*Timer).expire": "timer",
		"internal/loop.(*tasks).run":    "Post",
		"internal/loop.(*watch).ready":  "OnReadable or OnWritable",
	},
	Lengthy: []string{"OnWorkerStart"},
}

// watchedMaster is a Master as its watchdog sees it.
type watchedMaster struct{ m *Master }

var _ watch.Service = watchedMaster{}

// startWatchdog watches the loops until stop is called.
func (m *Master) startWatchdog() (stop func()) {
	limit := m.SlowCallback
	if limit <= 0 {
		limit = DefaultSlowCallback
	}
	d := watch.Start(watchedMaster{m}, watch.Options{Limit: limit, Quiet: m.SlowCallback < 0, Callbacks: callbackNames})
	r := m.run.Load()
	r.setWatchdog(d)
	return func() {
		d.Stop()
		r.setWatchdog(nil)
	}
}

// writeStack writes where this process stands; see watch.WriteStacks.
func (m *Master) writeStack(out io.Writer) error {
	return watch.WriteStacks(out, watchedMaster{m}.Loops(), callbackNames)
}

// Loops are the loops of the run.
func (w watchedMaster) Loops() []*loop.Loop { return innerLoops(w.m.runningLoops()) }

func innerLoops(loops []*EventLoop) []*loop.Loop {
	list := make([]*loop.Loop, len(loops))
	for i, e := range loops {
		list[i] = e.loop
	}
	return list
}

// Requests is the number of messages received by all workers.
func (w watchedMaster) Requests() (n uint64) {
	for _, s := range w.m.runningServers() {
		n += s.requests.Load()
	}
	return n
}

// Logger is that of the worker which a loop serves, if it serves one alone.
func (w watchedMaster) Logger(l *loop.Loop) *slog.Logger {
	var only *server
	for _, s := range w.m.runningServers() {
		if slices.Contains(s.loops, l) {
			if only != nil {
				return w.m.logger()
			}
			only = s
		}
	}
	if only == nil {
		return w.m.logger()
	}
	return only.log
}

// figures are what this process tells about itself. Any goroutine may ask, and nobody waits
// for a loop.
func (m *Master) figures() control.Figures {
	servers, loops, dog := m.runningServers(), m.runningLoops(), m.runningWatchdog()
	f := control.Figures{Goroutines: runtime.NumGoroutine(), Outgoing: m.outgoing.Load(), Loops: make([]control.Loop, 0, len(loops))}
	f.Memory, f.CPU = watch.Usage()
	for _, s := range servers {
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
