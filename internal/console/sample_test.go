package console

import (
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// sample is a program in which everything happens that a status can show.
func sample() control.Status {
	started := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	now := started.Add(3*24*time.Hour + 4*time.Hour + 5*time.Minute)
	figures := func(n int64) control.Figures {
		return control.Figures{Memory: n * 5 << 20, CPU: float64(n) * 900, Connections: n * 1200, Outgoing: n, Requests: uint64(n) * 1_000_003,
			Rate: float64(n) * 1234.5, Timers: n * 7, Loops: []control.Loop{{Streams: int(n) * 1201, Lag: n}}}
	}
	lost, draining, busy := figures(9), figures(1), figures(3)
	draining.Connections, draining.Outgoing = 17, 0
	busy.Slow, busy.Refused, busy.SendFail = 4, 1, 12
	busy.Loops = []control.Loop{{Lag: 2}, {Lag: 12400, Busy: 12400, Callback: "OnMessage", Place: "main.search (/srv/chat/search.go:31)"}}
	return control.Status{
		Version: "0.9.0", Go: "go1.26.8", Program: "/srv/chat/chat", Build: "v1.4.2", PID: 4711, User: "www", Daemon: true,
		State: "reloading", Started: started, Now: now, Load: [3]float64{0.52, 0.3, 0.1}, CPUs: 2,
		PidFile: "/srv/chat/chat.pid", LogFile: "/srv/chat/chat.log", Connected: 41204, Reloads: 2,
		Reload: &control.Reload{Total: 8, Replaced: 3, Moved: 41204, Draining: 17},
		Workers: []control.Worker{{
			Name: "chat", Listen: "websocket://0.0.0.0:2346", Transport: "tcp", User: "www", Count: 3, Loops: 1,
			Processes: []control.Process{
				{PID: 4712, Slot: 0, State: control.Draining, Started: started, Figures: draining},
				{PID: 4801, Slot: 0, State: control.Ready, Started: now.Add(-time.Hour), Figures: figures(2)},
				{PID: 4713, Slot: 1, State: control.Ready, Started: started, Figures: busy},
				{PID: 4714, Slot: 2, State: control.Lost, Started: started, Figures: lost},
			},
			Exits: []control.Exit{{Cause: "exit code 2", Count: 3, Last: now.Add(-8 * time.Minute)}, {Cause: "panic: runtime error: index out of range [3] with length 3", Count: 1, Last: now.Add(-26 * time.Hour)}},
		}, {
			Name: "网关 gateway", Listen: "frame+ssl://[::]:7272", Transport: "ssl", User: "root", Count: 1, Loops: 2, Backoff: "2s",
			Processes: []control.Process{{PID: 4802, Slot: 0, State: control.Starting, Started: now}},
			Exits:     []control.Exit{{Cause: "killed (signal 9)", Count: 6, Last: now.Add(-time.Second)}},
		}},
	}
}
