//go:build race

package loop

const checking = true
