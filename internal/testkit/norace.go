//go:build !race

package testkit

// Race says whether the race detector runs. Everything is several times slower then, needs
// several times the memory, and pools lose a part of what they are given.
const Race = false
