package logfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
)

// look is what the owner does every second: the processes write to the same file, and other
// programs may have moved it.
func (f *File) look() {
	f.diskMu.Lock()
	defer f.diskMu.Unlock()
	if mine, there, ok := f.regular(); ok && (there == nil || !os.SameFile(mine, there)) {
		f.reopen()
		return
	}
	f.rotateLarge()
}

// reopen is Reopen with the lock held.
func (f *File) reopen() error {
	if f.file == nil {
		return os.ErrClosed
	}
	if f.path == "" {
		return nil // its owner sends a new descriptor
	}
	file, err := create(f.path)
	if err != nil {
		return fmt.Errorf("log file: %w", err)
	}
	old, errOld := f.file.Stat()
	now, errNow := file.Stat()
	if errOld == nil && errNow == nil && os.SameFile(old, now) {
		file.Close()
		return nil
	}
	f.file.Close()
	f.file, f.disk.cannot = file, false
	select {
	case f.rotated <- struct{}{}:
	default:
	}
	return nil
}

// rotateLarge rotates if the file has grown over its limit.
func (f *File) rotateLarge() {
	if f.path == "" || f.maxSize == 0 || f.disk.cannot {
		return
	}
	if info, err := f.file.Stat(); err != nil || info.Size() < f.maxSize {
		return
	}
	if mine, there, ok := f.regular(); !ok || there == nil || !os.SameFile(mine, there) {
		return
	}
	if err := f.rotate(); err != nil {
		f.stderr(fmt.Sprintf("log file %s: cannot be rotated: %v: it goes on growing", f.path, err))
		f.disk.cannot = true // until another file is there: each try would shift the old ones
	}
}

// rotate moves path.4 to path.5 and so on, and path to path.1, and begins a new file.
func (f *File) rotate() error {
	if f.keep == 0 {
		if err := os.Remove(f.path); err != nil {
			return err
		}
		return f.reopen()
	}
	for n := f.keep; n > 1; n-- {
		err := os.Rename(rotatedPath(f.path, n-1), rotatedPath(f.path, n))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Rename(f.path, rotatedPath(f.path, 1)); err != nil {
		return err
	}
	return f.reopen()
}

// rotatedPath is the name of an old file, 1 for the newest one.
func rotatedPath(path string, n int) string { return path + "." + strconv.Itoa(n) }
