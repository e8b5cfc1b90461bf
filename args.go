package workerman

import (
	"os"
	"slices"

	"github.com/workerman-go/workerman/internal/master"
)

var (
	// processRole is what a master started this process for, "" if none did.
	processRole string
	// arguments are os.Args as they were.
	arguments = slices.Clone(os.Args)
)

// Args is os.Args as the program was started, with the command that RunAll is to run and its
// options. os.Args itself, and so package flag, has them no more. A program that has
// commands of its own and does without RunAll gets them back by os.Args = workerman.Args().
func Args() []string { return slices.Clone(arguments) }

// init runs before main and package flag look at the arguments and the environment.
func init() {
	processRole = takeVariable(master.RoleVariable)
	name := takeVariable(master.NameVariable)
	if processRole != "" {
		inheritRole(name)
		return
	}
	command, os.Args, usageError = parseArguments(os.Args)
}

// takeVariable removes a variable of the environment, lest it reach a child that the
// program starts.
func takeVariable(name string) string {
	v := os.Getenv(name)
	os.Unsetenv(name)
	return v
}
