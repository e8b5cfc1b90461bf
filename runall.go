package workerman

import (
	"os"
	"syscall"

	serving "github.com/workerman-go/workerman/internal/serve"
)

// RunAll is what main ends with: it is the program's command line.
//
// PROGRAM, or PROGRAM start, makes the process the master of the default Master's workers:
// it starts Count processes for each and replaces those that die, until SIGINT, SIGTERM or
// the command stop. The processes run main, too, up to RunAll, so what comes before it
// should be quick and have no lasting effect: timers and clients made there are those of each
// process. PROGRAM help lists the other commands. The command's options follow it directly,
// then come the program's own flags; package flag sees only these.
//
// RunAll returns after a stop in good order, in the master and in each process. After any
// other command it does not return but exits: what main does behind it is for services. Exit
// codes are 0 done, 1 failed, 2 wrong usage, 3 not running; where it fails it prints why.
//
// On other systems than Linux, and with Master.OneProcess, it serves all workers in the
// calling process, until SIGINT, SIGTERM or SIGHUP.
func RunAll() {
	if code := serving.RunAll(masterProgram{defaultMaster}); code != 0 {
		os.Exit(code)
	}
}

// Reload asks the master for a reload, as the command reload does, from any goroutine of a
// process that RunAll has started. It returns at once. ErrNotRunning means that there is no
// master, as under Run and on other systems than Linux.
func Reload() error {
	if defaultMaster.reload == nil {
		return ErrNotRunning
	}
	return defaultMaster.reload()
}

// WorkerExit is the end of a process.
type WorkerExit struct {
	Worker string // name
	ID     int    // see Worker.ID
	PID    int
	Cause  string // in words, as "exit code 2" or "panic: runtime error: index out of range"
	Code   int    // exit code, -1 after a signal
	Signal syscall.Signal
}

// ID is the number of the process among those of the worker, from 0 to Count-1. The
// successor of a process has the same one. Under Run it is 0.
func (w *Worker) ID() int { return w.owner().slot }

// init runs before main and package flag look at the arguments and the environment.
func init() { serving.TakeArguments() }

// Args is os.Args as the program was started, with the command that RunAll is to run and its
// options. os.Args itself, and so package flag, has them no more. A program that has
// commands of its own and does without RunAll gets them back by os.Args = workerman.Args().
func Args() []string { return serving.Args() }
