package workerman

import (
	"encoding/json"
	"io"
	"os"

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
	unit, err := systemd.Unit(systemd.UnitOptions{Program: program, Args: os.Args[1:], WorkingDirectory: dir, User: command.User, StopTimeout: m.StopTimeout})
	if err != nil {
		return err
	}
	_, err = io.WriteString(os.Stdout, unit)
	return err
}

func (m *Master) checkCommand() error { return nil }
