// Package master supervises the processes of a program: it owns the listening sockets,
// starts, watches, replaces and ends processes, and answers the commands. It knows no
// connection and no protocol.
package master

import (
	"fmt"
	"time"

	"github.com/workerman-go/workerman/internal/socket"
)

// Defaults of Options.
const (
	DefaultReady    = 30 * time.Second
	DefaultGraceful = 10 * time.Minute
)

// Plan is what a program wants to run, as it says itself.
type Plan struct {
	Workers []Worker      `json:"workers"`
	Stop    time.Duration `json:"stop"`  // StopTimeout
	Drain   time.Duration `json:"drain"` // DrainTimeout
}

// Worker is one service of a Plan.
type Worker struct {
	Key        string          `json:"key"` // tells it from the others and finds it again after a reload
	Name       string          `json:"name"`
	Listen     string          `json:"listen"` // address as it is shown
	Transport  string          `json:"transport"`
	Socket     *socket.Address `json:"socket,omitempty"` // nil without an address
	Count      int             `json:"count"`
	Loops      int             `json:"loops"`
	ReusePort  bool            `json:"reuse_port"`
	Reloadable bool            `json:"reloadable"`
	User       string          `json:"user,omitempty"`
}

// sockets is how many sockets a process needs for the worker.
func (w *Worker) sockets() int {
	switch {
	case w.Socket == nil:
		return 0
	case w.ReusePort && w.Socket.Network != "unix":
		return w.Loops
	}
	return 1
}

// sharesSocket says that all processes use the same socket.
func (w *Worker) sharesSocket() bool { return !w.ReusePort || w.Socket.Network == "unix" }

// CheckPlan refuses workers that cannot run side by side.
func CheckPlan(p Plan) error {
	users := make(map[string]string)
	for _, w := range p.Workers {
		if w.Socket == nil || w.Socket.Port == 0 && w.Socket.Network != "unix" {
			continue
		}
		network := w.Socket.Network
		at := network + " " + w.Socket.String()
		if other, ok := users[at]; ok {
			return fmt.Errorf("worker %q (%s): worker %q has the same address", w.Name, w.Listen, other)
		}
		users[at] = w.Name
	}
	return nil
}
