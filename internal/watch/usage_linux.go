package watch

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Usage is what the process uses: resident memory in bytes, and CPU in seconds since its start. A
// figure that the system does not tell is 0. Any goroutine may ask.
func Usage() (memory int64, cpu float64) {
	if stat, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := bytes.Fields(stat); len(fields) > 1 {
			pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
			memory = pages * int64(os.Getpagesize())
		}
	}
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) == nil {
		cpu = time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
	}
	return memory, cpu
}
