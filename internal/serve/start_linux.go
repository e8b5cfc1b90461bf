package serve

import (
	"errors"
	"os"

	"github.com/workerman-go/workerman/internal/console"
	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/master"
)

// start begins to serve: with the master in this process, or in the background.
func (c *commandLine) start() error {
	if c.program.Settings().OneProcess || os.Getenv("WORKERMAN_ONE_PROCESS") == "1" {
		if c.Daemon {
			return errors.New("start -d: a service of one process stays in the foreground")
		}
		return RunHere(c.program)
	}
	look := console.LookOf(os.Stdout)
	if c.Daemon {
		s, err := startDaemon(c.program.Settings())
		if err != nil {
			return err
		}
		return console.Banner(os.Stdout, *s, look)
	}
	return supervise(c.program, false, func(s control.Status) bool {
		return look.Width > 0 && console.Banner(os.Stdout, s, look) == nil
	})
}

// restart stops a running master, if there is one, and starts.
func (c *commandLine) restart(files fileSet) error {
	ctx, stop := interruptible()
	defer stop()
	if _, err := c.program.Plan(); err != nil { // rather than find out when nothing runs any more
		return err
	}
	err := showProgress("stop", master.NewClient(files.pid).Stop(ctx, c.Graceful))
	if err != nil && !errors.Is(err, master.ErrNotRunning) {
		return err
	}
	return c.start()
}
