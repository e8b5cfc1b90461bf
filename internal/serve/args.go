package serve

import (
	"flag"
	"fmt"
	"os"
	"slices"

	"github.com/workerman-go/workerman/internal/console"
)

// invocation is how this process was started.
type invocation struct {
	args    []string        // os.Args as they were
	role    string          // what a master, or the command start, has started it for; "" if neither did
	command console.Command // what RunAll is to do
	mistake error           // why the arguments ask for nothing that RunAll could do
}

// invoked is the invocation of this process, set by TakeArguments.
var invoked invocation

// TakeArguments learns what this process is to do, and leaves in os.Args and the environment
// only what concerns the program. It has to run before main and package flag look at them, so
// in the initialisation of a package. A command that only asks a running master is done at
// once, and ends the process.
func TakeArguments() {
	invoked.args = slices.Clone(os.Args)
	if invoked.role = takeRole(); invoked.role != "" {
		return
	}
	flag.Usage = printUsage
	var rest []string
	if invoked.command, rest, invoked.mistake = console.Parse(os.Args); invoked.mistake == nil && len(os.Args) > 0 {
		os.Args = append(os.Args[:1:1], rest...)
		if len(rest) == 0 {
			askEarly(invoked.command)
		}
	}
}

// Args is a copy of os.Args as the process was started.
func Args() []string { return slices.Clone(invoked.args) }

// printUsage is what package flag prints for -h and after a mistake, unless the program prints
// its own.
func printUsage() {
	fmt.Fprintf(flag.CommandLine.Output(), "Usage of %s:\n", os.Args[0])
	flag.PrintDefaults()
	fmt.Fprintf(flag.CommandLine.Output(), "\n\"%s help\" lists the commands.\n", os.Args[0])
}
