package serve

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/master"
)

// startDaemon starts the master in the background and waits until it serves, or tells why
// not.
func startDaemon(settings Settings) (*control.Status, error) {
	out, err := settings.openStdout()
	if err != nil {
		return nil, err
	}
	defer out.Close()
	report, reportEnd, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer report.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	program, err := ownFile()
	if err != nil {
		return nil, err
	}
	attr := &os.ProcAttr{
		Env:   append(os.Environ(), master.RoleVariable+"="+master.RoleDaemon, master.NameVariable+"="+os.Args[0]),
		Files: []*os.File{null, out, out, reportEnd},
		Sys:   &syscall.SysProcAttr{Setsid: true}, // out of the terminal's session
	}
	args := append([]string{"workerman: master " + program}, os.Args[1:]...)
	child, err := os.StartProcess("/proc/self/exe", args, attr)
	reportEnd.Close()
	if err != nil {
		return nil, err
	}
	var e control.Event
	switch err := json.NewDecoder(report).Decode(&e); {
	case errors.Is(err, io.EOF):
		state, _ := child.Wait()
		return e.Status, fmt.Errorf("the daemon ended before it served: %v", state)
	case err != nil:
		return e.Status, err
	case e.Error != "":
		child.Wait()
		return e.Status, errors.New(e.Error)
	}
	return e.Status, child.Release()
}

// runDaemon is the master in the background. The process that has started it waits at the
// descriptor for its report.
func runDaemon(p Program) error {
	report := os.NewFile(master.LinkDescriptor, "report")
	syscall.CloseOnExec(master.LinkDescriptor)
	send := func(e control.Event) { json.NewEncoder(report).Encode(e) }
	err := supervise(p, true, func(s control.Status) bool {
		send(control.Event{Status: &s, Done: true})
		report.Close()
		return false
	})
	if err != nil {
		send(control.Event{Error: err.Error()})
		p.Settings().logger().Error("the service ends", "error", err)
	}
	return err
}

// openStdout opens what a daemon writes its output to.
func (s Settings) openStdout() (*os.File, error) {
	f, err := os.OpenFile(cmp.Or(s.StdoutFile, os.DevNull), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("StdoutFile: %w", err)
	}
	return f, nil
}

// reopenOutput begins a new StdoutFile of a daemon, in case the old one was moved away. It
// returns the descriptor for processes, -1 if their output stays.
func (v *supervision) reopenOutput() int {
	if !v.daemon {
		return -1
	}
	f, err := v.settings.openStdout()
	if err == nil {
		err = replaceOutput(int(f.Fd()))
		f.Close()
	}
	if err != nil {
		v.log.Warn("the old output goes on", "error", err)
		return -1
	}
	return int(os.Stdout.Fd())
}
