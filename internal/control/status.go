// Package control is what commands, master and worker processes tell each other: the
// figures of a running program, and the wire on which they travel.
package control

import "time"

// Status is a running program as its master sees it.
type Status struct {
	Version   string     `json:"version"` // the version of workerman
	Go        string     `json:"go"`
	Program   string     `json:"program"` // path of the executable
	Build     string     `json:"build"`   // version or revision of the program, if it tells
	Args      []string   `json:"args"`
	PID       int        `json:"pid"`
	User      string     `json:"user"`
	Daemon    bool       `json:"daemon"`
	State     string     `json:"state"` // "running", "reloading", "stopping"
	Started   time.Time  `json:"started"`
	Now       time.Time  `json:"now"`
	Load      [3]float64 `json:"load"` // load of the machine over 1, 5 and 15 minutes
	CPUs      int        `json:"cpus"`
	PidFile   string     `json:"pid_file"`
	LogFile   string     `json:"log_file,omitempty"`
	Admin     string     `json:"admin,omitempty"` // address of the admin pages
	Workers   []Worker   `json:"workers"`
	Reload    *Reload    `json:"reload,omitempty"` // the one going on, or the last one
	Reloads   int        `json:"reloads"`
	Connected int64      `json:"connections"` // sum over all processes
}

// Worker is one service with its processes.
type Worker struct {
	Name      string    `json:"name"`
	Listen    string    `json:"listen"` // address, "none" without one
	Transport string    `json:"transport"`
	User      string    `json:"user"`
	Count     int       `json:"count"`
	Loops     int       `json:"loops"`
	Processes []Process `json:"processes"` // by slot, then by age
	Exits     []Exit    `json:"exits,omitempty"`
	Moved     uint64    `json:"moved"`             // connections handed over since the start
	Inside    string    `json:"inside,omitempty"`  // the worker in whose processes it is served; it has none itself then
	Backoff   string    `json:"backoff,omitempty"` // "2s": a crash loop is slowed down; the next start
}

// Exit counts the ends of processes of a worker for one cause.
type Exit struct {
	Cause string    `json:"cause"` // in words: "exit code 2", "killed (signal 9)", "panic: ..."
	Count int       `json:"count"`
	Last  time.Time `json:"last"`
}

// States of a Process.
const (
	Starting = "starting" // not ready yet
	Ready    = "ready"
	Draining = "draining" // replaced; it ends when its last connections have
	Stopping = "stopping"
	Lost     = "lost" // it does not answer: its figures are missing
)

// Process is a worker process.
type Process struct {
	PID     int       `json:"pid"`
	Slot    int       `json:"slot"` // the worker's id, from 0 to Count-1; kept by its successor
	State   string    `json:"state"`
	Started time.Time `json:"started"`
	Figures
}

// Figures are what a process tells about itself. Those of type uint64, and CPU, are counters, which
// only grow while the process lives: metrics keep them when it ends. The others are gauges. Tests
// of the packages console and admin fail until a new one is shown, or listed with the reason why not.
type Figures struct {
	Memory      int64   `json:"memory"` // resident, in bytes
	CPU         float64 `json:"cpu"`    // seconds used since the start
	Goroutines  int     `json:"goroutines"`
	Connections int64   `json:"connections"` // incoming
	Outgoing    int64   `json:"outgoing"`    // connections of clients
	Accepted    uint64  `json:"accepted"`
	Refused     uint64  `json:"refused"`
	Requests    uint64  `json:"requests"` // messages received
	Rate        float64 `json:"rate"`     // requests per second over the last seconds
	SendFail    uint64  `json:"send_fail"`
	Panics      uint64  `json:"panics"`
	TLSFailures uint64  `json:"tls_failures"`
	Timers      int64   `json:"timers"`
	Slow        uint64  `json:"slow_callbacks"` // that held a loop longer than the limit
	Loops       []Loop  `json:"loops"`
}

// Loop is an event loop of a process.
type Loop struct {
	Streams int   `json:"streams"`
	Lag     int64 `json:"lag_ms"`            // the longest turn of the last seconds
	Busy    int64 `json:"busy_ms,omitempty"` // how long the callback that runs now holds it, if that is long
	// Callback and Place tell which callback that is, as "OnMessage", and where it
	// stands, as "main.search (/src/main.go:31)".
	Callback string `json:"callback,omitempty"`
	Place    string `json:"place,omitempty"`
}

// Reload is how far a reload has got, or how it ended.
type Reload struct {
	Began    time.Time `json:"began"`
	Took     float64   `json:"took_seconds,omitempty"`
	Total    int       `json:"total"` // processes to replace
	Replaced int       `json:"replaced"`
	Moved    int64     `json:"moved"`    // connections handed over
	Draining int64     `json:"draining"` // connections that end with their old process
	Done     bool      `json:"done"`
	Error    string    `json:"error,omitempty"`
}

// Event is a line of the answer to a command that takes time.
type Event struct {
	Text   string  `json:"text,omitempty"`
	Reload *Reload `json:"reload,omitempty"`
	Left   int     `json:"left,omitempty"`   // processes, while stopping
	Status *Status `json:"status,omitempty"` // what serves, at the end of a start
	Done   bool    `json:"done,omitempty"`
	Error  string  `json:"error,omitempty"`
}
