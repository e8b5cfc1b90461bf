// Package numbers holds tests only: of the numbers that can be asserted on any machine, which are
// allocations per message and bytes of memory per idle connection. The third kind, system calls
// per message, is counted inside of the loops and so is tested in the root.
//
// The race detector falsifies them, so that these tests skip themselves under it.
package numbers
