package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/workerman-go/workerman/web"
)

// shelf is the directory where uploads are kept.
type shelf struct {
	dir     string
	maxSize int64
	files   web.Dir
}

func newShelf(dir string, maxSize int64) *shelf {
	return &shelf{dir: dir, maxSize: maxSize, files: web.Dir{Root: dir, Prefix: "/files/", CacheControl: "no-cache"}}
}

// incoming is where files are until they have arrived completely. It begins with a dot, so
// that nobody sees it.
func (s *shelf) incoming() string { return filepath.Join(s.dir, ".incoming") }

// prepare makes the directories, without what a killed program may have left.
func (s *shelf) prepare() error {
	if err := os.RemoveAll(s.incoming()); err != nil {
		return err
	}
	return os.MkdirAll(s.incoming(), 0o700)
}

// file is what the page knows of an upload.
type file struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

// list answers with what is there, and what may come.
func (s *shelf) list() *web.Response {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		slog.Error("the uploads cannot be listed", "error", err)
		return web.Status(500)
	}
	files := []file{}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			files = append(files, file{entry.Name(), info.Size()})
		}
	}
	return web.JSON(map[string]any{"maxSize": s.maxSize, "files": files}).Set("Cache-Control", "no-cache")
}

// take keeps the files of a form and answers with the names that they have got.
func (s *shelf) take(uploads []*web.Upload) *web.Response {
	if len(uploads) == 0 {
		refusal := web.Text("send files as multipart/form-data\n")
		refusal.Status = 422
		return refusal
	}
	var kept []file
	for _, upload := range uploads {
		name, err := s.keep(upload)
		if err != nil {
			slog.Error("an upload cannot be kept", "error", err)
			return web.Status(500)
		}
		kept = append(kept, file{name, upload.Size})
	}
	answer := web.JSON(map[string]any{"files": kept})
	answer.Status = 201
	return answer
}

// keep moves an upload to its place. Its name is safe to be used as it is, but may be taken.
func (s *shelf) keep(upload *web.Upload) (name string, err error) {
	name = upload.Name
	ext := filepath.Ext(name)
	for n := 2; ; n++ {
		err = upload.SaveTo(filepath.Join(s.dir, name))
		if !errors.Is(err, fs.ErrExist) {
			return name, err
		}
		name = fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(upload.Name, ext), n, ext)
	}
}

// give answers with a file, to be saved and not shown: a page among the uploads could act
// as if it were one of ours.
func (s *shelf) give(r *web.Request) *web.Response {
	answer := s.files.Serve(r)
	if answer.Planned() {
		answer.Attachment("").Set("X-Content-Type-Options", "nosniff")
	}
	return answer
}
