package workerman

import (
	"os"

	"golang.org/x/sys/unix"
)

// isTerminal reports whether f is a terminal, which /dev/null is not.
func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
