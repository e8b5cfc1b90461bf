// Package watch looks at a process from outside of its event loops while it works.
//
// A [Watchdog] is one goroutine that looks at the pulse of each loop now and then. When a loop
// does not get on, the watchdog reads the stack of the loop's goroutine and finds its [Site]: in
// which callback the program stands, and where. It counts slow turns, and logs each site once.
// [WriteStacks] writes the same for every loop, and what the other goroutines do. [Usage] tells
// the memory and the CPU time of the process.
//
// What is watched is a [Service]; which functions of the library call which callback says a
// table ([Callbacks]), which stays beside the functions that it names.
package watch
