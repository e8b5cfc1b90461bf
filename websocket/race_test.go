//go:build race

package websocket

// raceEnabled: with the race detector pools lose a part of what they are given.
const raceEnabled = true
