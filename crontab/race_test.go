//go:build race

package crontab

// raceEnabled shortens tests of much arithmetic and no concurrency.
const raceEnabled = true
