// Package child starts programs beside this process and makes sure that none is forgotten.
//
// A [Process] is the first of a process group of its own, so that a signal also reaches what it
// has started; groups are those of Linux, elsewhere a signal reaches the program alone. It
// belongs to a context, which is the life of whoever wants it. Package child keeps a list of the
// processes that have not been reaped, and [KillOrphans] kills those whose context has ended:
// a process that is about to exit calls it, because then no goroutine gets the time to do so.
package child
