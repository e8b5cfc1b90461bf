package web

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"syscall"
	"time"
)

// A source is where the body of a planned response is.
type source struct {
	root     string // a directory that path must not leave, not even by a symbolic link
	path     string // a file, or
	data     []byte // bytes, if
	memory   bool   // they are in memory
	modified time.Time
}

// File is a response with a file, which is opened when the response is planned or appended:
// see Plan. Its media type is that of the name's extension, unless Content-Type is set. It
// has an entity tag made of modification time, size and inode, Last-Modified, and ranges.
//
// path is used as it is: for one that a client has a say in, use Dir. A missing file, and
// whatever is no regular file, is answered by 404, one that may not be read by 403.
//
// The entity tag is a strong one. It changes with every replacement of the file and with
// every write that the clock of the file system can tell from the one before: do not rewrite
// a file in place that is being served. Machines that serve copies of one file give it
// different tags, which costs a transfer and never mixes contents.
func File(path string) *Response {
	return &Response{source: &source{path: path}, contentType: MIMEType(path)}
}

// Content is a response with bytes in memory that is treated as a file is: with ranges,
// Last-Modified unless modified is zero, and what the client already has is not sent again.
// name tells the media type by its extension. Set the ETag if there is one. data must stay as
// it is until the response has been sent.
func Content(name string, modified time.Time, data []byte) *Response {
	return &Response{source: &source{memory: true, data: data, modified: modified}, contentType: MIMEType(name)}
}

// maxRead is up to which size a part of a file is read at once: a system call less, and it
// leaves in one write with the head.
const maxRead = 16 << 10

var (
	errNotRegular = errors.New("http: not a regular file")
	errChanged    = errors.New("http: the file was changed while it was opened")
)

// contents is a source that is open.
type contents struct {
	source   *source
	file     *os.File // nil in memory and when it has been handed on
	info     fs.FileInfo
	size     int64
	modified time.Time
}

// open refuses everything but regular files, before and after opening: opening a device may
// do things, and a pipe waits for its other end.
func (s *source) open() (c contents, err error) {
	if s.memory {
		return contents{source: s, size: int64(len(s.data)), modified: s.modified}, nil
	}
	stat, open := os.Stat, os.OpenFile
	if s.root != "" {
		root, err := os.OpenRoot(s.root)
		if err != nil {
			return c, err
		}
		defer root.Close()
		stat, open = root.Stat, root.OpenFile
	}
	info, err := stat(s.path)
	if err != nil {
		return c, err
	}
	if !info.Mode().IsRegular() {
		return c, errNotRegular
	}
	file, err := open(s.path, openFlags, 0)
	if err != nil {
		return c, err
	}
	if info, err = file.Stat(); err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		file.Close()
		return c, err
	}
	return contents{s, file, info, info.Size(), info.ModTime()}, nil
}

// tag is the entity tag of a file, "" in memory.
func (c *contents) tag() string {
	if c.info == nil {
		return ""
	}
	b := append(make([]byte, 0, 64), '"')
	b = append(strconv.AppendInt(b, c.modified.UnixNano(), 36), '-')
	b = append(strconv.AppendInt(b, c.size, 36), '-')
	b = strconv.AppendUint(b, inode(c.info), 36)
	return string(append(b, '"'))
}

// segment is a part of the contents. The first one of a file takes the file, others open it
// again, so that each can be sent and closed by itself.
func (c *contents) segment(r byteRange) (s Segment, err error) {
	switch {
	case c.info == nil:
		return Segment{Bytes: c.source.data[r.Start : r.Start+r.Length]}, nil
	case c.file == nil:
		again, err := c.source.open()
		if err != nil {
			return s, err
		}
		if !os.SameFile(again.info, c.info) || again.size != c.size || !again.modified.Equal(c.modified) {
			again.file.Close()
			return s, errChanged
		}
		c.file = again.file
	}
	if r.Length > maxRead {
		s = Segment{File: c.file, Offset: r.Start, Length: r.Length}
		c.file = nil
		return s, nil
	}
	s.Bytes = make([]byte, r.Length)
	_, err = c.file.ReadAt(s.Bytes, r.Start)
	if err == io.EOF {
		err = errChanged
	}
	return s, err
}

func (c *contents) close() {
	if c.file != nil {
		c.file.Close()
	}
}

// fileStatus is how a client is told of an error of opening a file. What is not the
// machine's fault is the name's: it leads nowhere, out of the root or to no regular file.
func fileStatus(err error) int {
	if errors.Is(err, fs.ErrPermission) {
		return 403
	}
	for _, fault := range [...]error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EIO, errChanged} {
		if errors.Is(err, fault) {
			return 500
		}
	}
	return 404
}
