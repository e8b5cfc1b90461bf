package web

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
)

// An Upload is a file that came with a multipart form. Its methods may be called from every
// goroutine, but for one upload not from two at a time.
type Upload struct {
	// Field is the name of the form's field.
	Field string
	// Name is the file name that the client gave, reduced to one that may be used in any
	// directory: no path, no control characters, nothing that Windows forbids, not hidden,
	// at most 200 bytes of UTF-8, "unnamed" if nothing is left. Two uploads may have the
	// same.
	Name string
	// Type is the media type that the client gave, in lower case and without parameters,
	// "application/octet-stream" if it gave none. Nobody has compared it with the content.
	Type string
	// Size is the length in bytes.
	Size int64

	data    []byte // if it is in memory
	path    string // if it is in a file
	empty   bool   // the client gave an empty name
	saved   bool   // path is the caller's file
	removed bool
}

// errRemoved is the same for an upload in memory as for one in a file, so that a program
// does not depend on the size of what it is sent.
var errRemoved = errors.New("http: the upload has been removed: use it before the request is answered, or SaveTo a file")

// Open opens the upload for reading. The caller closes it.
func (u *Upload) Open() (io.ReadSeekCloser, error) {
	switch {
	case u.removed:
		return nil, errRemoved
	case u.path != "":
		return os.Open(u.path)
	}
	return memoryFile{bytes.NewReader(u.data)}, nil
}

// memoryFile lets bytes in memory be closed.
type memoryFile struct{ *bytes.Reader }

func (memoryFile) Close() error { return nil }

// Bytes is the content. If it is in memory already it is not copied.
func (u *Upload) Bytes() ([]byte, error) {
	switch {
	case u.removed:
		return nil, errRemoved
	case u.path != "":
		return os.ReadFile(u.path)
	}
	return u.data, nil
}

// SaveTo keeps the upload as the file path, with mode 0600. It never overwrites: if
// something of that name is there, the error is fs.ErrExist. Within one file system a
// spooled upload is moved, otherwise copied; on an error nothing is left at path. After it,
// Open and Bytes read the saved file, and Form.Remove leaves it.
func (u *Upload) SaveTo(path string) error {
	if u.removed {
		return errRemoved
	}
	if u.path != "" && !u.saved {
		// A link, unlike a rename, does not replace what is there.
		err := os.Link(u.path, path)
		if errors.Is(err, fs.ErrExist) {
			return err
		}
		if err == nil {
			os.Remove(u.path)
			u.path, u.saved = path, true
			return nil
		}
	}
	if err := u.copyTo(path); err != nil {
		return err
	}
	if u.path != "" && !u.saved {
		os.Remove(u.path)
	}
	u.path, u.saved, u.data = path, true, nil
	return nil
}

func (u *Upload) copyTo(path string) error {
	from, err := u.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if closing := to.Close(); err == nil {
		err = closing
	}
	if err != nil {
		os.Remove(path)
	}
	return err
}

// remove removes the temporary file and forgets the content.
func (u *Upload) remove() {
	if u.saved {
		return
	}
	if u.path != "" && !u.removed {
		os.Remove(u.path)
	}
	u.removed, u.data = true, nil
}
