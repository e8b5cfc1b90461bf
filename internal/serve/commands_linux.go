package serve

import (
	"context"
	"encoding/json"
	"errors"
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
func askEarly(c console.Command) {
	switch c.Name {
	case "stop", "reload", "status", "connections", "stack", "logs":
	default:
		return
	}
	files, err := Settings{}.files(true)
	if err != nil {
		return
	}
	if _, err := master.MasterOf(files.pid); err != nil {
		return
	}
	os.Exit(exitCode(ask(c, files)))
}

// interruptible returns a context that ends by Ctrl+C.
func interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
}

// ask does a command that needs nothing but a master.
func ask(c console.Command, files fileSet) error {
	ctx, stop := interruptible()
	defer stop()
	client := master.NewClient(files.pid)
	switch c.Name {
	case "stop":
		return showProgress(c.Name, client.Stop(ctx, c.Graceful))
	case "reload":
		return showProgress(c.Name, client.Reload(ctx, c.Graceful))
	case "status":
		return showStatus(ctx, c, client)
	case "connections":
		return showConnections(ctx, c, client)
	case "stack":
		if pid, err := strconv.Atoi(c.Target); err == nil {
			return client.Stack(ctx, "", pid, os.Stdout)
		}
		return client.Stack(ctx, c.Target, 0, os.Stdout)
	}
	return showLogs(ctx, c, client, files.log)
}

// showProgress prints events until they end. That there is no master is no progress.
func showProgress(command string, events iter.Seq2[control.Event, error]) error {
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
	return shown(console.Progress(os.Stdout, command, all, console.LookOf(os.Stdout)))
}

func showStatus(ctx context.Context, c console.Command, client *master.Client) error {
	if c.Live {
		return console.LiveStatus(ctx, os.Stdin, os.Stdout, client.Status)
	}
	s, err := client.Status(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(s)
	}
	return console.Status(os.Stdout, s, console.LookOf(os.Stdout))
}

func showConnections(ctx context.Context, c console.Command, client *master.Client) error {
	if c.Live {
		return console.LiveConnections(ctx, os.Stdin, os.Stdout, func(ctx context.Context) ([]control.Connection, error) {
			return connections(ctx, client, c.Filter)
		})
	}
	lines, err := client.Connections(ctx, c.Filter)
	if err != nil {
		return err
	}
	defer lines.Close()
	rows := control.ReadConnections(lines)
	if c.JSON {
		return console.ConnectionsJSON(os.Stdout, rows, c.Limit)
	}
	return console.Connections(os.Stdout, rows, c.Limit, console.LookOf(os.Stdout))
}

// connections asks for the rows that f chooses.
func connections(ctx context.Context, client *master.Client, f control.Filter) (list []control.Connection, err error) {
	var lines io.ReadCloser
	if lines, err = client.Connections(ctx, f); err != nil {
		return nil, err
	}
	defer lines.Close()
	for row, err := range control.ReadConnections(lines) {
		if err != nil {
			return nil, err
		}
		list = append(list, *row)
	}
	return list, nil
}

// showLogs prints the log that the running master writes, or the last one wrote. That the
// master does not answer is a reason to look into the log, not to refuse it.
func showLogs(ctx context.Context, c console.Command, client *master.Client, path string) error {
	s, err := client.Status(ctx)
	switch {
	case err == nil && s.LogFile == "":
		return errors.New("no log file: the program runs in a terminal and Master.LogFile is not set")
	case err == nil:
		path = s.LogFile
	case !errors.Is(err, master.ErrNotRunning):
		fmt.Fprintln(os.Stderr, err)
	}
	if c.Follow {
		err = logfile.Follow(ctx, path, c.Lines, os.Stdout)
	} else {
		err = logfile.Tail(path, c.Lines, os.Stdout)
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
