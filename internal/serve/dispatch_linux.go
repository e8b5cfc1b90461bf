package serve

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/workerman-go/workerman/internal/console"
	"github.com/workerman-go/workerman/internal/master"
)

// RunAll does what this process was started for, and returns the exit code. It does not return
// but exits if the process has served nothing: what main does behind it is for services.
func RunAll(p Program) int {
	code := exitCode(dispatch(p))
	if !invoked.served() {
		os.Exit(code)
	}
	return code
}

// served reports whether the process was a master, or one of its processes.
func (i *invocation) served() bool {
	switch i.role {
	case master.RoleWorker, master.RoleDaemon:
		return true
	case master.RoleDescribe:
		return false
	}
	return (i.command.Name == "" || i.command.Name == "start" || i.command.Name == "restart") && !i.command.Daemon
}

// exitCode prints an error and turns it into the code of the command.
func exitCode(err error) int {
	var shown shownError
	if err != nil && !errors.As(err, &shown) {
		fmt.Fprintln(os.Stderr, err)
	}
	switch {
	case err == nil:
		return console.ExitDone
	case errors.Is(err, master.ErrNotRunning):
		return console.ExitNotRunning
	}
	return console.ExitFailed
}

// shownError is one that has been printed.
type shownError struct{ error }

func (e shownError) Unwrap() error { return e.error }

// shown marks an error as printed; nil stays nil.
func shown(err error) error {
	if err == nil {
		return nil
	}
	return shownError{err}
}

// dispatch does what the process was started for.
func dispatch(p Program) error {
	switch invoked.role {
	case master.RoleWorker:
		return shown(runProcess(p)) // by the master
	case master.RoleDescribe:
		return describe(p)
	case master.RoleDaemon:
		return shown(runDaemon(p)) // by the process that has started the daemon
	}
	c := commandLine{program: p, Command: invoked.command}
	if invoked.mistake == nil && c.Name == "" {
		invoked.mistake = console.Misplaced(os.Args[0], flag.Arg(0))
	}
	if invoked.mistake != nil {
		fmt.Fprintln(os.Stderr, invoked.mistake)
		os.Exit(console.ExitUsage)
	}
	switch c.Name {
	case "", "start":
		return c.start()
	case "help":
		return console.Help(os.Stdout, os.Args[0], c.Target, flag.CommandLine, console.LookOf(os.Stdout))
	case "completion":
		return console.Completion(os.Stdout, c.Target, os.Args[0])
	case "systemd":
		return c.systemd()
	case "check":
		return c.check()
	}
	files, err := p.Settings().files(true)
	if err != nil {
		return err
	}
	if c.Name == "restart" {
		return c.restart(files)
	}
	return ask(c.Command, files)
}

// commandLine is a command that is about the program, not only about a master that runs.
type commandLine struct {
	program Program
	console.Command
}
