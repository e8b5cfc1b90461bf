//go:build unix

package filemonitor

import (
	"os/exec"
	"syscall"
)

// killAll ends a command at the end of its context with the compilers that it has started.
func killAll(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
