package serve

import (
	"context"
	"time"

	"github.com/workerman-go/workerman/internal/master"
)

// keepPeriod is how often the master looks after its files.
const keepPeriod = time.Second

// keepFiles puts back the pid file and the socket for commands if somebody removes or replaces
// them, as cleaners of temporary files do: without them nobody could stop the service.
func (v *supervision) keepFiles(ctx context.Context, pid *master.PidFile) {
	tick := time.NewTicker(keepPeriod)
	defer tick.Stop()
	told := ""
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		err := pid.Keep()
		if err == nil {
			err = v.server.Keep()
		}
		switch {
		case err == nil:
			told = ""
		case err.Error() != told:
			told = err.Error()
			v.log.Error("commands cannot reach the master", "error", err)
		}
	}
}
