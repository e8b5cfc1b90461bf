package workerman

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/workerman-go/workerman/internal/master"
	"github.com/workerman-go/workerman/internal/preflight"
	"github.com/workerman-go/workerman/internal/systemd"
)

// printJSON prints v for programs and for people.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// systemdCommand prints a unit for the program as it was called.
func (m *Master) systemdCommand() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	o := systemd.UnitOptions{
		Program: program, Args: os.Args[1:], WorkingDirectory: dir, User: command.User, StopTimeout: m.StopTimeout, PidFile: m.PidFile, LogFile: m.LogFile,
	}
	if plan, err := m.plan(); err == nil {
		for _, w := range plan.Workers {
			if w.Socket != nil {
				o.Listen = append(o.Listen, *w.Socket)
			}
		}
	}
	unit, err := systemd.Unit(o)
	if err != nil {
		return err
	}
	_, err = io.WriteString(os.Stdout, unit)
	return err
}

// checkCommand says what stands in the way of a start, and what will under load. Its exit
// code is 1 if something does.
func (m *Master) checkCommand() error {
	var list []preflight.Finding
	plan, err := m.plan()
	if err == nil {
		err = master.CheckPlan(plan)
	}
	if err != nil {
		list = append(list, preflight.Finding{Level: preflight.Error, Subject: "workers", Text: err.Error()})
	}
	f, err := m.paths(true)
	if err != nil {
		list = append(list, preflight.Finding{Level: preflight.Error, Subject: "pid file", Text: err.Error()})
	}
	o := preflight.Options{PidFile: f.pid, LogFile: f.log, Processes: 0}
	if pid, err := master.MasterOf(f.pid); err == nil {
		o.Running = true
		list = append(list, preflight.Finding{Subject: "master", Text: fmt.Sprintf("runs, pid %d", pid)})
	}
	if o.Program, err = os.Executable(); err != nil {
		return err
	}
	for _, w := range plan.Workers {
		o.Processes += w.Count
		o.Users = append(o.Users, w.User)
		if w.Socket != nil {
			o.Listen = append(o.Listen, preflight.Listener{Worker: w.Name, Address: *w.Socket})
		}
	}
	for _, w := range m.workersNow() {
		o.Connections = max(o.Connections, w.MaxConnections)
	}
	list = append(list, preflight.Check(o)...)
	if command.JSON {
		err = preflight.WriteJSON(os.Stdout, list)
	} else {
		err = preflight.Write(os.Stdout, list)
	}
	if err == nil && preflight.Worst(list) == preflight.Error {
		return shownError{errors.New("check failed")}
	}
	return err
}

// raiseFiles lets this process have as many connections as the system allows, and says if
// that is few.
func (m *Master) raiseFiles() {
	soft, _, err := preflight.RaiseFiles()
	switch {
	case err != nil:
		m.logger().Warn("the limit of open files cannot be raised", "error", err)
	case soft < fewFiles:
		m.logger().Warn("few files may be open, so few connections are possible", "limit", soft, "note", "see the command check")
	}
}

// fewFiles is a limit that a server soon meets.
const fewFiles = 4096
