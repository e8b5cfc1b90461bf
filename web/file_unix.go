//go:build unix

package web

import (
	"io/fs"
	"os"
	"syscall"
)

// Opening a pipe that has taken the place of a file must not wait for a writer.
const openFlags = os.O_RDONLY | syscall.O_NONBLOCK

// inode tells a file from one that has taken its name.
func inode(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Ino)
	}
	return 0
}
