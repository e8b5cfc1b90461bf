package child

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// inOwnGroup makes a program the first of a process group, to reach what it starts.
func inOwnGroup(cmd *exec.Cmd) {
	var attributes syscall.SysProcAttr
	if cmd.SysProcAttr != nil {
		attributes = *cmd.SysProcAttr
	}
	attributes.Setpgid, attributes.Pgid = !attributes.Setsid, 0 // a session has a group of its own
	cmd.SysProcAttr = &attributes
}

// awaitExit waits until a program has ended and leaves its process id to it until reap is
// called.
func awaitExit(cmd *exec.Cmd) (reap func() error) {
	for unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	return cmd.Wait
}

// signalGroup sends a signal to a program that has not been reaped and to its group.
func signalGroup(cmd *exec.Cmd, sig syscall.Signal) error {
	err := unix.Kill(-cmd.Process.Pid, sig)
	if err == unix.ESRCH {
		return os.ErrProcessDone
	}
	return err
}
