//go:build race

package workerman

// raceEnabled says that the race detector makes everything several times slower.
const raceEnabled = true
