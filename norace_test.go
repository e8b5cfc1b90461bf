//go:build !race

package workerman

const raceEnabled = false
