package workerman

import serving "github.com/workerman-go/workerman/internal/serve"

// init runs before main and package flag look at the arguments and the environment.
func init() { serving.TakeArguments() }

// Args is os.Args as the program was started, with the command that RunAll is to run and its
// options. os.Args itself, and so package flag, has them no more. A program that has
// commands of its own and does without RunAll gets them back by os.Args = workerman.Args().
func Args() []string { return serving.Args() }
