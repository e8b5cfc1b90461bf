package filemonitor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

// tree watches folders with all below them. It watches folders, not files, which editors
// replace by others when they save.
type tree struct {
	watcher  *fsnotify.Watcher
	interest *interest
}

// newTree begins to watch.
func newTree(dirs []string, in *interest) (*tree, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("cannot watch files: %w", err)
	}
	t := &tree{w, in}
	for _, dir := range dirs {
		if err := t.add(dir, func(string) {}); err != nil {
			w.Close()
			return nil, err
		}
	}
	return t, nil
}

// add watches a folder and those below it. found is called for the files in them: in a new
// folder they may have come before the watch.
func (t *tree) add(dir string, found func(file string)) error {
	if err := t.watcher.Add(dir); err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			return fmt.Errorf("cannot watch %s: too many folders: sysctl fs.inotify.max_user_watches=524288, or exclude some", dir)
		}
		return fmt.Errorf("cannot watch %s: %w", dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("cannot watch %s: %w", dir, err)
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		switch {
		case !e.IsDir():
			found(name)
		case t.interest.folder(e.Name()):
			if err := t.add(name, found); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// event calls changed for the files that an event is about.
func (t *tree) event(e fsnotify.Event, changed func(file string)) error {
	if e.Op == fsnotify.Chmod {
		return nil
	}
	if e.Has(fsnotify.Create) {
		if info, err := os.Lstat(e.Name); err == nil && info.IsDir() {
			if !t.interest.folder(filepath.Base(e.Name)) {
				return nil
			}
			if err := t.add(e.Name, changed); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		}
	}
	changed(e.Name)
	return nil
}

func (t *tree) close() { t.watcher.Close() }
