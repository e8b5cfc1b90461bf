package serve

import (
	"log/slog"
	"time"

	"github.com/workerman-go/workerman/internal/master"
)

// Settings are what the user has set. The zero value means the defaults.
type Settings struct {
	Logger          *slog.Logger  // default slog.Default(), as it is when something is logged
	PidFile         string        // default beside the program, or in the user's folder for such files
	LogFile         string        // default none, beside PidFile for a daemon
	LogMaxSize      int64         // bytes; default that of package logfile
	StdoutFile      string        // where a daemon's output goes; default /dev/null
	Admin           string        // address of the admin pages, "" for none
	StartTimeout    time.Duration // default master.DefaultReady
	StopTimeout     time.Duration // default that of the program
	GracefulTimeout time.Duration // default master.DefaultGraceful
	DrainTimeout    time.Duration // how long a process drains that has lost its master
	OneProcess      bool          // serve in the calling process
	// MaxConnections is the largest number of connections that a worker is limited to, 0 if
	// none is limited: the command check compares it with what the system allows.
	MaxConnections int
	// OnWorkerExit is called in the master after the end of a process, on a goroutine of its
	// own. Nil for none.
	OnWorkerExit func(master.Exit)
}

// logger is where this process logs to.
func (s Settings) logger() *slog.Logger {
	if s.Logger != nil {
		return s.Logger
	}
	return slog.Default()
}
