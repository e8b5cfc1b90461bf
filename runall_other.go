//go:build !linux

package workerman

import (
	"flag"
	"fmt"
	"os"

	"github.com/workerman-go/workerman/internal/console"
)

// takeRole is for systems with a master.
func takeRole() bool { return false }

// askEarly is for systems with a master.
func askEarly() {}

// runAll serves in this process: the master needs Linux.
func (m *Master) runAll() int {
	if usageError != nil {
		fmt.Fprintln(os.Stderr, usageError)
		return console.ExitUsage
	}
	switch {
	case command.Name == "help":
		console.Help(os.Stdout, os.Args[0], command.Target, flag.CommandLine, console.LookOf(os.Stdout))
		return console.ExitDone
	case command.Name != "" && command.Name != "start" || command.Daemon:
		fmt.Fprintf(os.Stderr, "%s: there is no master on this system: start runs in the terminal, Ctrl+C stops it\n", command.Name)
		return console.ExitFailed
	}
	if err := m.runHere(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return console.ExitFailed
	}
	return console.ExitDone
}

// Reload asks the master for a reload. There is none on this system: ErrNotRunning.
func Reload() error { return ErrNotRunning }
