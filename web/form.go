package web

import "math"

// A Form is a multipart form (RFC 7578).
type Form struct {
	// Fields are the names and values in their order, as they were sent: usually UTF-8.
	Fields []Field
	// Uploads are the files in their order.
	Uploads []*Upload
}

// Remove removes the uploads that were not saved; their files are gone then. It may be
// called more than once.
func (f *Form) Remove() {
	for _, u := range f.Uploads {
		u.remove()
	}
}

func (f *Form) value(name string) string {
	for i := range f.Fields {
		if f.Fields[i].Name == name {
			return f.Fields[i].Value
		}
	}
	return ""
}

// Multipart is the multipart form that r has in its body. The error is an *Error to answer
// with: 415 if the body is no such form, 400 if it is malformed, 413 beyond a limit of
// Options. Form, FormAll, Upload and Uploads read the same and see an empty form then.
//
// A form that a FormReader has read is the one of AttachForm. Otherwise the first of these
// methods reads the whole body, so that two goroutines must not call them at the same time;
// the form is a copy in memory that outlives r and needs no Remove.
func (r *Request) Multipart() (*Form, error) {
	if r.multipart == nil && r.refused == nil {
		r.multipart, r.refused = r.readMultipart()
	}
	if r.refused != nil {
		return nil, r.refused
	}
	return r.multipart, nil
}

func (r *Request) readMultipart() (*Form, *Error) {
	o := defaultOptions
	if r.options != nil {
		o = *r.options
	}
	// The body is in memory, and this has been limited already.
	o.MaxUploadMemory = math.MaxInt64
	f, err := NewFormReader(string(r.header("Content-Type")), &o)
	if err != nil {
		return nil, err.(*Error)
	}
	if err = f.Write(r.body); err != nil {
		return nil, err.(*Error)
	}
	form, err := f.Close()
	if err != nil {
		return nil, err.(*Error)
	}
	return form, nil
}

// form is the multipart form of r, nil if there is none.
func (r *Request) form() *Form {
	if r.multipart == nil && !r.isMultipart() {
		return nil
	}
	form, _ := r.Multipart()
	return form
}

// isMultipart reports whether the body is said to be a multipart form, and can be one.
func (r *Request) isMultipart() bool {
	if !equalFold(r.mediaType(), "multipart/form-data") {
		return false
	}
	_, e := parseBoundary(string(r.header("Content-Type")))
	return e == nil
}

// AttachForm gives r the form that a FormReader has read from its body. Clones that are
// made afterwards share it. Whoever attaches it calls its Remove when the request is done.
func (r *Request) AttachForm(f *Form) { r.multipart, r.refused = f, nil }

// Uploads are the files of the multipart form in their order.
func (r *Request) Uploads() []*Upload {
	if f := r.form(); f != nil {
		return f.Uploads
	}
	return nil
}

// Upload is the first file of that field, nil if there is none.
func (r *Request) Upload(field string) *Upload {
	for _, u := range r.Uploads() {
		if u.Field == field {
			return u
		}
	}
	return nil
}
