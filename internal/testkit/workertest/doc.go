// Package workertest is for tests that need a running service: it starts a Master with workers
// inside the test, on both engines and over TCP and Unix sockets, connects to them over plain
// connections, TLS, HTTP and WebSocket, records what clients experience, and checks at the end
// that no goroutine and no descriptor is left.
//
// It stands above the root and package testkit, and only tests may import it. Tests of the root's
// own package cannot: they would import themselves.
package workertest
