package serve

import (
	"io"
	"os"

	"github.com/workerman-go/workerman/internal/systemd"
)

// systemd prints a unit for the program as it was called.
func (c *commandLine) systemd() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	settings := c.program.Settings()
	o := systemd.UnitOptions{
		Program: program, Args: os.Args[1:], WorkingDirectory: dir, User: c.User,
		StopTimeout: settings.StopTimeout, PidFile: settings.PidFile, LogFile: settings.LogFile,
	}
	if plan, err := c.program.Plan(); err == nil {
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
