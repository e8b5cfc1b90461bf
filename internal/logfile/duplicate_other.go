//go:build !unix

package logfile

import "os"

// duplicate opens the same file again.
func duplicate(file *os.File) (*os.File, error) {
	return os.OpenFile(file.Name(), os.O_WRONLY|os.O_APPEND, 0)
}
