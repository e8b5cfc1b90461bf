package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// spareFiles is how many descriptors a process keeps for everything that is
// not a benchmark connection.
const spareFiles = 200

// raiseFileLimit lifts the soft limit on open files to the hard one and
// returns it. Client and server are separate processes, so each has it whole.
func raiseFileLimit() (int, error) {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return 0, fmt.Errorf("read the limit on open files: %w", err)
	}
	lim.Cur = lim.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return 0, fmt.Errorf("raise the limit on open files to %d: %w", lim.Max, err)
	}
	return int(min(lim.Max, 1<<20)), nil
}
