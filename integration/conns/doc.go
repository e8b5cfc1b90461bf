// Package conns holds the tests of what a worker promises of its connections: callbacks in their
// order and once, sending and closing, limits and deadlines, protocols, groups, timers, event
// loops, work on goroutines, pipes, UDP, and the start and stop of a service around them. They use
// the public names alone and run on both engines, over TCP and Unix sockets.
package conns
