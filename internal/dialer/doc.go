// Package dialer finds the way from this process to a server, up to a connected socket.
//
// A Resolver looks names up on goroutines and answers on an event loop. Targets orders the
// addresses that it found, Race connects to the first of them that answers. A Proxy is the
// description of a proxy that a connection leads through; the dialog with it is a
// tunnel.Negotiation, which the owner of the socket carries on.
//
// What is begun here can be cancelled, on the loop on which it was begun; after that nothing
// of it is heard again.
package dialer
