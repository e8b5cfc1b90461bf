package web

import (
	"strings"
	"unicode/utf8"
)

var (
	errDisposition  = &Error{400, "a part of the form without a valid Content-Disposition"}
	errPartName     = &Error{400, "a part of the form without a name"}
	errTwiceInPart  = &Error{400, "a parameter of Content-Disposition twice"}
	errExtendedName = &Error{400, "filename* is not UTF-8 in the encoding of RFC 8187"}
)

// A disposition is what Content-Disposition says of a part of a form (RFC 7578, section 4.2).
type disposition struct {
	name, file string
	isFile     bool // there is a file name, even an empty one
}

// parseDisposition refuses what two readers could understand differently: repeated
// parameters and the splitting and encoding of names by RFC 2231. Only for the file name the
// encoding is understood; it wins over the plain one (RFC 6266, section 4.3), although RFC
// 7578 asks clients not to send it.
func parseDisposition(value string) (d disposition, e *Error) {
	n := tokenLength(value)
	if !equalFold(value[:n], "form-data") {
		return d, errDisposition
	}
	var named, plain, extended bool
	file := ""
	ok := parameters(value[n:], func(name, value string) bool {
		twice := false
		switch {
		case equalFold(name, "name"):
			twice, named, d.name = named, true, decodeBrowser(value)
		case equalFold(name, "filename"):
			twice, plain, file = plain, true, decodeBrowser(value)
		case equalFold(name, "filename*"):
			var ok bool
			twice, extended = extended, true
			if d.file, ok = decodeExtended(value); !ok {
				e = errExtendedName
			}
		case strings.IndexByte(name, '*') >= 0:
			e = errDisposition
		}
		if twice {
			e = errTwiceInPart
		}
		return e == nil
	})
	switch {
	case e != nil:
		return d, e
	case !ok:
		return d, errDisposition
	case !named:
		return d, errPartName
	}
	if d.isFile = plain || extended; !extended {
		d.file = file
	}
	return d, nil
}

// decodeBrowser decodes the three escapes that browsers write into names, and only those:
// they leave other percent signs as they are (WHATWG HTML, section 4.10.21.8).
func decodeBrowser(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	return browserEscapes.Replace(s)
}

var browserEscapes = strings.NewReplacer("%22", `"`, "%0D", "\r", "%0A", "\n", "%0d", "\r", "%0a", "\n")

// decodeExtended decodes charset'language'escaped (RFC 8187, section 3.2). The charset has to
// be UTF-8.
func decodeExtended(s string) (string, bool) {
	charset, rest, _ := strings.Cut(s, "'")
	_, text, ok := strings.Cut(rest, "'")
	if !ok || !equalFold(charset, "utf-8") || strings.IndexByte(text, '\'') >= 0 || !validEscapes(text) {
		return "", false
	}
	text = string(unescape(text, false))
	return text, utf8.ValidString(text)
}

// Attachment makes the client save the body under that name instead of showing it: it sets
// Content-Disposition (RFC 6266). A name that is not plain ASCII goes along in two forms,
// with underscores for those who know only the old one. The media type is left as it is.
func (r *Response) Attachment(name string) *Response {
	if name == "" {
		return r.Set("Content-Disposition", "attachment")
	}
	name = strings.ToValidUTF8(name, "_")
	b := []byte(`attachment; filename="`)
	plain := true
	for _, c := range name {
		// Readers differ about the backslash and the percent sign (RFC 6266, appendix D).
		if c < ' ' || c > '~' || strings.ContainsRune(`"\%/`, c) {
			c, plain = '_', false
		}
		b = append(b, byte(c))
	}
	b = append(b, '"')
	if !plain {
		b = appendEscaped(append(b, "; filename*=UTF-8''"...), name, isUnreserved)
	}
	return r.Set("Content-Disposition", string(b))
}
