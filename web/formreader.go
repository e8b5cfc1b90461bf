package web

import (
	"bufio"
	"errors"
	"os"
	"strings"
	"syscall"
)

var (
	errTransferCoding = &Error{400, "a part of the form with a Content-Transfer-Encoding"}
	errFormMemory     = &Error{413, "names and values of the form too long"}
	errManyUploads    = &Error{413, "too many files in the form"}
	errManyFormFields = &Error{413, "too many fields in the form"}
	errFormEnded      = &Error{500, "form written to after its end"}
)

// maxPartFields limits the header fields of a part; RFC 7578 knows three.
const maxPartFields = 16

// A FormReader reads a multipart form (RFC 7578) from a body that comes in pieces: Write each
// of them, Close after the last. Small files stay in memory, others go to Options.UploadDir
// as they arrive, so that its memory is bounded by Options whatever the client sends. Every
// error but that of a disk means a body that the client should not have sent. After an
// error, and after Discard, no file is left behind.
//
// A FormReader serves one goroutine at a time. Write waits for the file system.
type FormReader struct {
	options *Options
	parts   splitter
	form    Form
	failed  *Error
	memory  int   // bytes that names and values hold
	kept    int64 // bytes that files hold in memory
	fields  []field
	name    string
	value   []byte
	upload  *Upload
	file    *os.File
	buffer  *bufio.Writer
}

// NewFormReader makes a reader for a body with that Content-Type; nil Options are the
// defaults. The error is an *Error: 415 if it is not a multipart form, 400 without a
// boundary.
func NewFormReader(contentType string, o *Options) (*FormReader, error) {
	if o == nil {
		o = &defaultOptions
	}
	boundary, e := parseBoundary(contentType)
	if e != nil {
		return nil, e
	}
	return &FormReader{options: o, parts: newSplitter(boundary, o.maxPartHead())}, nil
}

// Write reads the next piece of the body, which it does not keep. The error is an *Error and
// final: 400 for a malformed form, 413 beyond a limit, 507 for a full disk, 500 for another
// failure of it.
func (f *FormReader) Write(piece []byte) error {
	for f.failed == nil {
		var event partEvent
		var data []byte
		var e *Error
		piece, event, data, e = f.parts.next(piece)
		switch {
		case e != nil:
		case event == partMore:
			return nil
		case event == partHead:
			e = f.begin()
		case event == partData:
			e = f.add(data)
		case event == partEnd:
			e = f.end()
		}
		if e != nil {
			f.fail(e)
		}
	}
	return f.failed
}

// Close ends the body and returns the form, whose files are then the caller's: see
// Form.Remove. The error is an *Error, as with Write.
func (f *FormReader) Close() (*Form, error) {
	if f.failed == nil {
		if e := f.parts.finish(); e != nil {
			f.fail(e)
		}
	}
	if f.failed != nil {
		return nil, f.failed
	}
	f.failed = errFormEnded
	form := f.form
	f.form = Form{}
	return &form, nil
}

// Discard removes all files of a form that is not to be completed. It may be called at any
// time and does nothing after Close.
func (f *FormReader) Discard() {
	if f.failed == nil {
		f.fail(errFormEnded)
	}
}

func (f *FormReader) fail(e *Error) {
	f.failed = e
	if f.file != nil {
		f.file.Close()
	}
	if f.upload != nil {
		f.upload.remove()
	}
	f.form.Remove()
	*f = FormReader{failed: e}
}

// begin reads the head of a part.
func (f *FormReader) begin() (e *Error) {
	head := f.parts.head
	f.fields, _, e = parseFields(f.fields[:0], head, 0, len(head)+1, maxPartFields, errPartHead)
	if e == errManyFields {
		return errPartHead
	}
	if e != nil {
		return e
	}
	var d disposition
	disposed := false
	for _, h := range f.fields {
		name, value := head[h.name.start:h.name.end], head[h.value.start:h.value.end]
		switch {
		case equalFold(name, "content-disposition"):
			if disposed {
				return errDisposition
			}
			disposed = true
			if d, e = parseDisposition(string(value)); e != nil {
				return e
			}
		case equalFold(name, "content-transfer-encoding"):
			// Nobody sends another one to a server (RFC 7578, section 4.7).
			if !equalFold(value, "7bit") && !equalFold(value, "8bit") && !equalFold(value, "binary") {
				return errTransferCoding
			}
		}
	}
	if !disposed {
		return errDisposition
	}
	f.name, f.value = d.name, nil
	if !d.isFile {
		if len(f.form.Fields) >= f.options.maxFormFields() {
			return errManyFormFields
		}
		return f.charge(len(d.name))
	}
	if len(f.form.Uploads) >= f.options.maxUploads() {
		return errManyUploads
	}
	kind, _, _ := strings.Cut(string(find(head, f.fields, "Content-Type")), ";")
	f.upload = &Upload{Field: d.name, Name: safeName(d.file), Type: validType(kind), empty: d.file == ""}
	return f.charge(len(d.name) + len(f.upload.Name) + len(f.upload.Type))
}

// validType is the media type s in lower case, the one of arbitrary bytes if it is none.
func validType(s string) string {
	s = trim(s)
	if kind, subtype, _ := strings.Cut(s, "/"); isToken(kind) && isToken(subtype) {
		return strings.ToLower(s)
	}
	return "application/octet-stream"
}

// charge counts bytes of names and values.
func (f *FormReader) charge(n int) *Error {
	if n > f.options.maxFormMemory()-f.memory {
		return errFormMemory
	}
	f.memory += n
	return nil
}

// add takes a piece of the part's content.
func (f *FormReader) add(data []byte) *Error {
	u := f.upload
	if u == nil {
		if e := f.charge(len(data)); e != nil {
			return e
		}
		f.value = append(f.value, data...)
		return nil
	}
	u.Size += int64(len(data))
	if f.file == nil {
		if limit := f.options.maxUploadMemory(); f.kept+u.Size <= limit {
			u.data = append(u.data, data...)
			return nil
		}
		if e := f.spool(); e != nil {
			return e
		}
	}
	_, err := f.buffer.Write(data)
	return diskError(err)
}

// spool moves the upload from memory to a file, which nobody else may read.
func (f *FormReader) spool() *Error {
	file, err := os.CreateTemp(f.options.UploadDir, "workerman-upload-*")
	if err != nil {
		return diskError(err)
	}
	f.file, f.upload.path = file, file.Name()
	if f.buffer == nil {
		f.buffer = bufio.NewWriterSize(nil, 32<<10)
	}
	f.buffer.Reset(file)
	_, err = f.buffer.Write(f.upload.data)
	f.upload.data = nil
	return diskError(err)
}

// end completes the part.
func (f *FormReader) end() *Error {
	u := f.upload
	if u == nil {
		f.form.Fields = append(f.form.Fields, Field{f.name, string(f.value)})
		f.value = nil
		return nil
	}
	if f.file != nil {
		err := f.buffer.Flush()
		if closing := f.file.Close(); err == nil {
			err = closing
		}
		f.file = nil
		if err != nil {
			return diskError(err)
		}
	} else {
		f.kept += u.Size
	}
	// A browser sends an empty file without a name where the user has chosen none.
	f.upload = nil
	if !u.empty || u.Size > 0 {
		f.form.Uploads = append(f.form.Uploads, u)
	}
	return nil
}

// diskError is nil if err is. The client is not told what it says.
func diskError(err error) *Error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC):
		return &Error{507, "upload: " + err.Error()}
	}
	return &Error{500, "upload: " + err.Error()}
}
