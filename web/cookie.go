package web

import (
	"bytes"
	"iter"
	"strconv"
)

// Cookie is the value of the first cookie of that name, "" if there is none (RFC 6265,
// section 5.4). Escapes are decoded, as AddCookie encodes; quotes around are removed.
func (r *Request) Cookie(name string) string { return string(r.cookie(name)) }

// Cookies are the names and values of all cookies in their order.
func (r *Request) Cookies() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		r.eachCookie(func(name, value []byte) bool { return yield(string(name), string(value)) })
	}
}

// cookie stays out of Cookie, so that Cookie can be inlined and its copy kept off the heap.
//
//go:noinline
func (r *Request) cookie(name string) (value []byte) {
	r.eachCookie(func(n, v []byte) bool {
		if string(n) != name {
			return true
		}
		value = v
		return false
	})
	return value
}

func (r *Request) eachCookie(yield func(name, value []byte) bool) {
	for _, f := range r.fields {
		if !equalFold(r.view(f.name), "cookie") {
			continue
		}
		for list := r.view(f.value); len(list) > 0; {
			var item []byte
			item, list, _ = bytes.Cut(list, []byte{';'})
			name, value, found := bytes.Cut(item, []byte{'='})
			name, value = trim(name), trim(value)
			if !found || len(name) == 0 {
				continue
			}
			if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
				value = value[1 : n-1]
			}
			if bytes.IndexByte(value, '%') >= 0 {
				value = unescape(value, false)
			}
			if !yield(name, value) {
				return
			}
		}
	}
}

// A Cookie is a cookie to be set (RFC 6265, section 4.1).
type Cookie struct {
	// Name is a token.
	Name string
	// Value may be any text: what is not a letter, a digit or one of - . _ ~ is escaped.
	Value string
	// Domain and Path say which requests get the cookie; empty, the host that sets it and
	// the directory of the request.
	Domain, Path string
	// MaxAge is the life in seconds: 0 until the browser is closed, below 0 deletes it.
	MaxAge int
	// Secure keeps the cookie out of unencrypted requests, HTTPOnly out of scripts.
	Secure, HTTPOnly bool
	// SameSite is Lax, Strict, None or empty.
	SameSite string
}

// AddCookie adds a Set-Cookie field. A cookie whose name, domain, path or SameSite could
// be read as something else is left out: see Err.
func (r *Response) AddCookie(c Cookie) *Response {
	bad := !isToken(c.Name) || !validAttribute(c.Domain) || !validAttribute(c.Path)
	switch c.SameSite {
	case "", "Lax", "Strict", "None":
	default:
		bad = true
	}
	if bad {
		return r.fault("cookie", c.Name)
	}
	b := make([]byte, 0, 64+len(c.Name)+len(c.Value)+len(c.Domain)+len(c.Path))
	b = append(append(b, c.Name...), '=')
	b = appendEscaped(b, c.Value, isUnreserved)
	if c.Domain != "" {
		b = append(append(b, "; Domain="...), c.Domain...)
	}
	if c.MaxAge != 0 {
		b = strconv.AppendInt(append(b, "; Max-Age="...), int64(max(c.MaxAge, 0)), 10)
	}
	if c.Path != "" {
		b = append(append(b, "; Path="...), c.Path...)
	}
	if c.Secure {
		b = append(b, "; Secure"...)
	}
	if c.HTTPOnly {
		b = append(b, "; HttpOnly"...)
	}
	if c.SameSite != "" {
		b = append(append(b, "; SameSite="...), c.SameSite...)
	}
	return r.Add("Set-Cookie", string(b))
}

// validAttribute reports whether s may be the value of a cookie attribute: printable ASCII
// without the semicolon.
func validAttribute(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e || s[i] == ';' {
			return false
		}
	}
	return true
}
