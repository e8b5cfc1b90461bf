package workerman

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/master"
)

type tmpCommand struct {
	Name     string
	Daemon   bool
	Graceful bool
}

var (
	command    tmpCommand
	usageError error
)

func parseArguments(args []string) (c tmpCommand, rest []string, err error) {
	if len(args) < 2 || args[1][0] == '-' {
		return c, args, nil
	}
	c.Name = args[1]
	rest = append(rest, args[0])
	for _, a := range args[2:] {
		switch a {
		case "-d":
			c.Daemon = true
		case "-g":
			c.Graceful = true
		default:
			rest = append(rest, a)
		}
	}
	return c, rest, nil
}

// runAll does what the command line asks for and returns the exit code.
func (m *Master) runAll() int {
	err := m.dispatch()
	var running *master.RunningError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, master.ErrNotRunning):
		fmt.Fprintln(os.Stderr, err)
		return 3
	case errors.As(err, &running):
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func (m *Master) dispatch() error {
	switch processRole {
	case master.RoleWorker:
		if m.runProcess() != nil { // the master tells
			os.Exit(1)
		}
		return nil
	case master.RoleDescribe:
		return m.describe()
	case master.RoleDaemon:
		return m.runDaemon()
	}
	if m.OneProcess || os.Getenv("WORKERMAN_ONE_PROCESS") == "1" {
		return m.runHere()
	}
	f, err := m.paths(false)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	client := master.NewClient(f.pid)
	switch command.Name {
	case "", "start":
		if command.Daemon {
			return m.startDaemon(func(e control.Event) { fmt.Println(e) })
		}
		return m.supervise(false, func(s control.Status) {  })
	case "stop":
		return client.Stop(ctx, command.Graceful, func(e control.Event) { fmt.Println(e) })
	case "reload":
		return client.Reload(ctx, command.Graceful, func(e control.Event) { fmt.Println(e.Reload) })
	case "status":
		s, err := client.Status(ctx)
		fmt.Printf("%+v\n", s)
		return err
	}
	return fmt.Errorf("unknown command %s", command.Name)
}
