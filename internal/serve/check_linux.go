package serve

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/workerman-go/workerman/internal/master"
	"github.com/workerman-go/workerman/internal/preflight"
)

// check says what stands in the way of a start, and what will under load. Its exit code is 1
// if something does.
func (c *commandLine) check() error {
	var list []preflight.Finding
	settings := c.program.Settings()
	plan, err := c.program.Plan()
	if err == nil {
		err = master.CheckPlan(plan)
	}
	if err != nil {
		list = append(list, preflight.Finding{Level: preflight.Error, Subject: "workers", Text: err.Error()})
	}
	files, err := settings.files(true)
	if err != nil {
		list = append(list, preflight.Finding{Level: preflight.Error, Subject: "pid file", Text: err.Error()})
	}
	o := preflight.Options{PidFile: files.pid, LogFile: files.log, Connections: settings.MaxConnections}
	if pid, err := master.MasterOf(files.pid); err == nil {
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
	list = append(list, preflight.Check(o)...)
	if c.JSON {
		err = preflight.WriteJSON(os.Stdout, list)
	} else {
		err = preflight.Write(os.Stdout, list)
	}
	if err == nil && preflight.Worst(list) == preflight.Error {
		return shownError{errors.New("check failed")}
	}
	return err
}

// fewFiles is a limit that a server soon meets.
const fewFiles = 4096

// raiseFiles lets this process have as many connections as the system allows, and logs if
// that is few.
func raiseFiles(log *slog.Logger) {
	soft, _, err := preflight.RaiseFiles()
	switch {
	case err != nil:
		log.Warn("the limit of open files cannot be raised", "error", err)
	case soft < fewFiles:
		log.Warn("few files may be open, so few connections are possible", "limit", soft, "note", "see the command check")
	}
}
