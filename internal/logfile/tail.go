package logfile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
)

// Tail writes the last lines of the log at path to w, from rotated files too if the newest
// has fewer.
func Tail(path string, lines int, w io.Writer) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = tail(f, path, lines, w)
	return err
}

// tail is Tail for an open file. It returns the end of what it has written.
func tail(f *os.File, path string, lines int, w io.Writer) (end int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, &fs.PathError{Op: "tail", Path: path, Err: errors.New("is no regular file")}
	}
	end = info.Size()
	start, found, err := lastLines(f, end, lines)
	if err != nil {
		return 0, err
	}
	if err := older(path, 1, lines-found, w); err != nil {
		return 0, err
	}
	_, err = io.Copy(w, io.NewSectionReader(f, start, end-start))
	return end, err
}

// older writes the last lines of the rotated files from the nth on.
func older(path string, n, lines int, w io.Writer) error {
	if lines <= 0 {
		return nil
	}
	f, err := os.Open(rotatedPath(path, n))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	start, found, err := lastLines(f, info.Size(), lines)
	if err != nil {
		return err
	}
	if err := older(path, n+1, lines-found, w); err != nil {
		return err
	}
	_, err = io.Copy(w, io.NewSectionReader(f, start, info.Size()-start))
	return err
}

// lastLines finds where the last lines of a file of size bytes start, and how many there are.
func lastLines(f io.ReaderAt, size int64, lines int) (start int64, found int, err error) {
	if size == 0 || lines <= 0 {
		return size, 0, nil
	}
	buf := make([]byte, 64<<10)
	for pos := size; pos > 0; {
		n := min(pos, int64(len(buf)))
		pos -= n
		if _, err := f.ReadAt(buf[:n], pos); err != nil && err != io.EOF {
			return 0, 0, err
		}
		part := buf[:n]
		if pos+n == size {
			part = part[:n-1] // the end of the last line begins no other
		}
		for i := bytes.LastIndexByte(part, '\n'); i >= 0; i = bytes.LastIndexByte(part[:i], '\n') {
			if found++; found == lines {
				return pos + int64(i) + 1, found, nil
			}
		}
	}
	return 0, found + 1, nil
}
