package web

import (
	"bytes"
	"math"
)

// A span is a part of the head. Offsets, unlike slices, survive a move of the head.
type span struct{ start, end uint32 }

// A field is the place of a header or trailer field: its name and its trimmed value.
type field struct{ name, value span }

// What the head has said so far, for rules that span several fields.
const (
	sawHost = 1 << iota
	sawLength
	sawCoding
	sawClose
	sawKeepAlive
	sawContinue
	sawCondition // Range or one of the If fields
)

// parse reads a whole head from the beginning of buf and returns its length, or 0 if it is
// not complete. Lines are judged in their order and limits before contents, so that the
// verdict does not depend on how the bytes arrived.
func (r *Request) parse(buf []byte, o *Options) (n int, e *Error) {
	r.clear()
	limit := o.maxRequestLine()
	i := bytes.IndexByte(buf[:min(len(buf), limit)], '\n')
	switch {
	case i < 0 && len(buf) >= limit:
		return 0, errLongLine
	case i < 0:
		return 0, nil
	case i == 0 || buf[i-1] != '\r':
		return 0, errLineFeed
	}
	r.head = buf
	r.options = o
	if e = r.parseRequestLine(buf[:i-1], o); e != nil {
		return 0, e
	}
	r.line = uint32(i + 1)
	r.fields, n, e = parseFields(r.fields, buf, i+1, o.maxHeader(), o.maxFields(), errLongHeader)
	if n == 0 || e != nil {
		return 0, e
	}
	r.head = buf[:n:n]
	for _, f := range r.fields {
		if e = r.note(f); e != nil {
			return 0, e
		}
	}
	return n, r.settle(o)
}

// parseRequestLine reads "METHOD SP target SP HTTP/x.y" (RFC 9112, section 3), with exactly
// one space at each place.
func (r *Request) parseRequestLine(line []byte, o *Options) *Error {
	sp := bytes.IndexByte(line, ' ')
	v := len(line) - len(" HTTP/1.1")
	if sp <= 0 || v <= sp+1 || line[v] != ' ' {
		return errRequestLine
	}
	method, target, version := line[:sp], line[sp+1:v], line[v+1:]
	r.method = knownMethod(method)
	if r.method == "" && !isToken(method) {
		return errMethod
	}
	if string(version[:5]) != "HTTP/" || version[6] != '.' || !isDigit(version[5]) || !isDigit(version[7]) {
		return errVersion
	}
	if version[5] != '1' {
		return errOtherVersion
	}
	// A later minor version promises to be readable as 1.1 (RFC 9110, section 2.5).
	r.old = version[7] == '0'
	if r.method == "" {
		if !o.AnyMethod {
			return errUnknownVerb
		}
		r.method = string(method)
	}
	if !validTarget(target) {
		return errTarget
	}
	return r.parseTarget(target, uint32(sp+1))
}

// knownMethod returns a constant, or "" for a method that is not a common one.
func knownMethod(b []byte) string {
	switch string(b) {
	case "GET":
		return "GET"
	case "POST":
		return "POST"
	case "HEAD":
		return "HEAD"
	case "PUT":
		return "PUT"
	case "PATCH":
		return "PATCH"
	case "DELETE":
		return "DELETE"
	case "OPTIONS":
		return "OPTIONS"
	case "CONNECT":
		return "CONNECT"
	case "TRACE":
		return "TRACE"
	}
	return ""
}

// parseFields reads field lines (RFC 9112, section 5) from buf[pos:] up to the empty line and
// appends them to fields. n is where the empty line ends, 0 if that has not arrived. It
// must lie within limit.
func parseFields(fields []field, buf []byte, pos, limit, count int, tooLong *Error) (_ []field, n int, e *Error) {
	window := buf[:min(len(buf), limit)]
	for {
		i := bytes.IndexByte(window[pos:], '\n')
		switch {
		case i < 0 && len(buf) >= limit:
			return fields, 0, tooLong
		case i < 0:
			return fields, 0, nil
		case i == 0 || window[pos+i-1] != '\r':
			return fields, 0, errLineFeed
		case i == 1:
			return fields, pos + 2, nil
		case len(fields) == count:
			return fields, 0, errManyFields
		}
		line := window[pos : pos+i-1]
		colon := 0
		for colon < len(line) && tokenBytes[line[colon]] {
			colon++
		}
		if colon == 0 || colon == len(line) || line[colon] != ':' {
			return fields, 0, badName(line, colon)
		}
		value := line[colon+1:]
		if !validValue(value) {
			return fields, 0, errFieldValue
		}
		for len(value) > 0 && (value[0] == ' ' || value[0] == '\t') {
			value = value[1:]
		}
		start := pos + len(line) - len(value)
		end := start + len(trim(value))
		fields = append(fields, field{
			span{uint32(pos), uint32(pos + colon)},
			span{uint32(start), uint32(end)},
		})
		pos += i + 1
	}
}

// badName says what is wrong with a line whose first n bytes are the only token bytes.
func badName(line []byte, n int) *Error {
	if n == 0 && (line[0] == ' ' || line[0] == '\t') {
		return errFold
	}
	if n > 0 && n < len(line) && (line[n] == ' ' || line[n] == '\t') {
		return errSpaceColon
	}
	return errFieldName
}

// note keeps what a field says about the message. The length of the name rules most
// fields out.
func (r *Request) note(f field) *Error {
	if isCondition(r.view(f.name)) {
		r.saw |= sawCondition
	}
	switch f.name.end - f.name.start {
	case 4:
		if equalFold(r.view(f.name), "host") {
			if r.saw&sawHost != 0 {
				return errTwoHosts
			}
			r.saw |= sawHost
			if !validHost(r.view(f.value)) {
				return errHost
			}
			// The host of an absolute target wins (RFC 9112, section 3.2.2).
			if r.host.end == 0 {
				r.host = f.value
			}
		}
	case 6:
		if equalFold(r.view(f.name), "expect") {
			if equalFold(r.view(f.value), "100-continue") {
				r.saw |= sawContinue
			} else if !r.old {
				return errExpect
			}
		}
	case 10:
		if equalFold(r.view(f.name), "connection") {
			r.noteConnection(r.view(f.value))
		}
	case 14:
		if equalFold(r.view(f.name), "content-length") {
			if r.saw&sawLength != 0 {
				return errTwoLengths
			}
			r.saw |= sawLength
			var ok bool
			if r.length, ok = parseLength(r.view(f.value)); !ok {
				return errLength
			}
		}
	case 17:
		if equalFold(r.view(f.name), "transfer-encoding") {
			if r.saw&sawCoding != 0 {
				return errCoding
			}
			r.saw |= sawCoding
			if e := checkCoding(r.view(f.value)); e != nil {
				return e
			}
		}
	}
	return nil
}

// noteConnection looks for the two connection options that concern the connection's life
// (RFC 9110, section 7.6.1).
func (r *Request) noteConnection(list []byte) {
	for len(list) > 0 {
		item, rest, _ := bytes.Cut(list, []byte{','})
		list, item = rest, trim(item)
		if equalFold(item, "close") {
			r.saw |= sawClose
		} else if equalFold(item, "keep-alive") {
			r.saw |= sawKeepAlive
		}
	}
}

// settle applies the rules that need the whole head: the host (RFC 9112, section 3.2) and the
// length of the body (section 6).
func (r *Request) settle(o *Options) *Error {
	if r.saw&sawHost == 0 && !r.old {
		return errNoHost
	}
	if r.saw&sawCoding != 0 {
		if r.saw&sawLength != 0 {
			return errBothLengths
		}
		if r.old {
			return errOldCoding
		}
		r.length = -1
	}
	if limit := o.maxBody(); limit >= 0 && r.length > limit || r.length > math.MaxInt-maxOffset {
		return errBody
	}
	return nil
}

// parseLength reads a Content-Length. A number that does not fit is the largest one, which
// is above every limit.
func parseLength(b []byte) (n int64, ok bool) {
	for _, c := range b {
		switch {
		case !isDigit(c):
			return 0, false
		case n > (math.MaxInt64-9)/10:
			n = math.MaxInt64 / 10 * 10
		default:
			n = n*10 + int64(c-'0')
		}
	}
	return n, len(b) > 0
}

// checkCoding judges the value of Transfer-Encoding. Only chunked is spoken. Another coding
// below a final chunked has an end that can be found, hence 501; without a final single
// chunked the body's end is unknown, hence 400 (RFC 9112, sections 6.1 and 6.3).
func checkCoding(value []byte) *Error {
	if equalFold(value, "chunked") {
		return nil
	}
	i := bytes.LastIndexByte(value, ',')
	if i < 0 || !equalFold(trim(value[i+1:]), "chunked") {
		return errCoding
	}
	for rest := value[:i]; ; {
		item, more, found := bytes.Cut(rest, []byte{','})
		name, _, _ := bytes.Cut(item, []byte{';'})
		if name = trim(name); !isToken(name) || equalFold(name, "chunked") {
			return errCoding
		}
		if !found {
			return errUnknownCode
		}
		rest = more
	}
}
