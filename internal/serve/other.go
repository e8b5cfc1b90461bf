//go:build !linux

package serve

import (
	"flag"
	"fmt"
	"os"

	"github.com/workerman-go/workerman/internal/console"
)

// supervised is what a master wants of a program: nothing, as it needs Linux.
type supervised interface{}

// takeRole is for systems with a master: here nothing has started this process for a role.
func takeRole() string { return "" }

// askEarly is for systems with a master: here there is none to ask.
func askEarly(console.Command) {}

// RunAll serves in this process, and returns the exit code.
func RunAll(p Program) int {
	if invoked.mistake != nil {
		fmt.Fprintln(os.Stderr, invoked.mistake)
		return console.ExitUsage
	}
	c := invoked.command
	switch {
	case c.Name == "help":
		console.Help(os.Stdout, os.Args[0], c.Target, flag.CommandLine, console.LookOf(os.Stdout))
		return console.ExitDone
	case c.Name != "" && c.Name != "start" || c.Daemon:
		fmt.Fprintf(os.Stderr, "%s: there is no master on this system: start runs in the terminal, Ctrl+C stops it\n", c.Name)
		return console.ExitFailed
	}
	if err := RunHere(p); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return console.ExitFailed
	}
	return console.ExitDone
}
