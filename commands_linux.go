package workerman

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/workerman-go/workerman/internal/console"
	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/logfile"
	"github.com/workerman-go/workerman/internal/master"
)

// askEarly does a command that only asks the running master, before main begins: it works
// with a program file that does not come to RunAll any more, and is quicker. It knows the
// default pid file only, so if no master is there, or the program has flags, which may name
// another, main goes on to RunAll.
func askEarly() {
	switch command.Name {
	case "stop", "reload", "status", "connections", "stack", "logs":
	default:
		return
	}
	f, err := defaultMaster.paths(true)
	if err != nil {
		return
	}
	if _, err := master.MasterOf(f.pid); err != nil {
		return
	}
	os.Exit(exitCode(defaultMaster.ask(f)))
}

// runAll does what the command line asks for and returns the exit code, or does not return if
// this process served nothing.
func (m *Master) runAll() int {
	code := exitCode(m.dispatch())
	if !served() {
		os.Exit(code)
	}
	return code
}

// served reports whether this process was a master, or one of its processes.
func served() bool {
	switch processRole {
	case master.RoleWorker, master.RoleDaemon:
		return true
	case master.RoleDescribe:
		return false
	}
	return (command.Name == "" || command.Name == "start" || command.Name == "restart") && !command.Daemon
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

func (m *Master) dispatch() error {
	switch processRole {
	case master.RoleWorker:
		if err := m.runProcess(); err != nil {
			return shownError{err} // by the master
		}
		return nil
	case master.RoleDescribe:
		return m.describe()
	case master.RoleDaemon:
		if err := m.runDaemon(); err != nil {
			return shownError{err} // by who started it
		}
		return nil
	}
	if usageError == nil && command.Name == "" {
		usageError = console.Misplaced(os.Args[0], flag.Arg(0))
	}
	if usageError != nil {
		fmt.Fprintln(os.Stderr, usageError)
		os.Exit(console.ExitUsage)
	}
	switch command.Name {
	case "", "start":
		return m.startCommand()
	case "help":
		return console.Help(os.Stdout, os.Args[0], command.Target, flag.CommandLine, console.LookOf(os.Stdout))
	case "completion":
		return console.Completion(os.Stdout, command.Target, os.Args[0])
	case "systemd":
		return m.systemdCommand()
	case "check":
		return m.checkCommand()
	}
	f, err := m.paths(true)
	if err != nil {
		return err
	}
	return m.ask(f)
}

// ask does a command that asks a master.
func (m *Master) ask(f fileSet) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	c := master.NewClient(f.pid)
	switch command.Name {
	case "stop":
		return m.stopCommand(ctx, c)
	case "restart":
		if _, err := m.plan(); err != nil { // rather than find out when nothing runs any more
			return err
		}
		if err := m.stopCommand(ctx, c); err != nil && !errors.Is(err, master.ErrNotRunning) {
			return err
		}
		return m.startCommand()
	case "reload":
		return m.showProgress(c.Reload(ctx, command.Graceful))
	case "status":
		return m.statusCommand(ctx, c)
	case "connections":
		return connectionsCommand(ctx, c)
	case "stack":
		if pid, err := strconv.Atoi(command.Target); err == nil {
			return c.Stack(ctx, "", pid, os.Stdout)
		}
		return c.Stack(ctx, command.Target, 0, os.Stdout)
	}
	return logsCommand(ctx, c, f.log)
}

// startCommand is start: the master in this process, or in the background.
func (m *Master) startCommand() error {
	if m.OneProcess || os.Getenv("WORKERMAN_ONE_PROCESS") == "1" {
		if command.Daemon {
			return errors.New("start -d: a service of one process stays in the foreground")
		}
		return m.runHere()
	}
	look := console.LookOf(os.Stdout)
	if command.Daemon {
		s, err := m.startDaemon()
		if err != nil {
			return err
		}
		return console.Banner(os.Stdout, *s, look)
	}
	return m.supervise(false, func(s control.Status) bool {
		return look.Width > 0 && console.Banner(os.Stdout, s, look) == nil
	})
}

func (m *Master) stopCommand(ctx context.Context, c *master.Client) error {
	saved := command.Name
	command.Name = "stop" // restart begins with it
	defer func() { command.Name = saved }()
	return m.showProgress(c.Stop(ctx, command.Graceful))
}

// showProgress prints events until they end. That there is no master is no progress.
func (m *Master) showProgress(events iter.Seq2[control.Event, error]) error {
	next, stop := iter.Pull2(events)
	defer stop()
	first, err, ok := next()
	if errors.Is(err, master.ErrNotRunning) {
		return err
	}
	all := func(yield func(control.Event, error) bool) {
		for ok && yield(first, err) {
			first, err, ok = next()
		}
	}
	if err := console.Progress(os.Stdout, command.Name, all, console.LookOf(os.Stdout)); err != nil {
		return shownError{err}
	}
	return nil
}

func (m *Master) statusCommand(ctx context.Context, c *master.Client) error {
	if command.Live {
		return console.LiveStatus(ctx, os.Stdin, os.Stdout, c.Status)
	}
	s, err := c.Status(ctx)
	if err != nil {
		return err
	}
	if command.JSON {
		return printJSON(os.Stdout, s)
	}
	return console.Status(os.Stdout, s, console.LookOf(os.Stdout))
}

func connectionsCommand(ctx context.Context, c *master.Client) error {
	fetch := func(ctx context.Context) (io.ReadCloser, error) { return c.Connections(ctx, command.Filter) }
	if command.Live {
		return console.LiveConnections(ctx, os.Stdin, os.Stdout, func(ctx context.Context) (list []control.Connection, err error) {
			lines, err := fetch(ctx)
			if err != nil {
				return nil, err
			}
			defer lines.Close()
			for c, err := range control.ReadConnections(lines) {
				if err != nil {
					return nil, err
				}
				list = append(list, *c)
			}
			return list, nil
		})
	}
	lines, err := fetch(ctx)
	if err != nil {
		return err
	}
	defer lines.Close()
	rows := control.ReadConnections(lines)
	if command.JSON {
		return console.ConnectionsJSON(os.Stdout, rows, command.Limit)
	}
	return console.Connections(os.Stdout, rows, command.Limit, console.LookOf(os.Stdout))
}

// logsCommand prints the log that the running master writes, or the last one wrote. That the
// master does not answer is a reason to look into the log, not to refuse it.
func logsCommand(ctx context.Context, c *master.Client, path string) error {
	s, err := c.Status(ctx)
	switch {
	case err == nil && s.LogFile == "":
		return errors.New("no log file: the program runs in a terminal and Master.LogFile is not set")
	case err == nil:
		path = s.LogFile
	case !errors.Is(err, master.ErrNotRunning):
		fmt.Fprintln(os.Stderr, err)
	}
	if command.Follow {
		err = logfile.Follow(ctx, path, command.Lines, os.Stdout)
	} else {
		err = logfile.Tail(path, command.Lines, os.Stdout)
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
