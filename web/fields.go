package web

import (
	"fmt"
	"strings"
)

// A Field is a header or trailer field of a response, or a field of a form.
type Field struct{ Name, Value string }

// Set replaces the header fields of that name by one. The name is written in canonical
// case. A name that is not a token, a value with a control character, such as CR, LF or
// NUL, and the fields that Append computes (Content-Length, Transfer-Encoding) are left
// out: see Err. With the name Connection, close sets Close, and keep-alive is left to
// Append; an empty Server or Date leaves that field out.
func (r *Response) Set(name, value string) *Response {
	name, value, ok := checkField(name, value)
	if !ok {
		return r.fault("header field", name)
	}
	r.Delete(name)
	return r.put(name, value)
}

// Add adds a header field and keeps those of the same name, except where there can be one
// only. It refuses what Set refuses.
func (r *Response) Add(name, value string) *Response {
	name, value, ok := checkField(name, value)
	if !ok {
		return r.fault("header field", name)
	}
	return r.put(name, value)
}

func (r *Response) put(name, value string) *Response {
	switch name {
	case "Content-Type":
		r.contentType = value
		return r
	case "Connection":
		r.putConnection(value)
		return r
	case "Date":
		r.remove(name)
		r.ownDate = true
	case "Server":
		r.remove(name)
		r.ownServer = true
	}
	if value == "" && (name == "Date" || name == "Server") {
		return r
	}
	r.fields = append(r.fields, Field{name, value})
	return r
}

// putConnection leaves the options about the connection's life to Append and keeps the
// others, such as Upgrade.
func (r *Response) putConnection(list string) {
	for option := range strings.SplitSeq(list, ",") {
		switch option = trim(option); {
		case equalFold(option, "close"):
			r.Close = true
		case option != "" && !equalFold(option, "keep-alive"):
			r.fields = append(r.fields, Field{"Connection", option})
		}
	}
}

// Delete removes the header fields of that name, also those that a constructor has set. A
// deleted Server or Date is again the one of Append.
func (r *Response) Delete(name string) *Response {
	name = canonical(name)
	switch name {
	case "Content-Type":
		r.contentType = ""
	case "Connection":
		r.Close = false
	case "Date":
		r.ownDate = false
	case "Server":
		r.ownServer = false
	}
	r.remove(name)
	return r
}

func (r *Response) remove(name string) {
	kept := r.fields[:0]
	for _, f := range r.fields {
		if f.Name != name {
			kept = append(kept, f)
		}
	}
	clear(r.fields[len(kept):])
	r.fields = kept
}

// Get is the value of the first header field of that name that has been set.
func (r *Response) Get(name string) string {
	name = canonical(name)
	if name == "Content-Type" {
		return r.contentType
	}
	for _, f := range r.fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// Fields are the header fields that have been set, in their order, without Content-Type.
// They must not be changed.
func (r *Response) Fields() []Field { return r.fields }

// Err is the first header field or cookie that was left out since it could not be sent
// safely, or the error of JSON or of a file; nil if there is none.
func (r *Response) Err() error { return r.err }

func (r *Response) fault(kind, name string) *Response {
	if r.err == nil {
		r.err = fmt.Errorf("http: %s %q cannot be sent and is left out", kind, name)
	}
	return r
}

// checkField makes name canonical and says whether the field may be sent.
func checkField(name, value string) (string, string, bool) {
	if !isToken(name) || !validBytes(value) {
		return name, value, false
	}
	name, value = canonical(name), trim(value)
	return name, value, name != "Content-Length" && name != "Transfer-Encoding"
}

// validLine reports whether s may be sent as a field value and is worth it.
func validLine(s string) bool { return s != "" && validBytes(s) }

// canonical writes a name with capitals at the beginnings of its words. It returns name
// itself if it is canonical already.
func canonical(name string) string {
	for i, up := 0, true; i < len(name); i++ {
		c := name[i]
		if up && c-'a' < 26 || !up && c-'A' < 26 {
			return canonicalCopy(name)
		}
		up = c == '-'
	}
	return name
}

func canonicalCopy(name string) string {
	b := []byte(name)
	up := true
	for i, c := range b {
		if b[i] = lower(c); up && (c|0x20)-'a' < 26 {
			b[i] = c &^ 0x20
		}
		up = c == '-'
	}
	return string(b)
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(append(dst, name...), ':', ' ')
	return append(append(dst, value...), '\r', '\n')
}
