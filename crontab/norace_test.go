//go:build !race

package crontab

const raceEnabled = false
