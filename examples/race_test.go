//go:build race

package examples

// raceEnabled makes the programs under test look for races as well.
const raceEnabled = true
