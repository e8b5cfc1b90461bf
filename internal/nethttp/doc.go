// Package nethttp serves requests by handlers of net/http on connections that an event loop
// reads and writes.
//
// A Handling is one request on its way through a handler, on a goroutine that exists while
// the request does. The loop begins it with the head, feeds it the body, and tells it when
// the body ends, has a mistake or the client is gone. Its ResponseWriter writes the answer
// into the connection's output. Both directions hold back who is faster: a body that nobody
// reads pauses the connection, and a Write waits while too much waits for the client. After
// Hijack the connection belongs to the handler as a net.Conn, over the same two ways.
//
// The package knows no event loop and no sockets. What it needs of the connection is Conn,
// which the framework implements.
package nethttp
