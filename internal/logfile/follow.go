package logfile

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// followPeriod is the time between looks at a file that is followed.
const followPeriod = 200 * time.Millisecond

// Follow writes the last lines of the log at path to w, as Tail does, and then what is
// appended, across rotations, until ctx ends; then it returns nil. It waits for a file that is
// not there yet.
func Follow(ctx context.Context, path string, lines int, w io.Writer) error {
	var t follower
	defer t.close()
	ticker := time.NewTicker(followPeriod)
	defer ticker.Stop()
	for {
		var err error
		if t.file == nil {
			err = t.begin(path, lines, w)
		} else {
			err = t.turn(path, w)
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// follower is a file that is being followed.
type follower struct {
	file    *os.File
	offset  int64
	changed bool // another file was at the path at the last look
}

func (t *follower) close() {
	if t.file != nil {
		t.file.Close()
	}
}

// begin opens the file if it is there.
func (t *follower) begin(path string, lines int, w io.Writer) (err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	t.file = f
	t.offset, err = tail(f, path, lines, w)
	return err
}

// turn writes what is new. After a rotation the old file is read once more at the next turn,
// because the processes learn of it a little later.
func (t *follower) turn(path string, w io.Writer) error {
	if err := t.copy(w); err != nil {
		return err
	}
	mine, err := t.file.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(path)
	if err != nil || os.SameFile(mine, there) {
		t.changed = false
		return nil // a file that was moved is followed until there is another
	}
	if !t.changed {
		t.changed = true
		return nil
	}
	next, err := os.Open(path)
	if err != nil {
		return nil // and looked for again
	}
	t.file.Close()
	*t = follower{file: next}
	return t.copy(w)
}

// copy writes what was appended, from the beginning if the file was cut.
func (t *follower) copy(w io.Writer) error {
	info, err := t.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < t.offset {
		t.offset = 0
	}
	n, err := io.Copy(w, io.NewSectionReader(t.file, t.offset, info.Size()-t.offset))
	t.offset += n
	return err
}
