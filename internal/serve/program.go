package serve

import (
	"context"

	"github.com/workerman-go/workerman/internal/master"
)

// Program is what is served: the workers, clients and timers that main has made. Its methods
// are called from RunAll on, Settings and Plan from any goroutine.
type Program interface {
	// Settings returns the settings as they are now: main may change them until RunAll.
	Settings() Settings
	// Plan is what a master is to run. Errors name the workers that cannot run; the others are
	// in the plan nevertheless.
	Plan() (master.Plan, error)
	// Run serves everything in this process until ctx ends or the program stops it.
	Run(ctx context.Context) error

	supervised
}
