package console

import (
	"os"

	"golang.org/x/sys/unix"
)

// windowSize returns the columns and rows of a terminal, those of a classic one if it
// does not tell; false if f is none.
func windowSize(f *os.File) (columns, rows int, ok bool) {
	if !isTerminal(f) {
		return 0, 0, false
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 || size.Row == 0 {
		return 80, 24, true
	}
	return int(size.Col), int(size.Row), true
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
