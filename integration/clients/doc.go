// Package clients holds tests only: of clients against a running service. They connect, reconnect
// and back off, go through proxies, TLS and WebSocket, over TCP, Unix sockets and UDP, and meet
// servers and peers that fail in every way.
package clients
