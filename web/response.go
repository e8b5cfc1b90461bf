package web

import (
	"encoding/json"
	"slices"
	"strconv"
	"unsafe"
)

// A Response is an answer. Text, HTML, JSON, Bytes, Redirect and Status make one; the zero
// Response is an empty 200. Its methods return it, so that they can be chained.
type Response struct {
	// Status is the status code; 0 means 200.
	Status int
	// Close ends the connection after this response. Set("Connection", "close") is the same.
	Close bool
	// Stream says that the body goes on after Append: send the rest by AppendChunk and
	// AppendLastChunk if Chunked, otherwise as it is, and then close.
	Stream bool

	contentType string
	body        []byte
	text        string
	fields      []Field
	source      *source // if the body is not in body or text
	err         error
	ownDate     bool
	ownServer   bool
}

// Text is a response with a plain text.
func Text(s string) *Response {
	return &Response{text: s, contentType: "text/plain; charset=utf-8"}
}

// HTML is a response with a page.
func HTML(s string) *Response {
	return &Response{text: s, contentType: "text/html; charset=utf-8"}
}

// Bytes is a response with a body of any type. The bytes must stay as they are until the
// response is appended.
func Bytes(contentType string, body []byte) *Response {
	r := &Response{body: body}
	return r.Set("Content-Type", contentType)
}

// JSON is a response with v as JSON. If v cannot be encoded, it is a 500 with the error in
// Err.
func JSON(v any) *Response {
	b, err := json.Marshal(v)
	if err != nil {
		r := Status(500)
		r.err = err
		return r
	}
	return &Response{body: b, contentType: "application/json"}
}

// Redirect sends the client to location, which may be relative: code is 301, 302, 303, 307
// or 308 (RFC 9110, section 15.4). Bytes that no URI may have, the backslash among them,
// are escaped, so that a location can neither end its line nor name another host by a
// browser's leniency. Whether it names another host openly is for the caller to check.
func Redirect(location string, code int) *Response {
	r := &Response{Status: code}
	return r.Set("Location", string(appendEscaped(nil, location, isURIByte)))
}

// isURIByte reports whether c may stand in a URI, as itself, as a delimiter or as the
// beginning of an escape (RFC 3986, section 2).
func isURIByte(c byte) bool {
	switch c {
	case '"', '<', '>', '\\', '^', '`', '{', '|', '}':
		return false
	}
	return c > 0x20 && c < 0x7f
}

// Status is a response with nothing but a status code, and that as text, such as
// "404 Not Found".
func Status(code int) *Response {
	r := &Response{Status: code, contentType: "text/plain; charset=utf-8"}
	if code > 0 && code < len(statusTexts) {
		r.text = statusTexts[code]
	}
	return r
}

// SetText makes s the body.
func (r *Response) SetText(s string) *Response {
	r.text, r.body, r.source = s, nil, nil
	return r
}

// SetBody makes b the body. It must stay as it is until the response is appended.
func (r *Response) SetBody(b []byte) *Response {
	r.text, r.body, r.source = "", b, nil
	return r
}

// Payload is the body, which must not be changed.
func (r *Response) Payload() []byte {
	if r.body != nil {
		return r.body
	}
	return unsafe.Slice(unsafe.StringData(r.text), len(r.text))
}

// KeepAlive reports whether the connection may go on after this response: if both sides
// want it and the client can see where the body ends (RFC 9112, section 9.3).
func (r *Response) KeepAlive(x Exchange) bool {
	return x.KeepAlive() && !r.Close && !(r.Stream && x.old())
}

// Chunked reports whether the body of this response is sent in chunks. Neither is a stream
// to HTTP/1.0, which ends with the connection, nor a response without a body.
func (r *Response) Chunked(x Exchange) bool {
	return r.Stream && r.HasBody(x) && !x.old()
}

// HasBody reports whether the response has a body: not if the method is HEAD, nor with 1xx,
// 204, 205 and 304 (RFC 9110, section 6.4.1).
func (r *Response) HasBody(x Exchange) bool {
	return !x.head() && r.framed(x) && r.Status != 205
}

// framed reports whether the response has fields that tell the length of its body.
func (r *Response) framed(x Exchange) bool {
	code := r.code()
	if x.connect() && code < 300 {
		return false
	}
	return code >= 200 && code != 204 && code != 304
}

func (r *Response) code() int {
	switch {
	case r.Status == 0:
		return 200
	case !validStatus(r.Status):
		return 500
	}
	return r.Status
}

// Append appends the response to a request to dst; x is what Request.Exchange says of that.
// date is the value of the Date field, as AppendDate writes it; if it is empty, there is
// none. Append does not change r. The body of a planned response is read into memory; with
// Plan it need not be.
func (r *Response) Append(dst []byte, x Exchange, date []byte) []byte {
	if r.source != nil {
		return r.appendPlanned(dst, x, date)
	}
	if x.options != nil && x.options.Compress.Enabled {
		if compressed, ok := r.appendCompressed(dst, x, date); ok {
			return compressed
		}
	}
	size := len(r.body) + len(r.text)
	dst = slices.Grow(dst, 256+size)
	dst = r.AppendHead(dst, x, date, int64(size))
	switch {
	case !r.HasBody(x):
		return dst
	case r.Chunked(x):
		if r.body != nil {
			return AppendChunk(dst, r.body)
		}
		return AppendChunk(dst, r.text)
	}
	return append(append(dst, r.body...), r.text...)
}

// AppendHead is Append without the body, for one that comes from elsewhere and has size
// bytes. With Stream the size does not matter.
func (r *Response) AppendHead(dst []byte, x Exchange, date []byte, size int64) []byte {
	code := r.code()
	dst = appendStatusLine(dst, code)
	if code >= 200 {
		if !r.ownServer && x.options != nil && validLine(x.options.Server) {
			dst = appendField(dst, "Server", x.options.Server)
		}
		if len(date) > 0 && !r.ownDate {
			dst = append(dst, "Date: "...)
			dst = append(append(dst, date...), '\r', '\n')
		}
	}
	if r.contentType != "" && r.framed(x) {
		dst = appendField(dst, "Content-Type", r.contentType)
	}
	if r.framed(x) {
		switch {
		case r.Status == 205:
			dst = append(dst, "Content-Length: 0\r\n"...)
		case !r.Stream:
			dst = append(dst, "Content-Length: "...)
			dst = strconv.AppendInt(dst, size, 10)
			dst = append(dst, '\r', '\n')
		case !x.old():
			dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
		}
	}
	for i := range r.fields {
		dst = appendField(dst, r.fields[i].Name, r.fields[i].Value)
	}
	if code >= 200 {
		// Only what differs from the version's default is said (RFC 9112, section 9.3).
		if !r.KeepAlive(x) {
			dst = append(dst, "Connection: close\r\n"...)
		} else if x.old() {
			dst = append(dst, "Connection: keep-alive\r\n"...)
		}
	}
	return append(dst, '\r', '\n')
}
