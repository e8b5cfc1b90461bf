// Package secure holds the tests of workers with TLS: handshakes that succeed and fail,
// certificates by names and of clients, versions, session tickets, and what a connection promises
// when it is encrypted.
package secure
