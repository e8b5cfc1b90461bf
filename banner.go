package workerman

import (
	"log/slog"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/workerman-go/workerman/internal/console"
	"github.com/workerman-go/workerman/internal/control"
)

// announce says that the service runs: a table on a terminal, log lines elsewhere.
func (m *Master) announce(workers []*Worker) {
	s := statusOf(workers)
	if look := console.LookOf(os.Stdout); look.Width > 0 && m.Logger == nil {
		console.Banner(os.Stdout, s, look)
		return
	}
	logStarted(m.logger(), s)
}

// statusOf is what the workers of this process serve.
func statusOf(workers []*Worker) (s control.Status) {
	s.Go, s.Started, s.PID = runtime.Version(), time.Now(), os.Getpid()
	s.Version, s.Build = versions()
	user := userName()
	for _, w := range workers {
		svc := w.service()
		s.Workers = append(s.Workers, control.Worker{
			Name: w.name(), Listen: w.listenText(), Transport: svc.transport(), User: user, Count: 1, Loops: len(svc.loops),
		})
	}
	return s
}

// logStarted logs what serves.
func logStarted(log *slog.Logger, s control.Status) {
	for _, w := range s.Workers {
		log.Info("worker started", "worker", w.Name, "listen", w.Listen, "transport", w.Transport, "processes", w.Count, "loops", w.Loops)
	}
}

// listenText is the address with the port that is really open.
func (w *Worker) listenText() string {
	s := w.service()
	if !s.listens {
		return "none"
	}
	scheme, _, _ := strings.Cut(w.address, "://")
	if a := s.boundAddr(); a != nil {
		return scheme + "://" + a.String()
	}
	return w.address
}
