// Package websockets holds the tests of the scheme websocket and of upgrades: handshakes, messages
// with and without compression, control frames, and closes by codes.
package websockets
