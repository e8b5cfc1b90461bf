// Package interop holds tests of package websocket against other implementations. It is
// a module of its own, so that these are no dependencies of workerman.
package interop
