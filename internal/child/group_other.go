//go:build !linux

package child

import (
	"os/exec"
	"syscall"
)

// inOwnGroup does nothing: groups of processes are those of Linux.
func inOwnGroup(*exec.Cmd) {}

// awaitExit waits until a program has ended; reap tells how.
func awaitExit(cmd *exec.Cmd) (reap func() error) {
	err := cmd.Wait()
	return func() error { return err }
}

// signalGroup sends a signal to a program.
func signalGroup(cmd *exec.Cmd, sig syscall.Signal) error {
	if sig == syscall.SIGKILL {
		return cmd.Process.Kill()
	}
	return cmd.Process.Signal(sig)
}
