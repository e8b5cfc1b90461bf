package web

import (
	"bytes"
	"iter"
)

// Path is the path with its escapes decoded, "/" if an absolute target has none (RFC 9110,
// section 4.2.3). It is not cleaned: FilePath says what may become a file name. It is "*"
// when OPTIONS asks for the whole server, and empty for CONNECT.
func (r *Request) Path() string { return string(r.decodedPath()) }

// RawPath is the path as it was sent.
func (r *Request) RawPath() string { return string(r.rawPath()) }

// RawQuery is the query as it was sent, without the question mark.
func (r *Request) RawQuery() string { return string(r.view(r.query)) }

// Query is the decoded value of the first parameter of that name in the query, "" if there
// is none. The query is read as a form: pairs between &, the plus sign is a space. An
// escape that is none stands for itself, and a semicolon separates nothing (WHATWG URL,
// section 5.1).
func (r *Request) Query(name string) string { return string(r.lookup(r.view(r.query), name)) }

// QueryAll are all parameters of the query in their order, decoded, repeated ones too.
func (r *Request) QueryAll() iter.Seq2[string, string] { return r.all(r.view(r.query)) }

// Form is the decoded value of the first field of that name in a body of the type
// application/x-www-form-urlencoded or multipart/form-data, "" if there is none or the type
// is another.
func (r *Request) Form(name string) string { return string(r.formValue(name)) }

// FormAll are all fields of the form in their order.
func (r *Request) FormAll() iter.Seq2[string, string] {
	f := r.form()
	if f == nil {
		return r.all(r.urlencoded())
	}
	return func(yield func(string, string) bool) {
		for i := range f.Fields {
			if !yield(f.Fields[i].Name, f.Fields[i].Value) {
				return
			}
		}
	}
}

func (r *Request) formValue(name string) []byte {
	if f := r.form(); f != nil {
		return []byte(f.value(name))
	}
	return r.lookup(r.urlencoded(), name)
}

func (r *Request) urlencoded() []byte {
	if !equalFold(r.mediaType(), "application/x-www-form-urlencoded") {
		return nil
	}
	return r.body
}

func (r *Request) rawPath() []byte {
	path := r.view(r.path)
	if len(path) > 0 || r.method == "CONNECT" || r.head == nil {
		return path
	}
	if r.method == "OPTIONS" {
		return []byte("*")
	}
	return []byte("/")
}

func (r *Request) decodedPath() []byte {
	path := r.rawPath()
	if bytes.IndexByte(path, '%') < 0 {
		return path
	}
	return unescape(path, false)
}

// lookup finds the first pair of that name. It does not decode the others.
func (r *Request) lookup(s []byte, name string) []byte {
	if len(s) == 0 {
		return nil
	}
	for range r.options.maxPairs() {
		key, value, rest, more := cutPair(s)
		if len(key)+len(value) > 0 && sameName(key, name) {
			return decode(value)
		}
		if !more {
			break
		}
		s = rest
	}
	return nil
}

func (r *Request) all(s []byte) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		if len(s) == 0 {
			return
		}
		for range r.options.maxPairs() {
			key, value, rest, more := cutPair(s)
			if len(key)+len(value) > 0 && !yield(string(decode(key)), string(decode(value))) || !more {
				return
			}
			s = rest
		}
	}
}

func cutPair(s []byte) (key, value, rest []byte, more bool) {
	pair := s
	if i := bytes.IndexByte(s, '&'); i >= 0 {
		pair, rest, more = s[:i], s[i+1:], true
	}
	key = pair
	if i := bytes.IndexByte(pair, '='); i >= 0 {
		key, value = pair[:i], pair[i+1:]
	}
	return key, value, rest, more
}

// sameName compares without decoding if it can. A decoded name is never longer.
func sameName(key []byte, name string) bool {
	return string(key) == name && !escaped(key) ||
		len(key) >= len(name) && escaped(key) && string(decode(key)) == name
}

// decode decodes a part of a form; the result may be b.
func decode(b []byte) []byte {
	if !escaped(b) {
		return b
	}
	return unescape(b, true)
}

func escaped(b []byte) bool {
	return bytes.IndexByte(b, '%') >= 0 || bytes.IndexByte(b, '+') >= 0
}

// unescape returns a copy of s with its escapes decoded. An escape that is none stays.
func unescape[T []byte | string](s T, plus bool) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && len(s)-i > 2 {
			if hi, lo := hexDigit(s[i+1]), hexDigit(s[i+2]); hi|lo < 16 {
				c = hi<<4 | lo
				i += 2
			}
		} else if c == '+' && plus {
			c = ' '
		}
		b = append(b, c)
	}
	return b
}

const hexDigits = "0123456789ABCDEF"

// appendEscaped appends s with every byte escaped that keep is not true for.
func appendEscaped(dst []byte, s string, keep func(byte) bool) []byte {
	for i := range len(s) {
		if c := s[i]; keep(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return dst
}

// isUnreserved reports whether a byte never needs an escape (RFC 3986, section 2.3).
func isUnreserved(c byte) bool {
	return isAlnum(c) || c == '-' || c == '.' || c == '_' || c == '~'
}
