//go:build unix

package admin

import "syscall"

// ownerOnly makes files that are created until restore is called the owner's alone, so that
// there is no moment at which others may connect.
func ownerOnly() (restore func()) {
	mask := syscall.Umask(0o177)
	return func() { syscall.Umask(mask) }
}
