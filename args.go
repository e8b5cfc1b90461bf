package workerman

import (
	"flag"
	"fmt"
	"os"
	"slices"

	"github.com/workerman-go/workerman/internal/console"
)

var (
	// arguments are os.Args as they were.
	arguments = slices.Clone(os.Args)
	// command is what RunAll is to do, or usageError why there is nothing that it could.
	command    console.Command
	usageError error
)

// Args is os.Args as the program was started, with the command that RunAll is to run and its
// options. os.Args itself, and so package flag, has them no more. A program that has
// commands of its own and does without RunAll gets them back by os.Args = workerman.Args().
func Args() []string { return slices.Clone(arguments) }

// printUsage is what package flag prints for -h and after a mistake, unless the program prints its
// own.
func printUsage() {
	fmt.Fprintf(flag.CommandLine.Output(), "Usage of %s:\n", os.Args[0])
	flag.PrintDefaults()
	fmt.Fprintf(flag.CommandLine.Output(), "\n\"%s help\" lists the commands.\n", os.Args[0])
}

// init runs before main and package flag look at the arguments and the environment.
func init() {
	if takeRole() {
		return
	}
	flag.Usage = printUsage
	var rest []string
	if command, rest, usageError = console.Parse(os.Args); usageError == nil && len(os.Args) > 0 {
		os.Args = append(os.Args[:1:1], rest...)
		if len(rest) == 0 {
			askEarly()
		}
	}
}
