package serve

import (
	"context"
	"log/slog"
	"time"

	"github.com/workerman-go/workerman/internal/master"
	"github.com/workerman-go/workerman/internal/socket"
	"github.com/workerman-go/workerman/internal/systemd"
)

// serviceManager is systemd, if it has started the master.
type serviceManager struct {
	log     *slog.Logger
	sockets []systemd.Socket
}

func openManager(log *slog.Logger) *serviceManager {
	s := &serviceManager{log: log}
	var err error
	if s.sockets, err = systemd.Sockets(); err != nil {
		log.Warn("a socket of systemd is not used", "error", err)
	}
	return s
}

// socket returns the descriptor of the socket that systemd has opened for an address, -1 if
// it has none.
func (s *serviceManager) socket(a socket.Address) int {
	i := systemd.Match(s.sockets, a)
	if i < 0 {
		return -1
	}
	fd, err := socket.Descriptor(s.sockets[i].File)
	if err != nil {
		s.log.Warn("a socket of systemd is not used", "error", err)
		return -1
	}
	return fd
}

// tell passes a state on.
func (s *serviceManager) tell(state master.State, text string) {
	var states []string
	switch state {
	case master.Running:
		states = append(states, systemd.Ready, systemd.Status("running"))
	case master.Reloading:
		states = append(states, systemd.Reloading(), systemd.Status("reloading"))
	case master.Stopping:
		states = append(states, systemd.Stopping, systemd.Status("stopping: "+text))
	}
	if err := systemd.Notify(states...); err != nil {
		s.log.Warn("systemd is not told", "state", state, "error", err)
	}
}

// watch tells systemd that the master lives, as long as it does.
func (s *serviceManager) watch(ctx context.Context, v *master.Supervisor) {
	limit := systemd.Watchdog()
	if limit == 0 {
		return
	}
	tick := time.NewTicker(limit / 3)
	defer tick.Stop()
	for {
		v.State() // which waits if the supervisor is stuck
		systemd.Notify(systemd.Alive)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
