package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// cpuPair holds the two CPUs of a run: one for the server alone, one for the
// client. They are the first two this process may use.
type cpuPair struct{ server, client int }

func pickCPUs() (cpuPair, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return cpuPair{}, fmt.Errorf("read the CPU affinity: %w", err)
	}
	if set.Count() < 2 {
		return cpuPair{}, fmt.Errorf("two CPUs are needed (one for the server, one for the client); this process may use %d", set.Count())
	}
	var found []int
	for cpu := 0; len(found) < 2; cpu++ {
		if set.IsSet(cpu) {
			found = append(found, cpu)
		}
	}
	return cpuPair{server: found[0], client: found[1]}, nil
}

// onCPU runs start with the calling thread bound to one CPU. A child process
// forked meanwhile inherits the binding from its first instruction on, so the
// Go runtime in it sees a one-CPU machine. The caller must hold its thread
// (runtime.LockOSThread).
func onCPU(cpu int, start func() error) error {
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("read the CPU affinity: %w", err)
	}
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("bind to CPU %d: %w", cpu, err)
	}
	startErr := start()
	if err := unix.SchedSetaffinity(0, &before); err != nil {
		return fmt.Errorf("give the CPU affinity back: %w", err)
	}
	return startErr
}
