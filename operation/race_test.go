//go:build race

package operation

// raceEnabled makes the programs under test look for races as well.
const raceEnabled = true
