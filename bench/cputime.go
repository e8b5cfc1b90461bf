package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// cpuTimes is what a process has used so far.
type cpuTimes struct {
	total     int64 // nanoseconds, exact
	user, sys int64 // clock ticks (10 ms), sampled by the kernel
	switches  int64 // context switches of all threads
}

// readCPU reads the CPU time of another process. The total comes from the
// process CPU clock, which counts nanoseconds; the user/sys split is only
// to be had from /proc, in ticks, so it is good for a share, not for a cost.
func readCPU(pid int) (cpuTimes, error) {
	var ts unix.Timespec
	clock := int32(^pid<<3 | 2) // the CPUCLOCK_SCHED clock of that process
	if err := unix.ClockGettime(clock, &ts); err != nil {
		return cpuTimes{}, fmt.Errorf("read the CPU clock of process %d: %w", pid, err)
	}
	user, sys, err := readTicks(pid)
	if err != nil {
		return cpuTimes{}, err
	}
	switches, err := readSwitches(pid)
	if err != nil {
		return cpuTimes{}, err
	}
	return cpuTimes{total: ts.Nano(), user: user, sys: sys, switches: switches}, nil
}

// readSwitches sums how often the process's threads left the CPU. On a busy
// server most of them are the Go runtime moving its work from one thread to
// another around a system call, which explains costs the other figures hide.
func readSwitches(pid int) (int64, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, name := range files {
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // the thread has just ended
		}
		if err != nil {
			return 0, err
		}
		for line := range bytes.Lines(data) {
			key, value, _ := bytes.Cut(line, []byte(":"))
			if !bytes.HasSuffix(key, []byte("_ctxt_switches")) {
				continue
			}
			n, err := strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("%s: %s: %w", name, key, err)
			}
			sum += n
		}
	}
	return sum, nil
}

// readTicks returns utime and stime, fields 14 and 15 of /proc/PID/stat.
func readTicks(pid int) (user, sys int64, err error) {
	name := fmt.Sprintf("/proc/%d/stat", pid)
	data, err := os.ReadFile(name)
	if err != nil {
		return 0, 0, err
	}
	// Field 2, the command name, may hold spaces; the rest starts after its ')'.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 13 {
		return 0, 0, fmt.Errorf("%s: too few fields", name)
	}
	if user, err = strconv.ParseInt(string(fields[11]), 10, 64); err != nil {
		return 0, 0, fmt.Errorf("%s: utime: %w", name, err)
	}
	if sys, err = strconv.ParseInt(string(fields[12]), 10, 64); err != nil {
		return 0, 0, fmt.Errorf("%s: stime: %w", name, err)
	}
	return user, sys, nil
}
