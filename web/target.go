package web

import "bytes"

// parseTarget takes the request target apart (RFC 9112, section 3.2). Its bytes are known
// to be valid; start is its place in the head.
func (r *Request) parseTarget(target []byte, start uint32) *Error {
	end := start + uint32(len(target))
	r.target = span{start, end}
	switch {
	case r.method == "CONNECT":
		// The authority form names a host and a port, and neither path nor query.
		if !validHost(target) || bytes.LastIndexByte(target, ':') <= bytes.LastIndexByte(target, ']') {
			return errAuthority
		}
		r.host = r.target
		return nil
	case len(target) == 1 && target[0] == '*':
		if r.method != "OPTIONS" {
			return errTarget
		}
		r.path = r.target
		return nil
	case target[0] != '/':
		n := schemeLength(target)
		if n == 0 {
			return errTarget
		}
		size := bytes.IndexAny(target[n:], "/?")
		if size < 0 {
			size = len(target) - n
		}
		if !validHost(target[n : n+size]) {
			return errAuthority
		}
		r.host = span{start + uint32(n), start + uint32(n+size)}
		target, start = target[n+size:], start+uint32(n+size)
	}
	path := target
	r.path = span{start, end}
	if q := bytes.IndexByte(target, '?'); q >= 0 {
		path = target[:q]
		r.path.end = start + uint32(q)
		r.query = span{r.path.end + 1, end}
	}
	if !validEscapes(path) {
		return errTarget
	}
	return nil
}

// schemeLength is the length of the "http://" or "https://" that target begins with, 0 if
// it begins with neither.
func schemeLength(target []byte) int {
	for _, s := range [...]string{"http://", "https://"} {
		if len(target) >= len(s) && equalFold(target[:len(s)], s) {
			return len(s)
		}
	}
	return 0
}

// validEscapes reports whether every % is followed by two hexadecimal digits.
func validEscapes[T []byte | string](s T) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		if len(s)-i < 3 || hexDigit(s[i+1]) > 15 || hexDigit(s[i+2]) > 15 {
			return false
		}
		i += 2
	}
	return true
}
