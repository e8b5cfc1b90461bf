package web

import (
	"bytes"
	"encoding/json"
	"iter"
	"slices"
)

// A Request is a request as a Parser has read it. It is lent: see the package comment. Its
// methods change nothing, decode on every call and return copies, except Body and those of
// forms. The compiler keeps a short copy that is only looked at, as in r.Path() == "/", off the heap.
type Request struct {
	head     []byte
	body     []byte
	trailer  []byte
	fields   []field
	trailers []field
	spare    []byte // memory for the next chunked body
	options  *Options
	method   string
	length   int64 // size of the body, -1 while it is not known
	line     uint32
	target   span
	path     span
	query    span
	host     span
	saw      uint8
	old      bool // HTTP/1.0

	// The form in the body, or why there is none, once somebody has asked.
	multipart *Form
	refused   *Error
	coding    coding // wanted for the response, if the fields are not there to ask
}

// clear empties r and keeps its memory.
func (r *Request) clear() {
	r.head, r.body, r.trailer = nil, nil, nil
	r.fields, r.trailers = r.fields[:0], r.trailers[:0]
	r.method, r.length, r.line = "", 0, 0
	r.target, r.path, r.query, r.host = span{}, span{}, span{}, span{}
	r.saw, r.old = 0, false
	r.multipart, r.refused, r.coding = nil, nil, identity
}

// collected gives r the body that was put together from chunks, and its memory.
func (r *Request) collected(body []byte) {
	r.body, r.length = body[:len(body):len(body)], int64(len(body))
	if cap(body) <= maxSpare {
		r.spare = body
	}
}

// Clone returns a copy of r with memory of its own, which may be kept.
func (r *Request) Clone() *Request {
	c := *r
	b := slices.Concat(r.head, r.body, r.trailer)
	n, m := len(r.head), len(r.head)+len(r.body)
	c.head, c.body, c.trailer = b[:n:n], b[n:m:m], b[m:]
	c.fields, c.trailers, c.spare = slices.Clone(r.fields), slices.Clone(r.trailers), nil
	return &c
}

func (r *Request) view(s span) []byte { return r.head[s.start:s.end] }

// Method is the method, in the case in which it was sent (RFC 9110, section 9.1).
func (r *Request) Method() string { return r.method }

// Protocol is HTTP/1.0 or HTTP/1.1. Later minor versions are read as 1.1.
func (r *Request) Protocol() string {
	if r.old {
		return "HTTP/1.0"
	}
	return "HTTP/1.1"
}

// Target is the request target as it was sent (RFC 9112, section 3.2).
func (r *Request) Target() string { return string(r.view(r.target)) }

// Host is the host and port the request is for: that of an absolute target or of CONNECT,
// otherwise of the Host field (RFC 9112, section 3.3). It is empty only in HTTP/1.0.
func (r *Request) Host() string { return string(r.view(r.host)) }

// ContentLength is the length of the body in bytes, -1 if it arrives in chunks and is not
// collected (RFC 9112, section 6.3).
func (r *Request) ContentLength() int64 { return r.length }

// Body is the body, with Stream the piece that has just arrived. It is lent, and may be
// changed in place.
func (r *Request) Body() []byte { return r.body }

// JSON decodes the body into v, whatever its content type.
func (r *Request) JSON(v any) error { return json.Unmarshal(r.body, v) }

// KeepAlive reports whether the client lets the connection serve further requests (RFC
// 9112, section 9.3): by default in HTTP/1.1, on demand in HTTP/1.0.
func (r *Request) KeepAlive() bool {
	return r.saw&sawClose == 0 && (!r.old || r.saw&sawKeepAlive != 0) && r.method != ""
}

// ExpectContinue reports whether the client waits for the status 100 before it sends the
// body (RFC 9110, section 10.1.1).
func (r *Request) ExpectContinue() bool {
	return r.saw&sawContinue != 0 && !r.old && r.length != 0
}

// Header is the value of the first header field of that name in any case, "" if there is
// none (RFC 9110, section 5.1).
func (r *Request) Header(name string) string { return string(r.header(name)) }

// HeaderValues are the values of all header fields of that name, in their order. Whether
// they form one list is up to the field (RFC 9110, section 5.3).
func (r *Request) HeaderValues(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, f := range r.fields {
			if equalFold(r.view(f.name), name) && !yield(string(r.view(f.value))) {
				return
			}
		}
	}
}

// Headers are all header fields in their order, the names in the case in which they were
// sent.
func (r *Request) Headers() iter.Seq2[string, string] { return pairs(r.head, r.fields) }

// Trailer is the value of the first trailer field of that name in any case (RFC 9110,
// section 6.5). Trailers come with chunked bodies, rarely, and are never mixed into the
// headers.
func (r *Request) Trailer(name string) string { return string(find(r.trailer, r.trailers, name)) }

// Trailers are all trailer fields in their order.
func (r *Request) Trailers() iter.Seq2[string, string] { return pairs(r.trailer, r.trailers) }

// ContentType is the media type of the body in lower case and without parameters, "" if
// the client names none (RFC 9110, section 8.3).
func (r *Request) ContentType() string { return string(bytes.ToLower(r.mediaType())) }

func (r *Request) mediaType() []byte {
	t, _, _ := bytes.Cut(r.header("Content-Type"), []byte{';'})
	return trim(t)
}

func (r *Request) header(name string) []byte { return find(r.head, r.fields, name) }

// find returns the value of the first of fields, which lie in text, with that name.
func find(text []byte, fields []field, name string) []byte {
	for _, f := range fields {
		if int(f.name.end-f.name.start) == len(name) && equalFold(text[f.name.start:f.name.end], name) {
			return text[f.value.start:f.value.end]
		}
	}
	return nil
}

// has reports whether there is a header field of that name, even an empty one.
func (r *Request) has(name string) bool { return r.header(name) != nil }

func pairs(text []byte, fields []field) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, f := range fields {
			if !yield(string(text[f.name.start:f.name.end]), string(text[f.value.start:f.value.end])) {
				return
			}
		}
	}
}
