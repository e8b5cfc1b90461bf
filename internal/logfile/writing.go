package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// condition is how the disk does.
type condition struct {
	since  time.Time // when the last error was; zero while all is well
	err    error
	lost   int  // lines since all was well
	torn   bool // the file ends in the middle of a line
	cannot bool // be rotated, which was reported
}

// run is the goroutine that writes.
func (f *File) run() {
	defer close(f.ended)
	var look <-chan time.Time
	if f.path != "" {
		ticker := time.NewTicker(lookPeriod)
		defer ticker.Stop()
		look = ticker.C
	}
	var spare []byte
	for {
		var retry <-chan time.Time
		if f.failing() {
			retry = time.After(f.retryAfter)
		}
		select {
		case <-f.wake:
		case <-retry:
		case <-look:
			f.look()
		}
		f.mu.Lock()
		batch, written, dropped, closed := f.waiting, f.written, f.dropped, f.closed
		f.waiting, f.written, f.dropped = spare[:0], make(chan struct{}), 0
		f.mu.Unlock()

		f.diskMu.Lock()
		f.put(batch, dropped, closed)
		if closed {
			f.file.Close()
			f.file = nil
		}
		f.diskMu.Unlock()

		f.mu.Lock()
		f.slow = false
		close(written)
		f.mu.Unlock()
		if closed {
			return
		}
		if spare = batch; cap(spare) > 64<<10 {
			spare = nil
		}
	}
}

func (f *File) failing() bool {
	f.diskMu.Lock()
	defer f.diskMu.Unlock()
	return !f.disk.since.IsZero()
}

// put writes a batch of lines, or counts them as lost. now does not wait after an error.
func (f *File) put(batch []byte, dropped int, now bool) {
	d := &f.disk
	if dropped > 0 {
		d.lost += dropped
		if d.err == nil {
			d.err = errors.New("the disk is too slow")
		}
	}
	if len(batch) == 0 && d.lost == 0 && d.since.IsZero() {
		return
	}
	if !d.since.IsZero() {
		if !now && time.Since(d.since) < f.retryAfter {
			d.lost += countLines(batch)
			return
		}
		if f.path != "" { // the file may have become another one, or its folder have come back
			f.reopen()
		}
	}
	if d.lost > 0 || d.torn {
		note := f.note()
		if n, err := f.file.Write(note); err != nil {
			d.torn = d.torn || n > 0
			d.lost += countLines(batch)
			f.fail(err)
			return
		}
		*d = condition{cannot: d.cannot}
	}
	n, err := f.file.Write(batch)
	if err != nil {
		done := bytes.LastIndexByte(batch[:n], '\n') + 1
		d.torn = done < n
		d.lost += countLines(batch[done:])
		f.fail(err)
		return
	}
	d.since, d.err = time.Time{}, nil
	f.rotateLarge()
}

// note is the line that tells what was lost.
func (f *File) note() []byte {
	var note []byte
	if f.disk.torn {
		note = append(note, '\n')
	}
	if f.disk.lost > 0 {
		note = append(note, time.Now().Format(timeFormat)...)
		note = fmt.Appendf(note, " WARN  log: %d lines were lost: %v\n", f.disk.lost, f.disk.err)
	}
	return note
}

// fail notes an error, and tells the first one of a row.
func (f *File) fail(err error) {
	first := f.disk.since.IsZero()
	f.disk.since, f.disk.err = time.Now(), bare(err)
	if first {
		f.stderr(fmt.Sprintf("log file %s: %v: lines are lost until it can be written again", f.file.Name(), f.disk.err))
	}
}

// bare strips the path, which the message says already.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// countLines is how many lines p holds, the last one without its end included.
func countLines(p []byte) int {
	n := bytes.Count(p, []byte{'\n'})
	if len(p) > 0 && p[len(p)-1] != '\n' {
		n++
	}
	return n
}

// regular returns the owner's file and what is at its path now, nil if nothing is, and
// whether they are to be rotated at all.
func (f *File) regular() (mine, there fs.FileInfo, ok bool) {
	mine, err := f.file.Stat()
	if err != nil || !mine.Mode().IsRegular() {
		return nil, nil, false
	}
	there, err = os.Lstat(f.path)
	if err != nil {
		return mine, nil, errors.Is(err, fs.ErrNotExist)
	}
	return mine, there, there.Mode().IsRegular()
}
