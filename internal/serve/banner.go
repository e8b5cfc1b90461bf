package serve

import (
	"log/slog"
	"os"
	"runtime"
	"time"

	"github.com/workerman-go/workerman/internal/console"
	"github.com/workerman-go/workerman/internal/control"
)

// Announce says that the workers serve in this process: by a table if standard output is a
// terminal and logger is nil, by log lines elsewhere. Of a worker it needs Name, Listen,
// Transport, Count and Loops.
func Announce(logger *slog.Logger, workers []control.Worker) {
	s := control.Status{Go: runtime.Version(), Started: time.Now(), PID: os.Getpid(), Workers: workers}
	complete(&s)
	if look := console.LookOf(os.Stdout); look.Width > 0 && logger == nil {
		console.Banner(os.Stdout, s, look)
		return
	}
	logStarted(Settings{Logger: logger}.logger(), s)
}

// logStarted logs what serves.
func logStarted(log *slog.Logger, s control.Status) {
	for _, w := range s.Workers {
		log.Info("worker started", "worker", w.Name, "listen", w.Listen, "transport", w.Transport, "processes", w.Count, "loops", w.Loops)
	}
}
