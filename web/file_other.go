//go:build !unix

package web

import (
	"io/fs"
	"os"
)

const openFlags = os.O_RDONLY

// inode is 0 where a FileInfo does not tell it.
func inode(fs.FileInfo) uint64 { return 0 }
