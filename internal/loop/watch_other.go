//go:build !linux

package loop

// watch has no place here: package workerman offers descriptors on Linux only.
type watch struct{}
